"""What Kafka's errors mean: again, abort, stop, or make way for another."""

from __future__ import annotations

import logging
import time

import confluent_kafka as ck

from schemas.errors import BugstreamError, FatalError
from streams.log import FencedError, MustAbortError, RetriableError

_LOG = logging.getLogger(__name__)
REPORT_EVERY_S = 10.0

_Code = ck.KafkaError
FENCED = frozenset(
    {
        _Code._FENCED,  # noqa: SLF001  # librdkafka's own codes are spelt so
        _Code.FENCED_INSTANCE_ID,
        _Code.INVALID_PRODUCER_EPOCH,
        _Code.PRODUCER_FENCED,
    }
)
_FENCED_MEMBER = _Code(_Code.FENCED_INSTANCE_ID).str()
_REBALANCING = frozenset(
    {_Code.ILLEGAL_GENERATION, _Code.REBALANCE_IN_PROGRESS, _Code.STALE_MEMBER_EPOCH}
)
"""The only reasons to abort after which this process is known to be in order itself."""
_AGAIN = frozenset(
    {
        _Code._TIMED_OUT,  # noqa: SLF001
        _Code._TRANSPORT,  # noqa: SLF001
        _Code._ALL_BROKERS_DOWN,  # noqa: SLF001
        _Code._WAIT_COORD,  # noqa: SLF001
        _Code.UNSTABLE_OFFSET_COMMIT,
        _Code.COORDINATOR_LOAD_IN_PROGRESS,
        _Code.COORDINATOR_NOT_AVAILABLE,
        _Code.NOT_COORDINATOR,
        _Code.LEADER_NOT_AVAILABLE,
        _Code.NOT_LEADER_FOR_PARTITION,
        # A broker that came back leads in a new epoch; the client asks again by itself.
        _Code.FENCED_LEADER_EPOCH,
        _Code._NOENT,  # noqa: SLF001  # "No leaders found": none is elected yet.
        _Code.UNKNOWN_LEADER_EPOCH,
    }
)


def answer(error: ck.KafkaError, what: str) -> BugstreamError:
    """Return `error` as what to do about it. Anything not known to be harmless is fatal."""
    text = f"{what}: {error.str()} ({error.name()})"
    # A fatal error of a consumer carries its cause in its text alone.
    if error.code() in FENCED or _FENCED_MEMBER in error.str():
        return FencedError(text)
    if error.fatal():
        return FatalError(text)
    if error.txn_requires_abort():
        return MustAbortError(text, rebalancing=error.code() in _REBALANCING)
    if error.retriable() or error.code() in _AGAIN:
        return RetriableError(text)
    return FatalError(text)


class Reporter:
    """Logs what librdkafka says about its connections; it goes on trying by itself."""

    def __init__(self) -> None:
        self._said_s = float("-inf")

    def __call__(self, error: ck.KafkaError) -> None:
        """Log `error`, at most once in `REPORT_EVERY_S`: a dead broker is said per attempt."""
        now_s = time.monotonic()
        if now_s - self._said_s >= REPORT_EVERY_S:
            self._said_s = now_s
            _LOG.warning("Kafka connection: %s", error.str())
