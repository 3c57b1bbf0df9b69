"""Consumer groups of the in-memory log: the eager `range` protocol, one step with every poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.log import Membership, MustAbortError, Position, Rebalance, TopicPartition


@dataclass(slots=True, eq=False)
class Member:
    """One consumer as the group sees it."""

    id: str
    instance: str | None
    topics: tuple[str, ...]
    rebalance: Rebalance
    generation: int = -1
    owned: tuple[TopicPartition, ...] = ()
    given: tuple[TopicPartition, ...] | None = None
    """Assigned by the group, and not yet told to the consumer."""
    ready: bool = False
    """Whether it has let go of everything and waits for the next generation."""
    fenced: bool = False


@dataclass(slots=True)
class Group:
    """Members, generation and positions of one group."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    generation: int = 0
    rebalancing: bool = False
    positions: dict[TopicPartition, Position] = field(default_factory=dict)
    joins: int = 0

    def join(self, topics: tuple[str, ...], rebalance: Rebalance, instance: str | None) -> Member:
        """Return a new member. One with a known `instance` takes the place of the old at once."""
        self.joins += 1
        member = Member(f"{instance or 'member'}-{self.joins}", instance, topics, rebalance)
        old = next((m for m in self.members.values() if instance and m.instance == instance), None)
        self.members[member.id] = member
        if old is None:
            self.start_rebalance()
            return member
        del self.members[old.id]
        old.fenced = True
        if not self.rebalancing:
            member.generation = self.generation
            member.given = old.owned if old.given is None else old.given
        return member

    def leave(self, member: Member) -> None:
        """Remove `member`: what it owns goes to the others."""
        if self.members.pop(member.id, None) is not None:
            self.start_rebalance()

    def start_rebalance(self) -> None:
        """Ask all members to let go."""
        self.rebalancing = True
        for member in self.members.values():
            member.ready = False
            member.given = None

    def finish_rebalance(self, partition_counts: Mapping[str, int]) -> None:
        """Share the partitions out once every member has let go."""
        if not self.rebalancing or not all(m.ready for m in self.members.values()):
            return
        self.rebalancing = False
        self.generation += 1
        shares: dict[str, list[TopicPartition]] = {id_: [] for id_ in self.members}
        for topic in sorted({t for m in self.members.values() for t in m.topics}):
            readers = sorted(
                (m for m in self.members.values() if topic in m.topics),
                key=lambda m: m.instance or m.id,
            )
            for number in range(partition_counts[topic]):
                reader = readers[number * len(readers) // partition_counts[topic]]
                shares[reader.id].append(TopicPartition(topic, number))
        for id_, member in self.members.items():
            member.generation = self.generation
            member.given = tuple(shares[id_])

    def check(self, membership: Membership) -> None:
        """Raise `MustAbortError` for a stale owner, as Kafka does."""
        if not membership.member_id:
            return  # Kafka, too, checks nothing without an identity.
        member = self.members.get(membership.member_id)
        if member is None:
            raise MustAbortError(
                f"{membership.member_id} is no member of {self.name}", rebalancing=False
            )
        if membership.generation != self.generation:
            raise MustAbortError(
                f"generation {membership.generation} of {self.name} is over", rebalancing=True
            )
