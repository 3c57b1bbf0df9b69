"""Bookkeeping of one partition: what is open, what is done, and what to commit."""

from __future__ import annotations

from streams.done_set import WINDOW_OFFSETS
from streams.log import Position, Record, TopicPartition
from streams.open_work import Item, OpenWork, by_key

PLACE = TopicPartition("t", 0)


def _item(offset: int, key: bytes | None = None, topic: str = "t") -> Item:
    return Item(Record(topic, 0, offset, key, b"", 0, tuple), None)


def _work(*offsets: int, at: Position | None = None) -> OpenWork:
    work = OpenWork.at(PLACE, at or Position(0))
    for offset in offsets:
        work.accept(_item(offset))
    return work


def _finish(work: OpenWork, *offsets: int) -> Position:
    for offset in offsets:
        work.items[offset].outcome = "ok"
    position = work.position()
    work.settle(work.finished())
    return position


def test_the_base_is_the_lowest_open_offset() -> None:
    work = _work(0, 1, 2)

    position = _finish(work, 2)
    assert position.offset == 0
    assert OpenWork.at(PLACE, position).done == {2}
    assert _finish(work, 0).offset == 1
    assert _finish(work, 1) == Position(3)


def test_a_successor_passes_over_what_is_done() -> None:
    successor = _work(0, 1, 2, at=_finish(_work(0, 1, 2), 1))

    assert list(successor.items) == [0, 2]
    assert _finish(successor, 0, 2) == Position(3)


def test_what_a_predecessor_did_is_not_forgotten_before_it_was_read_again() -> None:
    successor = _work(0, at=_finish(_work(0, 1, 2, 3), 1, 2))

    position = _finish(successor, 0)
    assert position.offset == 3
    successor.accept(_item(1))
    successor.accept(_item(2))
    assert successor.items == {}


def test_gaps_in_the_offsets_are_never_open() -> None:
    work = _work(0)
    _finish(work, 0)

    far = 10 * WINDOW_OFFSETS
    work.accept(_item(far))
    assert work.is_within_window(work.items[far])
    assert _finish(work, far) == Position(far + 1)


def test_nothing_is_finished_beyond_the_window() -> None:
    work = _work(0, WINDOW_OFFSETS, WINDOW_OFFSETS + 1)

    assert work.is_within_window(work.items[WINDOW_OFFSETS])
    assert not work.is_within_window(work.items[WINDOW_OFFSETS + 1])
    assert _finish(work, WINDOW_OFFSETS).metadata


def test_a_record_read_twice_is_taken_once() -> None:
    work = _work(0, 1)
    first = work.items[1]
    work.accept(_item(1))

    assert work.items[1] is first


def test_the_first_of_a_key_blocks_the_others_in_all_partitions() -> None:
    one, two = _work(), OpenWork.at(TopicPartition("t.retry", 0), Position(0))
    for offset, key in enumerate((b"a", b"b", b"a", None, None)):
        one.accept(_item(offset, key))
    two.accept(_item(0, b"a", "t.retry"))

    assert [item.record.offset for _, item in by_key([one, two])] == [0, 1, 3, 4]
    one.items[0].outcome = "ok"
    assert [item.record.offset for _, item in by_key([one, two])] == [1, 2, 3, 4]
