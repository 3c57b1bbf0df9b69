"""Threads that execute and hand back."""

from __future__ import annotations

import threading
import time

from streams.worker_threads import WorkerThreads


def test_results_and_errors_come_back_with_their_job() -> None:
    threads: WorkerThreads[int, float] = WorkerThreads("t", 2, lambda n: 1 / n)
    threads.submit(0)
    threads.submit(2)
    assert threads.free == 0

    found: dict[int, float | BaseException] = {}
    while threads.busy:
        found |= dict(threads.collect(1.0))
    assert found[2] == 0.5
    assert isinstance(found[0], ZeroDivisionError)
    assert threads.free == 2
    threads.stop()


def test_collecting_waits_only_while_something_runs() -> None:
    release = threading.Event()
    threads: WorkerThreads[int, bool] = WorkerThreads("t", 1, lambda _: release.wait(5))

    started = time.monotonic()
    assert threads.collect(5.0) == []
    assert time.monotonic() - started < 1
    threads.submit(1)
    assert threads.collect(0.05) == []
    release.set()
    assert threads.collect(5.0) == [(1, True)]
    threads.stop()
