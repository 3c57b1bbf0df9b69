"""A stage's seat: where it starts, and when it must not commit."""

from __future__ import annotations

import pytest

from schemas.errors import FatalError
from streams.log import Log, Position, RetriableError, TopicPartition
from streams.memory_log import MemoryLog
from streams.seat import Seat
from tests.streams.logs import Recorder, text, topic, write


def _seat(log: Log) -> Seat:
    return Seat(log, app="app", stage="s", slot=0)


def test_it_starts_at_the_position_or_at_the_oldest_record() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    write(log, text(t, "a"))
    first, second = TopicPartition("t", 0), TopicPartition("t", 1)
    log.group("app-s").positions[first] = Position(1, "note")
    seat = _seat(log)
    seat.open(["t"], Recorder(log.consumer("app-s")))

    assert seat.take_over([first, second]) == {first: Position(1, "note"), second: Position(0)}
    seat.close()


def test_records_deleted_before_they_were_read_are_not_passed_in_silence() -> None:
    class Shortened(MemoryLog):
        def begin_offsets(self, partitions: object) -> dict[TopicPartition, int]:
            return dict.fromkeys(super().begin_offsets(partitions), 10)  # type: ignore[arg-type]

    log = Shortened()
    topic(log, "t")
    place = TopicPartition("t", 0)
    log.group("app-s").positions[place] = Position(4)
    seat = _seat(log)
    seat.open(["t"], Recorder(log.consumer("app-s")))

    with pytest.raises(FatalError, match="deleted unread"):
        seat.take_over([place])
    seat.close()


def test_a_log_out_of_reach_is_waited_for_by_somebody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.seat.REACH_S_MAX", 0.0)
    log = MemoryLog()
    topic(log, "t")
    log.fail("init", RetriableError("no broker"))
    log.fail("init", RetriableError("no broker"))
    seat = _seat(log)

    with pytest.raises(RetriableError):
        seat.open(["t"], Recorder(log.consumer("app-s")))
    assert not seat.is_open


def test_a_closed_seat_says_so() -> None:
    seat = _seat(MemoryLog())

    with pytest.raises(FatalError, match="has not joined"):
        seat.poll(0, 1)
