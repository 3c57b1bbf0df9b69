"""What the tests of views share: events with their envelope, and a log of one partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID, uuid5

from projections.base import Projection, Recorded
from schemas.event import Actor, BlobRef, BugScoped
from schemas.raw import Origin
from schemas.reports import ReportLink, Severity, Trust

EPOCH = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BUG = UUID(int=1)


def fact(model: type[Any], /, **fields: Any) -> Any:
    """Return an event about `BUG`."""
    envelope = {
        "event_id": uuid5(BUG, repr(sorted(fields.items(), key=str))),
        "project": "shop",
        "bug_id": BUG,
        "actor": Actor.stage("test"),
        "occurred_at": EPOCH,
        "correlation_id": BUG,
    }
    return model(**(envelope | fields))


def link(item: str, severity: Severity = Severity.LOW, trust: Trust = Trust.STRANGER) -> ReportLink:
    """Return a report as a bug knows it."""
    origin = Origin(channel="github", container="acme/shop", item=item)
    return ReportLink(
        report_id=origin.report_id,
        origin=origin,
        report_blob=blob(item + severity),
        reporter="someone",
        trust=trust,
        severity=severity,
        content_sha256="0" * 64,
    )


def blob(seed: str) -> BlobRef:
    """Return a reference that `seed` tells apart."""
    sha = uuid5(BUG, seed).hex * 2
    return BlobRef(sha256=sha, size_bytes=1, media_type="application/json", subject="someone")


def logged(events: Iterable[BugScoped], partition: int = 0) -> list[Recorded]:
    """Return `events` as the log holds them, a second apart."""
    return [
        Recorded(event, partition, offset, EPOCH + timedelta(seconds=offset))
        for offset, event in enumerate(events)
    ]


def folded(projection: Projection, events: Sequence[BugScoped]) -> Any:
    """Return the row of a bug after `events`."""
    return reduce(projection.evolve, logged(events), None)
