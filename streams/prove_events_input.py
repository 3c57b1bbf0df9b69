"""What `prove --events` feeds: deliveries of made-up tools, some of them about the same bug."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid5

from schemas.event import NAMESPACE, Actor
from schemas.projects import Project
from schemas.raw import Origin, RawReceived
from schemas.received import ReceivedReport
from streams.log import Outgoing, outgoing

DUPLICATES_SHARE = 0.10
"""Half of them the same words by another reporter, half the same delivery sent again."""
TOOLS = 40
RECENT_MAX = 5_000
"""How far back a duplicate may reach."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = tuple(hashlib.sha256(str(n).encode()).hexdigest()[:6] for n in range(5_000))

PROJECTS = tuple(Project(id=f"p{n}", sources=(f"http:tool{n}",)) for n in range(TOOLS))
"""As many as there are tools: dedupe is partitioned by project."""


def raw_events(count: int, chance: Random) -> Iterator[Outgoing]:
    """Yield `count` deliveries as records; the same for the same `chance`."""
    recent: list[ReceivedReport] = []
    for number in range(count):
        draw = chance.random()
        if recent and draw < DUPLICATES_SHARE / 2:
            report = chance.choice(recent)
        elif recent and draw < DUPLICATES_SHARE:
            report = chance.choice(recent).model_copy(update={"id": f"r{number}"})
        else:
            report = _report(number, chance)
            recent.append(report)
            del recent[:-RECENT_MAX]
        yield outgoing(_delivery(number, report))


def _report(number: int, chance: Random) -> ReceivedReport:
    words = chance.choices(_WORDS, k=40)
    return ReceivedReport(
        tool=f"tool{number % TOOLS}",
        id=f"r{number}",
        title=" ".join(words[:6]),
        description=" ".join(words[6:]),
        reporter=f"person{number % 97}",
    )


def _delivery(number: int, report: ReceivedReport) -> RawReceived:
    event_id: UUID = uuid5(NAMESPACE, f"prove/{number}")
    body = report.model_dump_json()
    return RawReceived(
        event_id=event_id,
        project="unassigned",
        actor=Actor.stage("relay"),
        occurred_at=_EPOCH,
        correlation_id=event_id,
        origin=Origin(channel="http", container=report.tool, item=report.id),
        route="http/receive",
        delivery_id=str(number),
        content_type="application/json",
        body=body,
        content_sha256=hashlib.sha256(body.encode()).hexdigest(),
        authenticated=True,
    )
