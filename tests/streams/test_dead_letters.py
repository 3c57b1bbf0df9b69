"""Dead letters: listed until somebody decides, requeued once, discarded with a reason."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from schemas import topics
from schemas.errors import FatalError, PoisonError, UserError
from schemas.event import Event
from streams.clock import VirtualClock
from streams.dead_letters import DeadLetter, DeadLetters
from streams.log import Log, RetriableError
from streams.memory_log import MemoryLog
from streams.runner import Runner
from tests.streams.logs import read_all, write
from tests.streams.stages import answered, attempts_of, bug, garbage, request, source_record, stage


def _refuse(_: Event) -> Iterable[Event]:
    raise PoisonError("not today")


@pytest.fixture
def memory() -> MemoryLog:
    made = MemoryLog(VirtualClock())
    made.ensure_topics(topics.ALL)
    write(made, garbage(), *(source_record(request(n), partition=0) for n in (1, 2)))
    _run(made, _refuse)
    return made


@pytest.fixture
def letters(memory: MemoryLog) -> DeadLetters:
    return DeadLetters(memory, clock=VirtualClock())


def _run(log: Log, handle: object = None) -> None:
    made = stage(handle) if handle else stage()  # type: ignore[arg-type]
    with Runner(made, log) as runner:
        runner.step()
        runner.step()


def _ids(found: list[DeadLetter]) -> list[str]:
    return [letter.id for letter in found]


def test_all_open_letters_are_listed_with_what_is_known(letters: DeadLetters) -> None:
    found = letters.list()

    assert _ids(found) == ["locate/0/0", "locate/0/1", "locate/0/2"]
    assert found[0].event is None
    assert found[1].origin == "bugs.commands.v1/0/1"
    assert found[1].bug_id == bug(1)
    assert letters.list(["fix"]) == []


def test_requeued_means_handled_once_more_and_no_longer_open(
    memory: MemoryLog, letters: DeadLetters
) -> None:
    letters.requeue(["locate/0/1"], by="os:ann")
    _run(memory)

    assert attempts_of(answered(memory)) == [1]
    assert _ids(letters.list()) == ["locate/0/0", "locate/0/2"]
    mark = letters.get("locate/0/1").mark
    assert mark is not None
    assert (mark.verb, mark.by, mark.at) == ("requeued", "os:ann", "2026-01-01T00:00:00+00:00")


def test_what_fails_again_is_a_new_letter_that_remembers(
    memory: MemoryLog, letters: DeadLetters
) -> None:
    letters.requeue(["locate/0/1"], by="os:ann")
    _run(memory, _refuse)

    again = letters.list()[-1]
    assert again.id not in {"locate/0/0", "locate/0/1", "locate/0/2"}
    assert again.origin == "bugs.commands.v1/0/1"
    assert again.header("dlq-requeues") == "1"
    assert again.record.value == letters.get("locate/0/1").record.value


def test_deciding_twice_is_refused_and_changes_nothing(
    memory: MemoryLog, letters: DeadLetters
) -> None:
    letters.requeue(["locate/0/1"], by="os:ann")

    with pytest.raises(UserError, match="was requeued by os:ann"):
        letters.requeue(["locate/0/0", "locate/0/1"], by="os:bob")
    with pytest.raises(UserError, match="was requeued"):
        letters.discard(["locate/0/1"], by="os:bob", reason="old")
    assert len(read_all(memory, topics.retries("locate"))) == 1
    assert _ids(letters.list()) == ["locate/0/0", "locate/0/2"]


def test_the_same_id_twice_is_one_letter(memory: MemoryLog, letters: DeadLetters) -> None:
    letters.requeue(["locate/0/1", "locate/0/1"], by="os:ann")

    assert len(read_all(memory, topics.retries("locate"))) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_in_the_middle_does_not_double(
    memory: MemoryLog, letters: DeadLetters, after: bool
) -> None:
    memory.fail("commit", FatalError("killed"), after=after)
    with pytest.raises(FatalError):
        letters.requeue(["locate/0/1"], by="os:ann")
    if after:
        with pytest.raises(UserError):
            letters.requeue(["locate/0/1"], by="os:ann")
    else:
        letters.requeue(["locate/0/1"], by="os:ann")

    assert len(read_all(memory, topics.retries("locate"))) == 1


def test_two_who_decide_at_once_do_not_double(memory: MemoryLog, letters: DeadLetters) -> None:
    class Slow(DeadLetters):
        def _pick(self, letter_ids: object) -> list[DeadLetter]:
            picked = super()._pick(letter_ids)  # type: ignore[arg-type]
            letters.requeue(["locate/0/1"], by="os:fast")
            return list(picked)

    with pytest.raises(UserError, match="somebody else"):
        Slow(memory).requeue(["locate/0/1"], by="os:slow")
    assert len(read_all(memory, topics.retries("locate"))) == 1


def test_discarding_needs_a_reason_and_keeps_it(letters: DeadLetters) -> None:
    with pytest.raises(UserError, match="--reason"):
        letters.discard(["locate/0/0"], by="os:ann", reason=" ")
    letters.discard(["locate/0/0"], by="os:ann", reason="a test of ours")

    assert _ids(letters.list()) == ["locate/0/1", "locate/0/2"]
    closed = letters.list(decided=True)[0]
    assert closed.mark is not None
    assert (closed.mark.verb, closed.mark.reason) == ("discarded", "a test of ours")


@pytest.mark.parametrize("letter_id", ["locate/0/99", "locate/99/0", "nowhere/0/0", "", "locate"])
def test_an_unknown_id_is_refused_with_a_way_out(letters: DeadLetters, letter_id: str) -> None:
    with pytest.raises(UserError, match=r"dead-letters list|STAGE/PARTITION/OFFSET"):
        letters.get(letter_id)


def test_an_unreachable_log_is_said_and_nothing_is_decided(
    memory: MemoryLog, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.dead_letters.REACH_S_MAX", 0.0)
    memory.fail("init", RetriableError("no broker"))

    with pytest.raises(RetriableError):
        letters.requeue(["locate/0/1"], by="os:ann")
    assert len(letters.list()) == 3
