"""Workers that are started in order to be killed."""

from __future__ import annotations

import signal
import time
from random import Random

import pytest

from schemas.errors import FatalError
from streams.prove_workers import Workers

SLOW = "import sys, time; time.sleep(0.5); print('works', flush=True); time.sleep(60)"


def test_only_what_works_is_killed_and_it_comes_again() -> None:
    # `timeit` runs what it is given: a worker that takes a moment to join.
    with Workers("timeit", [("-n1", "-r1", "-s", SLOW, "0")], Random(1)) as workers:
        assert not workers.all_work
        assert not workers.kill_one()
        workers.wait_until_all_work()
        first = workers._slots[0].process
        assert workers.kill_one(signal.SIGKILL)
        second = workers._slots[0].process

        assert first.returncode == -signal.SIGKILL
        assert second.pid != first.pid
        assert [(one.pid, one.how) for one in workers.ended] == [(first.pid, "SIGKILL")]
    assert second.poll() is not None


def test_workers_that_cannot_work_end_the_proof_with_their_words() -> None:
    with Workers("streams.no_such_module", [()], Random(1)) as workers:

        def tend_for_ever() -> None:
            while True:
                workers.tend()
                time.sleep(0.01)

        with pytest.raises(FatalError, match=r"keep dying: .*no_such_module"):
            tend_for_ever()
