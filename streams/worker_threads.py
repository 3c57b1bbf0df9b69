"""Threads that execute long tasks and hand back what came of them; they know nothing of Kafka."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerThreads(Generic[Job, Result]):
    """`threads` daemon threads: a task that never ends cannot keep the process from ending."""

    def __init__(self, name: str, threads: int, execute: Callable[[Job], Result]) -> None:
        self._execute = execute
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Job, Result | BaseException]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()
        self.busy = 0
        """Jobs submitted and not yet collected."""

    @property
    def free(self) -> int:
        """Return how many threads have nothing to do."""
        return len(self._threads) - self.busy

    def submit(self, job: Job) -> None:
        """Execute `job` in a thread."""
        self.busy += 1
        self._jobs.put(job)

    def collect(self, timeout_s: float) -> list[tuple[Job, Result | BaseException]]:
        """Return what has ended, waiting at most `timeout_s` for the first."""
        found: list[tuple[Job, Result | BaseException]] = []
        try:
            if self.busy:
                found.append(
                    self._results.get(timeout=timeout_s)
                    if timeout_s > 0
                    else self._results.get_nowait()
                )
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            self.busy -= len(found)
            return found

    def stop(self) -> None:
        """Let each thread end after what it does now. Does not wait."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._results.put((job, self._execute(job)))
            except BaseException as error:  # noqa: BLE001  # judged by the owner's thread
                self._results.put((job, error))
