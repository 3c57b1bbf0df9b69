"""How far each stage is behind: how many records wait, and since when the oldest of them does."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from processors.base import Stage, Task
from processors.ports import Clock
from schemas import topics
from schemas.errors import BugstreamError
from schemas.topics import Topic
from streams import done_set, metrics
from streams.clock import SystemClock
from streams.log import Log, Position, TopicPartition, partitions_of

_LOG = logging.getLogger(__name__)
EVERY_S = 15.0
READ_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    """`records` may count transaction markers among those that wait; never when none waits."""

    records: int
    age_s: float
    """Since the oldest of them was appended; 0 when none waits."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found from `position` on, when the partition ended at `end`."""

    position: int
    end: int
    appended_ms: int | None
    """When the first record was appended; None: there is none, only transaction markers."""


class LagWatch:
    """Asks the log about the stages' groups; it is a member of none and moves nothing."""

    def __init__(
        self,
        stages: Sequence[Stage],
        log: Log,
        *,
        app: str = "bugstream",
        clock: Clock | None = None,
    ) -> None:
        self._stages = tuple(stages)
        self._log = log
        self._app = app
        self._clock = clock or SystemClock()
        self._topics_exist = False
        self._seen: dict[tuple[str, TopicPartition], _Seen] = {}

    def measure(self) -> dict[str, Lag]:
        """Return the lag of each stage by its name. Raises `TransientError` when Kafka is away.

        Makes the stages' topics where they are missing, as the stages themselves do.
        """
        if not self._topics_exist:
            self._log.ensure_topics(topic for stage in self._stages for topic in _inputs(stage))
            self._topics_exist = True
        return {stage.name: self._measure(stage) for stage in self._stages}

    def export(self) -> None:
        """Measure, and set the gauges. Those that cannot be measured become NaN, never 0."""
        try:
            found = self.measure()
        except BugstreamError as error:  # A log that cannot be asked now can be later.
            _LOG.warning("lag cannot be measured: %s", error)
            found = {}
        for stage in self._stages:
            lag = found.get(stage.name)
            metrics.LAG_RECORDS.labels(stage.name).set(lag.records if lag else math.nan)
            metrics.LAG_AGE_SECONDS.labels(stage.name).set(lag.age_s if lag else math.nan)

    def run(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Export every `every_s` seconds until `stop` is set."""
        while not stop.is_set():
            self.export()
            stop.wait(every_s)

    def _measure(self, stage: Stage) -> Lag:
        places = partitions_of(*_inputs(stage))
        ends = self._log.end_offsets(places)
        positions = self._log.committed(f"{self._app}-{stage.name}", places)
        unread = [place for place in places if place not in positions]
        begins = self._log.begin_offsets(unread)
        records = 0
        oldest_ms: int | None = None
        for place in places:
            position = positions.get(place) or Position(begins[place])
            appended_ms = self._first_after(stage.name, place, position.offset, ends[place])
            if appended_ms is None:
                continue
            records += ends[place] - position.offset
            if isinstance(stage, Task):  # It finishes out of order.
                records -= len(done_set.decode(position.offset, position.metadata))
            oldest_ms = appended_ms if oldest_ms is None else min(oldest_ms, appended_ms)
        if oldest_ms is None:
            return Lag(0, 0.0)
        return Lag(records, max(0.0, self._clock.now().timestamp() - oldest_ms / 1000))

    def _first_after(
        self, stage: str, place: TopicPartition, position: int, end: int
    ) -> int | None:
        """Return when the first record from `position` on was appended; None when there is none.

        A committed offset short of the end proves nothing: markers of transactions lie between. So
        it is read, and what was found is kept, since an idle partition stays as it is.
        """
        if position >= end:
            return None
        seen = self._seen.get((stage, place))
        if (
            seen is None
            or seen.position != position
            or (seen.appended_ms is None and seen.end < end)
        ):
            records = self._log.read({place: position}, timeout_s=READ_S_MAX)
            first = next(iter(records), None)
            seen = _Seen(position, end, first.timestamp_ms if first else None)
            self._seen[stage, place] = seen
        return seen.appended_ms


def _inputs(stage: Stage) -> tuple[Topic, ...]:
    return (*stage.sources, topics.retries(stage.name))
