"""State that is loaded, decided on, committed and rolled back with its positions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas import topics
from schemas.errors import FatalError, PoisonError
from schemas.topics import Topic
from streams.log import Outgoing, Position, TopicPartition
from streams.memory_log import MemoryLog
from streams.stage_state import SpoiledError, StageState
from tests.streams.logs import write
from tests.streams.stages import STAGE, TOO_LARGE, counting, request, stage

SOURCES = (topics.BUGS_COMMANDS, topics.retries(STAGE))
COMMANDS, RETRY = (TopicPartition(topic.name, 3) for topic in SOURCES)
START = {COMMANDS: Position(0), RETRY: Position(0)}


@pytest.fixture
def memory() -> MemoryLog:
    made = MemoryLog()
    made.ensure_topics(topics.ALL)
    return made


def _state(memory: MemoryLog) -> StageState:
    made = StageState(counting(), SOURCES, memory)
    made.load(START)
    return made


def test_all_sources_of_a_partition_are_committed_with_the_number_of_keys(
    memory: MemoryLog,
) -> None:
    state = _state(memory)
    state.decide(3, request(1, bug=1))
    state.decide(3, request(2, bug=1))
    state.decide(3, request(3, bug=2))

    at = state.positions({COMMANDS: 7}, {COMMANDS: 4, RETRY: 9})
    assert at == {COMMANDS: Position(7, "keys=2"), RETRY: Position(9, "keys=2")}
    state.rollback()
    assert state.positions({COMMANDS: 7}, {COMMANDS: 4})[COMMANDS].metadata == "keys=0"


def test_without_state_only_what_moved_is_committed(memory: MemoryLog) -> None:
    state = StageState(stage(), SOURCES, memory)

    assert state.positions({COMMANDS: 7}, {COMMANDS: 4, RETRY: 9}) == {COMMANDS: Position(7)}


def test_a_deleted_key_no_longer_counts(memory: MemoryLog) -> None:
    name = topics.BUGS_STATE.name
    write(memory, Outgoing(name, 3, b"a", b"1"), Outgoing(name, 3, b"b", b"1"))
    write(memory, Outgoing(name, 3, b"a", None))
    made = StageState(counting(), SOURCES, memory)

    made.load({COMMANDS: Position(5, "keys=1"), RETRY: Position(0, "keys=1")})


def test_a_source_that_is_new_needs_no_note(memory: MemoryLog) -> None:
    write(memory, Outgoing(topics.BUGS_STATE.name, 3, b"a", b"1"))
    made = StageState(counting(), SOURCES, memory)

    made.load({COMMANDS: Position(5, "keys=1"), RETRY: Position(0)})


def test_sources_that_disagree_end_the_process(memory: MemoryLog) -> None:
    made = StageState(counting(), SOURCES, memory)

    with pytest.raises(FatalError, match="keys=0, keys=1"):
        made.load({COMMANDS: Position(5, "keys=1"), RETRY: Position(0, "keys=0")})


def test_a_partition_without_all_its_sources_ends_the_process(memory: MemoryLog) -> None:
    made = StageState(counting(), SOURCES, memory)

    with pytest.raises(FatalError, match=r"without locate.retry/3"):
        made.load({COMMANDS: Position(0)})


def test_topics_that_cannot_be_shared_alike_are_refused(memory: MemoryLog) -> None:
    few = Topic("few", 1, partitions=3)

    with pytest.raises(FatalError, match="differ in their partition counts"):
        StageState(replace(counting(), sources=(few,)), (few, SOURCES[1]), memory)


def test_a_decision_that_cannot_be_written_has_spoiled_the_state(memory: MemoryLog) -> None:
    state = _state(memory)

    with pytest.raises(SpoiledError):
        state.decide(3, request(TOO_LARGE))


def test_an_error_nobody_raised_on_purpose_is_poison(memory: MemoryLog) -> None:
    def stumble(_: object) -> list[object]:
        raise KeyError("x")

    state = StageState(stage(stumble), SOURCES, memory)  # type: ignore[arg-type]
    with pytest.raises(PoisonError, match="unexpected KeyError"):
        state.decide(3, request(1))
