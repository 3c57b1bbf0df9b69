"""What becomes of a record that cannot be handled: a dead letter, and a fact in its bug's life."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas import topics
from schemas.bugs import StageFailed
from schemas.codec import Headers, decode
from schemas.errors import FatalError, LimitedError, PoisonError, UnknownEventError
from schemas.event import Actor, Event, derived_id
from streams.log import Outgoing, Record, outgoing

ERROR_TEXT_CHARS_MAX = 500
PREFIX = "dlq-"
TOPIC = "dlq-original-topic"
PARTITION = "dlq-original-partition"
OFFSET = "dlq-original-offset"
ERROR_CLASS = "dlq-error-class"
ERROR_TEXT = "dlq-error-text"
ATTEMPTS = "dlq-attempts"
FIRST_SEEN = "dlq-first-seen"
REQUEUES = "dlq-requeues"
"""How often it was given to its stage again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a transient failure is tried again in place, and how long between."""

    attempts_max: int = 6
    delay_first_s: float = 0.5
    delay_s_max: float = 30.0
    limited_s_max: float = 86_400.0
    """How long in all the other side may ask for patience (`LimitedError`): no attempt is counted
    meanwhile, since none was made."""

    def delay_s(self, attempt: int) -> float:
        """Return how long to wait after failure number `attempt`, from 1 on."""
        return min(self.delay_s_max, self.delay_first_s * 2.0 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Retry:
    """A record that failed for now."""

    attempts: int
    not_before_s: float
    """By the clock's `monotonic_s`."""
    first_seen: datetime


def unexpected(error: Exception) -> PoisonError:
    """Return what an error that nobody raised on purpose counts as.

    A fault of ours with one odd record must not hold up all others; the limit on dead letters stops
    a release that is broken altogether.
    """
    return PoisonError(f"unexpected {type(error).__name__}: {error}")


def first_seen_of(record: Record, now: datetime) -> datetime:
    """Return when the record first failed: on an earlier round, if it was requeued."""
    kept = dict(record.headers).get(FIRST_SEEN)
    return datetime.fromisoformat(kept.decode()) if kept else now


def dead_letter(
    stage: str, record: Record, error: Exception, *, attempts: int, first_seen: datetime
) -> Outgoing:
    """Return `record` for the stage's dead letters: its own key, bytes and headers, and why."""
    carried = dict(record.headers)
    why = {
        TOPIC: carried.get(TOPIC, record.topic.encode()),
        PARTITION: carried.get(PARTITION, str(record.partition).encode()),
        OFFSET: carried.get(OFFSET, str(record.offset).encode()),
        ERROR_CLASS: type(error).__name__.encode(),
        ERROR_TEXT: str(error)[:ERROR_TEXT_CHARS_MAX].encode(),
        ATTEMPTS: str(attempts).encode(),
        FIRST_SEEN: first_seen.isoformat().encode(),
        REQUEUES: carried.get(REQUEUES, b"0"),
    }
    return Outgoing(
        topic=topics.dead_letters(stage).name,
        # Not by key: a requeued record must come back to the partition that holds its state.
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=(*own_headers(record.headers), *why.items()),
    )


def own_headers(headers: Headers) -> Headers:
    """Return `headers` without those of dead letters."""
    return tuple(pair for pair in headers if not pair[0].startswith(PREFIX))


def stage_failed(stage: str, record: Record, event: Event, bug_id: UUID, error: Exception) -> Event:
    """Return the fact that `stage` gave up on `event` of a known bug."""
    requeues = int(dict(record.headers).get(REQUEUES) or b"0")
    return StageFailed(
        event_id=derived_id(event.event_id, f"{stage}.failed", requeues),
        project=event.project,
        bug_id=bug_id,
        actor=Actor.stage("runner"),
        occurred_at=event.occurred_at,
        causation_id=event.event_id,
        correlation_id=event.correlation_id,
        traceparent=event.traceparent,
        stage=stage,
        error=type(error).__name__,
        dead_letter=str(record),
    )


def give_up(
    stage: str, record: Record, error: Exception, *, attempts: int, first_seen: datetime
) -> tuple[Outgoing, ...]:
    """Return all that is to be written when `record` is not tried again."""
    letter = dead_letter(stage, record, error, attempts=attempts, first_seen=first_seen)
    try:
        event = decode(record.value)
    except (PoisonError, UnknownEventError):
        return (letter,)
    if event.bug_id is None:
        return (letter,)
    return letter, outgoing(stage_failed(stage, record, event, event.bug_id, error))


class DeadLetterLimit:
    """Stops a stage that gives up too much: a bad deploy must not empty its source into the dlq."""

    def __init__(
        self, *, consecutive_max: int = 20, share_max: float = 0.2, window_records: int = 200
    ) -> None:
        self._consecutive_max = consecutive_max
        self._share_max = share_max
        self._recent: deque[bool] = deque(maxlen=window_records)
        self._consecutive = 0

    def check(self, stage: str, dead: Sequence[bool]) -> None:
        """Raise `FatalError` if one more batch, `dead` or not in order, would be too much."""
        recent = deque(self._recent, self._recent.maxlen)
        consecutive = self._consecutive
        for one in dead:
            recent.append(one)
            consecutive = consecutive + 1 if one else 0
            if not one:
                continue
            full = len(recent) == recent.maxlen
            if consecutive > self._consecutive_max or (
                full and sum(recent) > self._share_max * len(recent)
            ):
                raise FatalError(
                    f"{stage} would send {sum(recent)} of its last {len(recent)} records to its"
                    f" dead letters, {consecutive} in a row; it stops before it does. Look at"
                    f" `bugstream dead-letters list --stage {stage}`"
                )

    def count(self, dead: Sequence[bool]) -> None:
        """Remember a batch that was committed."""
        for one in dead:
            self._recent.append(one)
            self._consecutive = self._consecutive + 1 if one else 0


def failed_again(
    retry: Retry | None,
    record: Record,
    error: Exception,
    *,
    policy: RetryPolicy,
    now: datetime,
    monotonic_s: float,
) -> Retry:
    """Return the retry after one more transient failure of `record`."""
    attempts = retry.attempts if retry else 0
    first_seen = retry.first_seen if retry else first_seen_of(record, now)
    wait_s = 0.0
    if isinstance(error, LimitedError):
        wait_s = error.retry_after_s
    if wait_s == 0.0 or (now - first_seen).total_seconds() > policy.limited_s_max:
        attempts += 1
    delay_s = policy.delay_s(max(1, attempts))
    return Retry(
        attempts=attempts, not_before_s=monotonic_s + max(delay_s, wait_s), first_seen=first_seen
    )
