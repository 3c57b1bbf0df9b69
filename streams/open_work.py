"""What a long-task stage has read of one partition and not yet committed: pure bookkeeping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.event import Event
from streams.done_set import WINDOW_OFFSETS, decode, encode
from streams.failures import Retry
from streams.log import Outgoing, Position, Record, TopicPartition

Outcome = Literal["ok", "skipped", "dead_letter"]


@dataclass(slots=True, eq=False)
class Item:
    """One record on its way. Compared by identity: a record read again is another item."""

    record: Record
    event: Event | None
    """None: there is nothing to execute."""
    unreadable: Exception | None = None
    """Why there is no event, when there should be one."""
    retry: Retry | None = None
    running: bool = False
    outcome: Outcome | None = None
    """None until it is finished; then it waits for its commit."""
    results: Sequence[Outgoing] = ()

    @property
    def ready_s(self) -> float:
        """Return since when it may be tried: those that were put off line up behind the others.

        Else a thousand that are told to come back would come before what was never tried.
        """
        return 0.0 if self.retry is None else self.retry.not_before_s

    @property
    def key(self) -> bytes:
        """Return what its order is kept by; a record without a key has no order to keep."""
        return self.record.key or str(self.record).encode()


@dataclass(slots=True)
class OpenWork:
    """The open items of one partition, and what is done beyond the lowest of them."""

    place: TopicPartition
    next: int
    """The offset after the last record taken in."""
    done: set[int] = field(default_factory=set)
    """Finished and committed, but above an open one."""
    items: dict[int, Item] = field(default_factory=dict)
    """Not yet committed, by offset, in order."""

    @classmethod
    def at(cls, place: TopicPartition, position: Position) -> OpenWork:
        """Return the work as its last owner left it. Raises `FatalError`."""
        return cls(place, position.offset, decode(position.offset, position.metadata))

    def accept(self, item: Item) -> None:
        """Take `item` in, unless it is done or taken already."""
        offset = item.record.offset
        if offset < self.next:
            return
        self.next = offset + 1
        if offset not in self.done:
            self.items[offset] = item

    def is_within_window(self, item: Item) -> bool:
        """Return whether `item` may be finished now: beyond, its offset would not fit."""
        lowest = next(iter(self.items), item.record.offset)
        return item.record.offset <= lowest + WINDOW_OFFSETS

    def finished(self) -> list[Item]:
        """Return the items that wait for their commit."""
        return [item for item in self.items.values() if item.outcome is not None]

    def position(self) -> Position:
        """Return what to commit together with the results of all finished items.

        Offsets that hold no record (markers, aborted records) are never open: they are passed.
        """
        base = next((at for at, item in self.items.items() if item.outcome is None), self.next)
        done = self.done | {at for at, item in self.items.items() if item.outcome is not None}
        while base in done:  # Done by a predecessor, and not read again yet.
            base += 1
        return Position(base, encode(base, {offset for offset in done if offset > base}))

    def settle(self, finished: Sequence[Item]) -> None:
        """Forget `finished`: they are committed."""
        for item in finished:
            del self.items[item.record.offset]
            self.done.add(item.record.offset)
        base = next(iter(self.items), self.next)
        self.done = {offset for offset in self.done if offset >= base}


def by_key(works: Sequence[OpenWork]) -> Iterator[tuple[OpenWork, Item]]:
    """Yield the first unfinished item of every key, lowest offset first in each partition.

    A key is blocked by its first item, whatever that waits for: the order of a bug is kept.
    """
    seen: set[bytes] = set()
    for work in works:
        for item in work.items.values():
            if item.outcome is None and item.key not in seen:
                seen.add(item.key)
                yield work, item
