"""The state of a stage: one part per partition, loaded from its compacted topic, kept in step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from processors.base import PartitionState, Processor, StateChange, StatefulProcessor
from schemas.errors import BugstreamError, FatalError, PoisonError, TransientError
from schemas.event import Event
from schemas.topics import Topic
from streams.failures import unexpected
from streams.log import Log, Outgoing, Position, TopicPartition, outgoing

_LOG = logging.getLogger(__name__)
_KEYS = "keys="
LOAD_S_MAX = 120.0
"""How long loading may go without a single record."""


class SpoiledError(Exception):
    """The event is bad, and deciding on it has already changed the state: roll back."""

    def __init__(self, poison: PoisonError) -> None:
        super().__init__(str(poison))
        self.poison = poison


@dataclass(slots=True)
class _Part:
    """The state of one partition, and which keys its topic holds."""

    state: PartitionState
    keys: set[str] = field(default_factory=set)
    changed: dict[str, bool] = field(default_factory=dict)
    """Key -> whether it still is in the topic, since the last commit."""

    def count(self) -> int:
        """Return how many keys the topic will hold once all of this is committed."""
        return len(self.keys) + sum(
            there - (key in self.keys) for key, there in self.changed.items()
        )

    def fold(self, changed: Mapping[str, bool]) -> None:
        """Remember which keys came and went."""
        for key, there in changed.items():
            (self.keys.add if there else self.keys.discard)(key)


class StageState:
    """Decides on events. For a `Processor` there is nothing to keep, and it only calls `handle`."""

    def __init__(
        self, stage: Processor | StatefulProcessor, sources: Sequence[Topic], log: Log
    ) -> None:
        self._stage = stage
        self._sources = sources
        self._log = log
        self._parts: dict[int, _Part] = {}
        if isinstance(stage, StatefulProcessor):
            counts = {topic.partitions for topic in (*sources, stage.state)}
            if len(counts) > 1:
                raise FatalError(f"the topics of {stage.name} differ in their partition counts")

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return the state's own topic, if there is one."""
        return (self._stage.state,) if isinstance(self._stage, StatefulProcessor) else ()

    def load(self, start: Mapping[TopicPartition, Position]) -> None:
        """Build the state of every partition in `start`.

        Raises `FatalError` when it is not what the positions say it was: a decision on half a
        state would be wrong for ever.
        """
        self._parts = {}
        if not isinstance(self._stage, StatefulProcessor) or not start:
            return
        numbers = sorted({place.partition for place in start})
        missing = {TopicPartition(s.name, n) for s in self._sources for n in numbers} - set(start)
        if missing:
            raise FatalError(f"{self._stage.name} was given partitions without {min(missing)}")
        self._parts = {number: _Part(self._stage.open(number)) for number in numbers}
        held = {TopicPartition(self._stage.state.name, number): 0 for number in numbers}
        count = 0
        for record in self._log.read(held, timeout_s=LOAD_S_MAX):
            part, key = self._parts[record.partition], (record.key or b"").decode()
            part.state.load(key, record.value)
            part.fold({key: record.value is not None})
            count += 1
        for number, part in self._parts.items():
            self._check(number, part, start)
        _LOG.info("%s loaded %d state records", self._stage.name, count)

    def decide(self, number: int, event: Event, *, is_patient: bool = False) -> list[Outgoing]:
        """Return what `event` leads to, state records included.

        Raises like `Processor.handle`, or `SpoiledError`; with `is_patient` a decision that is
        early is a `TransientError`.
        """
        if isinstance(self._stage, Processor):
            return _stateless(self._stage.handle, event)
        part = self._parts[number]
        try:
            decision = part.state.decide(event)
        except (PoisonError, TransientError, FatalError):
            raise  # By promise, the state is as it was.
        except Exception as error:
            raise SpoiledError(unexpected(error)) from error
        if decision.is_early and is_patient:
            raise TransientError(f"{event.type} came before what it is about was read")
        try:
            records = [outgoing(fact) for fact in decision.events]
        except PoisonError as error:
            raise SpoiledError(error) from error
        records += [_change(self._stage.state, number, change) for change in decision.changes]
        for change in decision.changes:
            part.changed[change.key] = change.value is not None
        return records

    def positions(
        self, moved: Mapping[TopicPartition, int], known: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, Position]:
        """Return what to commit when `moved`.

        With state, all sources of a partition are committed together, each with the number of
        state keys: whichever is asked later, the answer is the newest.
        """
        if isinstance(self._stage, Processor):
            return {place: Position(offset) for place, offset in moved.items()}
        notes = {
            number: f"{_KEYS}{self._parts[number].count()}"
            for number in {place.partition for place in moved}
        }
        return {
            place: Position(moved.get(place, offset), notes[place.partition])
            for place, offset in known.items()
            if place.partition in notes
        }

    def commit(self) -> None:
        """Keep everything decided since the last commit."""
        for part in self._parts.values():
            part.state.commit()
            part.fold(part.changed)
            part.changed = {}

    def rollback(self) -> None:
        """Forget everything decided since the last commit."""
        for part in self._parts.values():
            part.state.rollback()
            part.changed = {}

    def forget(self) -> None:
        """Drop all state: somebody else owns it now."""
        self._parts = {}

    def _check(self, number: int, part: _Part, start: Mapping[TopicPartition, Position]) -> None:
        notes = {
            position.metadata
            for place, position in start.items()
            if place.partition == number and position.metadata
        }
        found = f"{_KEYS}{part.count()}"
        if notes - {found} or (part.keys and not notes):
            said = ", ".join(sorted(notes)) or "nothing"
            raise FatalError(
                f"{self._stage.name}: the state of partition {number} holds {found}, but its"
                f" positions say {said}: it is incomplete, or the positions of the group are lost"
            )


def _stateless(handle: Callable[[Event], Iterable[Event]], event: Event) -> list[Outgoing]:
    try:
        return [outgoing(fact) for fact in handle(event)]
    except BugstreamError:
        raise
    except Exception as error:
        raise unexpected(error) from error


def _change(topic: Topic, number: int, change: StateChange) -> Outgoing:
    return Outgoing(topic.name, number, change.key.encode(), change.value)
