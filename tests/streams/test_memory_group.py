"""Groups of the in-memory log: who gets what, and whose commit counts."""

from __future__ import annotations

import pytest

from streams.log import Membership, MustAbortError, TopicPartition
from streams.memory_group import Group, Member
from streams.memory_log import MemoryLog
from tests.streams.logs import Recorder

COUNTS = {"a": 5, "b": 5}


def _group(*instances: str | None) -> tuple[Group, list[Member]]:
    group = Group("g")
    told = Recorder(MemoryLog().consumer("g"))
    members = [group.join(("a", "b"), told, one) for one in instances]
    for member in members:
        member.ready = True
    group.finish_rebalance(COUNTS)
    return group, members


def test_every_partition_has_one_owner_and_topics_are_shared_alike() -> None:
    _, members = _group("x", "y", "z")

    given = [set(member.given or ()) for member in members]
    assert set.union(*given) == {TopicPartition(t, n) for t in "ab" for n in range(5)}
    assert sum(len(one) for one in given) == 10
    for one in given:
        numbers = {t: {p.partition for p in one if p.topic == t} for t in "ab"}
        assert numbers["a"] == numbers["b"]


def test_nothing_is_shared_out_before_all_have_let_go() -> None:
    group, (first, second) = _group("x", "y")
    group.join(("a",), first.rebalance, None)
    first.ready = True
    group.finish_rebalance(COUNTS)

    assert group.rebalancing
    assert second.given is None


def test_a_static_member_comes_back_to_its_own_without_a_rebalance() -> None:
    group, (first, second) = _group("x", "y")
    again = group.join(("a", "b"), first.rebalance, "x")

    assert (first.fenced, group.rebalancing) == (True, False)
    assert again.given == first.given
    assert again.id != first.id
    assert second.given


def test_only_members_of_this_generation_may_commit() -> None:
    group, (first, second) = _group("x", "y")
    group.check(Membership("g", first.id, first.generation))
    group.check(Membership("g", "", -1))  # As on Kafka: without identity nothing is checked.

    with pytest.raises(MustAbortError) as stale:
        group.check(Membership("g", second.id, group.generation - 1))
    assert stale.value.rebalancing
    group.leave(first)
    with pytest.raises(MustAbortError) as gone:
        group.check(Membership("g", first.id, first.generation))
    assert not gone.value.rebalancing
