"""Dead letters, looked at and decided on. A decision is a record beside the letter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from processors.ports import Clock
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError, PoisonError, UnknownEventError, UserError
from schemas.event import Event
from streams import failures
from streams.clock import SystemClock
from streams.log import (
    FencedError,
    Log,
    MustAbortError,
    Outgoing,
    Record,
    ask_until,
    partitions_of,
)

MARK_OFFSET = "mark-offset"
MARK_VERB = "mark-verb"
MARK_BY = "mark-by"
MARK_AT = "mark-at"
MARK_REASON = "mark-reason"
LETTERS_MAX = 500
"""Decided on in one transaction."""
REACH_S_MAX = 15.0

Verb = Literal["requeued", "discarded"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What was decided about a letter, by whom and when."""

    verb: str
    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that a stage gave up, and what was decided about it."""

    stage: str
    record: Record
    mark: Mark | None

    @property
    def id(self) -> str:
        """Return `stage/partition/offset`, by which commands name it."""
        return f"{self.stage}/{self.record.partition}/{self.record.offset}"

    @property
    def origin(self) -> str:
        """Return `topic/partition/offset` of the record that failed."""
        return "/".join(
            self.header(name) for name in (failures.TOPIC, failures.PARTITION, failures.OFFSET)
        )

    @property
    def event(self) -> Event | None:
        """Return the event in it; None when it cannot be read."""
        try:
            return decode(self.record.value)
        except (PoisonError, UnknownEventError):
            return None

    @property
    def bug_id(self) -> UUID | None:
        """Return the bug it is about, if that is known."""
        event = self.event
        return event.bug_id if event else None

    def header(self, name: str) -> str:
        """Return one header as text; empty when it has none."""
        return (dict(self.record.headers).get(name) or b"").decode(errors="replace")


class DeadLetters:
    """The dead letters of all stages.

    Deciding takes one identity for the whole deployment: it fences whoever decides at the same
    time, and only then looks what was decided before. So nothing is requeued twice.
    """

    def __init__(self, log: Log, *, app: str = "bugstream", clock: Clock | None = None) -> None:
        self._log = log
        self._identity = f"{app}-dead-letters"
        self._clock = clock or SystemClock()

    def list(
        self, stages: Collection[str] = topics.STAGES, *, decided: bool = False
    ) -> list[DeadLetter]:
        """Return the letters of `stages`, oldest first; with `decided` those that are closed too.

        Raises `RetriableError` when Kafka cannot be reached.
        """
        sources = {topics.dead_letters(stage).name: stage for stage in stages}
        wanted = [topics.dead_letters(stage) for stage in stages]
        self._log.ensure_topics(wanted)
        letters: list[Record] = []
        marks: dict[tuple[str, int, int], Mark] = {}
        for record in self._log.read(dict.fromkeys(partitions_of(*wanted), 0)):
            marked = dict(record.headers).get(MARK_OFFSET)
            if marked is None:
                letters.append(record)
            else:
                marks[record.topic, record.partition, int(marked)] = _mark(record)
        found = [
            DeadLetter(sources[r.topic], r, marks.get((r.topic, r.partition, r.offset)))
            for r in letters
        ]
        found.sort(key=lambda one: (one.record.timestamp_ms, one.id))
        return [one for one in found if decided or one.mark is None]

    def get(self, letter_id: str) -> DeadLetter:
        """Return one letter, open or closed. Raises `UserError` when there is none."""
        return self._pick([letter_id])[0]

    def requeue(self, letter_ids: Sequence[str], *, by: str) -> Sequence[DeadLetter]:
        """Give letters to their stages once more. Returns them. All of them, or none.

        Raises `UserError` for an unknown id, and for a letter that was decided on already.
        """
        return self._decide(letter_ids, "requeued", by=by, reason="")

    def discard(self, letter_ids: Sequence[str], *, by: str, reason: str) -> Sequence[DeadLetter]:
        """Close letters for good. Like `requeue`; `reason` must say why."""
        if not reason.strip():
            raise UserError("--reason: say why these letters are not worth another try")
        return self._decide(letter_ids, "discarded", by=by, reason=reason)

    def _decide(
        self, letter_ids: Sequence[str], verb: Verb, *, by: str, reason: str
    ) -> Sequence[DeadLetter]:
        wanted = list(dict.fromkeys(letter_ids))
        if len(wanted) > LETTERS_MAX:
            raise UserError(f"at most {LETTERS_MAX} letters at once; these are {len(wanted)}")
        producer = self._log.producer(self._identity)
        try:
            ask_until(producer.init, REACH_S_MAX)
            chosen = self._pick(wanted)
            for letter in chosen:
                if letter.mark is not None:
                    raise UserError(
                        f"{letter.id} was {letter.mark.verb} by {letter.mark.by} at"
                        f" {letter.mark.at}; `bugstream dead-letters list` shows what is open"
                    )
            self._log.ensure_topics([topics.retries(letter.stage) for letter in chosen])
            producer.begin()
            for letter in chosen:
                if verb == "requeued":
                    producer.produce(_again(letter))
                producer.produce(self._marking(letter, verb, by=by, reason=reason))
            producer.commit()
        except FencedError as error:
            raise UserError("somebody else decides on dead letters now; try again") from error
        except MustAbortError as error:
            raise FatalError(f"nothing was decided: {error}") from error
        finally:
            producer.close()
        return chosen

    def _pick(self, letter_ids: Sequence[str]) -> Sequence[DeadLetter]:
        stages = {_stage_of(one) for one in letter_ids}
        known = {letter.id: letter for letter in self.list(stages, decided=True)}
        missing = [one for one in letter_ids if one not in known]
        if missing:
            raise UserError(
                f"there is no dead letter {missing[0]!r}; `bugstream dead-letters list` shows them"
            )
        return [known[one] for one in letter_ids]

    def _marking(self, letter: DeadLetter, verb: Verb, *, by: str, reason: str) -> Outgoing:
        now: datetime = self._clock.now()
        marks = {
            MARK_OFFSET: str(letter.record.offset),
            MARK_VERB: verb,
            MARK_BY: by,
            MARK_AT: now.isoformat(timespec="seconds"),
            MARK_REASON: reason,
        }
        return Outgoing(
            letter.record.topic,
            letter.record.partition,
            letter.record.key,
            b"{}",
            tuple((name, value.encode()) for name, value in marks.items()),
        )


def _again(letter: DeadLetter) -> Outgoing:
    """Return the letter as its stage gets it: its own bytes, and where it came from."""
    record = letter.record
    requeues = int(letter.header(failures.REQUEUES) or "0") + 1
    kept = (failures.TOPIC, failures.PARTITION, failures.OFFSET, failures.FIRST_SEEN)
    carried = [(name, letter.header(name).encode()) for name in kept]
    return Outgoing(
        topics.retries(letter.stage).name,
        record.partition,  # Where the stage has the state that belongs to it.
        record.key,
        record.value,
        (
            *failures.own_headers(record.headers),
            *carried,
            (failures.REQUEUES, str(requeues).encode()),
        ),
    )


def _mark(record: Record) -> Mark:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    return Mark(
        headers.get(MARK_VERB, ""),
        headers.get(MARK_BY, ""),
        headers.get(MARK_AT, ""),
        headers.get(MARK_REASON, ""),
    )


def _stage_of(letter_id: str) -> str:
    stage = letter_id.partition("/")[0]
    if stage not in topics.STAGES:
        raise UserError(
            f"{letter_id!r} is not the id of a dead letter: STAGE/PARTITION/OFFSET, with a stage of"
            f" {', '.join(topics.STAGES)}"
        )
    return stage
