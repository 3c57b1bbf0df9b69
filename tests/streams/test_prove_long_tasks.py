"""The proof itself, small: nothing lost, nothing doubled, and its control bites."""

from __future__ import annotations

import signal

import pytest

from streams import prove_long_tasks
from streams.prove_long_tasks import THREADS, Results, Run, prove
from streams.prove_workers import Ended


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_small_run_loses_and_doubles_nothing_and_its_control_does() -> None:
    figures = prove(tasks=120, kills=4, progress=lambda *_: None)

    run = dict(zip(figures.columns, figures.rows[0], strict=True))
    assert (run["results"], run["lost"], run["doubled"]) == (120, 0, 0)
    assert (run["disordered per bug"], run["again: was done"]) == (0, 0)
    assert int(str(run["finished out of order"])) > 0
    # What moved did so because of a rebalance: on a slow machine a session may end.
    assert int(str(run["again: killed"])) <= 4 * THREADS
    assert figures.control_holds


def test_the_reason_of_every_repetition_is_told_apart() -> None:
    run, results = Run("x", tasks=3), Results()
    results.at_ms |= {0: [10_000], 1: [30_000], 2: [30_000]}
    executions = {
        0: [(8.0, 1), (20.0, 2)],
        1: [(8.0, 1), (20.0, 2)],
        2: [(8.0, 3), (20.0, 2)],
    }

    prove_long_tasks._check_executions(
        run, results, executions, [Ended(1, 15.0, signal.SIGKILL.name)]
    )
    assert (run.again_done, run.again_killed, run.again_moved) == (1, 1, 1)
    assert not run.is_exact


def test_doubles_losses_and_disorder_are_counted() -> None:
    run, results = Run("x", tasks=5), Results()
    results.at_ms |= {0: [1, 2], 1: [1], 2: [1], 3: [1]}
    results.order |= {0: [1, 0, 0], 1: [2, 3]}

    prove_long_tasks._check_results(run, results)
    assert (run.results, run.lost, run.doubled, run.disordered) == (5, 1, 1, 2)
    assert not run.is_exact
