"""The three kinds of stage, as data: listed, drawn and tested unstarted; the runner runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.event import Event
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Processor:
    """A stage without state: each event by itself. `handle` is quick (milliseconds).

    `handle` raises `PoisonError` (dead letter), `TransientError` (again) or `FatalError` (stop).
    """

    name: str
    sources: tuple[Topic, ...]
    handle: Callable[[Event], Iterable[Event]]
    stops_on_unknown: bool = False
    """Whether an unknown event type stops the stage, instead of being skipped."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One record for the stage's compacted topic. `value` None deletes the key."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one event led to: facts for the log, and the changes of the stage's own state."""

    events: tuple[Event, ...] = ()
    changes: tuple[StateChange, ...] = ()
    is_early: bool = False
    """Perhaps another topic of the stage already holds what is missing: the runner asks again for
    a while before it takes this decision."""


class PartitionState(Protocol):
    """The state of one partition. The runner loads it, asks it, and tells it what was committed.

    Within a transaction `decide` sees what earlier calls decided (an overlay); `commit` folds the
    overlay in, `rollback` drops it. The same events in the same order give the same decisions,
    however they are cut into transactions.
    """

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the state topic, in order, before any `decide`."""

    def decide(self, event: Event) -> Decision:
        """Decide on `event`. Raises like `Processor.handle`; then the overlay is unchanged."""

    def commit(self) -> None:
        """Keep everything decided since the last commit."""

    def rollback(self) -> None:
        """Forget everything decided since the last commit."""


@dataclass(frozen=True, slots=True)
class StatefulProcessor:
    """A stage whose decisions depend on what it saw before. All sources share partition counts."""

    name: str
    sources: tuple[Topic, ...]
    state: Topic
    open: Callable[[int], PartitionState]
    """Makes the empty state of a partition; its number is only for messages."""
    stops_on_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A slow stage: seconds or minutes for an event, several at once, in order per bug.

    `handle` runs in a pool thread and may be executed again after a crash: what touches the world
    goes through the ledger. Events whose class is not in `accepts` are passed over.
    """

    name: str
    sources: tuple[Topic, ...]
    accepts: tuple[type[Event], ...]
    handle: Callable[[Event], Iterable[Event]]
    concurrency: int = field(default=1)


Stage = Processor | StatefulProcessor | Task
