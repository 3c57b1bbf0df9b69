"""The consumer of the in-memory log: the group protocol moves on with every poll."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from schemas.errors import FatalError
from streams.log import (
    FencedError,
    Membership,
    Position,
    Rebalance,
    Record,
    RetriableError,
    TopicPartition,
)
from streams.memory_group import Member

if TYPE_CHECKING:
    from streams.memory_log import MemoryLog


class MemoryConsumer:
    """A `Consumer` on the in-memory log."""

    def __init__(self, log: MemoryLog, group: str, instance: str | None) -> None:
        self.group = group
        self.member: Member | None = None
        """None until it subscribes."""
        self._log = log
        self._instance = instance
        self._next: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def subscribe(self, topics: Sequence[str], rebalance: Rebalance) -> None:
        """Join the group."""
        missing = set(topics) - self._log.partition_counts().keys()
        if missing:
            raise FatalError(f"there is no topic {', '.join(sorted(missing))}")
        with self._log.changed:
            group = self._log.group(self.group)
            self.member = group.join(tuple(topics), rebalance, self._instance)
            self._log.changed.notify_all()

    def assign(self, start: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets."""
        self._next = dict(start)
        self._paused.clear()

    def poll(self, timeout_s: float, records_max: int = 500) -> list[Record]:
        """Return what has come."""
        deadline = time.monotonic() + timeout_s
        with self._log.faulty("poll"):
            while True:
                self._follow_group()
                with self._log.changed:
                    records = self._take(records_max)
                    left_s = deadline - time.monotonic()
                    if records or left_s <= 0:
                        return records
                    self._log.changed.wait(left_s)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver nothing of `partitions`."""
        self._paused.update(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver `partitions` again."""
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` next."""
        if partition not in self._next:
            raise FatalError(f"seek failed: {partition} is not assigned")
        self._next[partition] = offset

    def committed(
        self, partitions: Collection[TopicPartition], *, timeout_s: float = 5.0
    ) -> dict[TopicPartition, Position]:
        """Return the group's positions."""
        deadline = time.monotonic() + timeout_s
        with self._log.changed:
            while any(self._log.is_unstable(self.group, one) for one in partitions):
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise RetriableError("an open transaction may still move the offsets")
                self._log.changed.wait(left_s)
            return self._log.committed(self.group, partitions)

    def membership(self) -> Membership:
        """Return who this consumer is to its group now."""
        member = self.member
        if member is None:
            return Membership(self.group, "", -1)
        return Membership(self.group, member.id, member.generation)

    def close(self) -> None:
        """Stop reading."""
        member, self._next = self.member, {}
        if member is None:
            return
        if member.owned and not member.fenced:
            member.rebalance.on_revoke(member.owned)
        with self._log.changed:
            # A static member keeps its place for the process that comes after it.
            if member.instance is None:
                self._log.group(self.group).leave(member)
            self._log.changed.notify_all()
        self.member = None

    def _follow_group(self) -> None:
        """Do what the group asks for. Callbacks run without the lock: they may wait."""
        member = self.member
        if member is None:
            return
        group = self._log.group(self.group)
        if member.fenced:
            raise FencedError(f"{member.instance} of {self.group} was taken over")
        if member.id not in group.members:
            self._next = {}
            if member.owned:
                member.rebalance.on_lost(member.owned)
            self.subscribe(member.topics, member.rebalance)
            member = self.member or member
        if group.rebalancing and not member.ready:
            owned, member.owned, self._next = member.owned, (), {}
            if owned:
                member.rebalance.on_revoke(owned)
            member.ready = True
        with self._log.changed:
            group.finish_rebalance(self._log.partition_counts())
            given, member.given = member.given, None
            self._log.changed.notify_all()
        if given is not None:
            member.owned = given
            self.assign(member.rebalance.on_assign(given))

    def _take(self, records_max: int) -> list[Record]:
        found: list[Record] = []
        for place in list(self._next):
            if place in self._paused:
                continue
            records = self._log.visible(place, self._next[place])[: records_max - len(found)]
            if records:
                found += records
                # The partition that was served goes last: none starves.
                del self._next[place]
                self._next[place] = records[-1].offset + 1
            if len(found) >= records_max:
                break
        return found
