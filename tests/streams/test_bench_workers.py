"""What the contenders do to a record is one function, and it does something."""

from __future__ import annotations

from schemas.bugs import CommandRefused
from schemas.codec import decode
from streams.bench_workers import SINK, SOURCE, commands, work
from streams.log import outgoing


def test_each_command_leads_to_one_refusal() -> None:
    (command,) = commands(1)
    record = outgoing(command)
    assert record.topic == SOURCE.name

    (result,) = work(record.value)

    refusal = decode(result.value)
    assert isinstance(refusal, CommandRefused)
    assert result.topic == SINK.name
    assert refusal.bug_id == command.bug_id
    assert refusal.causation_id == command.event_id


def test_the_same_record_leads_to_the_same_bytes() -> None:
    values = [outgoing(command).value for command in commands(20)]

    assert [work(value) for value in values] == [work(value) for value in values]
    assert len({work(value)[0].key for value in values}) == 20
