"""`bugstream up` as people run it: real Kafka, real processes, a real sandbox, and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from projections.bugs import Bug
from projections.views import Filter, NotReadyError
from schemas.lifecycle import Status
from streams import demo, demo_shop, exit_codes
from streams.broker import Broker
from streams.cli_context import KAFKA_FOLDER, open_views
from streams.demo import Demo
from streams.environment import base_env

pytestmark = [pytest.mark.kafka, pytest.mark.sandbox]
STEP_S_MAX = 120.0
ISSUE = demo_shop.ISSUES[1]


@pytest.mark.timeout(600)
def test_a_strangers_bug_waits_for_a_person_and_is_fixed_once_whatever_is_killed(
    tmp_path: Path,
) -> None:
    with demo.running(tmp_path) as running:
        demo.wait_until_ready(running)
        body = demo.payload_of(ISSUE, association="NONE")
        assert demo.post_webhook(running.url, body, running.secret) == 202
        bug = wait_for(running, Status.WAITING_FOR_APPROVAL)
        assert demo.branches(running) == [demo_shop.BRANCH]

        refused = bugstream(running, "up")
        assert refused.returncode == exit_codes.MISUSED
        assert f"already runs on {running.settings.data_path}" in refused.stderr
        broker = Broker(running.settings.data_path / KAFKA_FOLDER)
        first = broker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert bugstream(running, "bug", "approve", bug.human_id).returncode == 0
        wait_for(running, Status.FIXING)
        os.kill(child(running, "fix"), signal.SIGKILL)
        bug = wait_for(running, Status.FIXED)

        # That it came in, and that it is fixed.
        wait_until(lambda: len(running.world.box.received) == 2)
        replay = bugstream(running, "audit", "replay", bug.human_id)
        assert replay.returncode == 0, replay.stdout
        [story] = demo.stories(running)
        types = [fact.event.type for fact in story.facts]

    assert broker.pid is None
    assert running.process.returncode == exit_codes.OK
    assert sorted(demo.branches(running)) == sorted([demo_shop.BRANCH, bug.branch or ""])
    assert types.count("fix.released") == 1
    assert types.count("reporter.notified") == types.count("notify.requested") == 2
    assert len(running.world.box.received) == 2
    assert f"{demo_shop.CONTAINER}#{ISSUE.number}" in running.world.box.received[0].origin


def bugstream(running: Demo, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as someone at a terminal beside it would."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "streams", *words],
        env=base_env() | running.settings.for_child(()),
        capture_output=True,
        text=True,
        timeout=STEP_S_MAX,
        check=False,
    )


def child(running: Demo, name: str) -> int:
    """Return the process in which the stage called `name` runs."""
    parent = running.process.pid
    for number in Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split():
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if words[-3:-1] == [b"run", name.encode()]:
            return int(number)
    raise AssertionError(f"{name} does not run")


def wait_for(running: Demo, status: Status) -> Bug:
    """Return the one bug, once it stands so."""
    found: list[Bug] = []

    def stands() -> bool:
        try:
            with open_views(running.settings) as views:
                found[:] = views.bugs(Filter(), limit=2)
        except NotReadyError:
            return False
        return [bug.status for bug in found] == [status]

    wait_until(stands)
    return found[0]


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + STEP_S_MAX
    while not holds():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.2)
