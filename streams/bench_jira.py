"""How many Jira payloads are understood, of a folder of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from connectors.channel import Delivery, Post, parsed
from connectors.jira import read
from processors.channels.jira import parse
from schemas.errors import PoisonError
from schemas.event import Actor
from schemas.raw import RawReceived

_NOBODY = UUID(int=0)


@dataclass(slots=True)
class JiraFigures:
    """What became of the payloads. Each is in exactly one of `understood`, `passed`, `failed`."""

    payloads: int = 0
    understood: int = 0
    """Gave a report or a comment, with the title of its issue."""
    passed: int = 0
    """Speak of no bug that can be named: a deleted comment, a comment without its issue."""
    failed: int = 0
    """Said to be unreadable, or read without a title."""
    crashes: int = 0
    """Of `failed`: an error that nobody raised on purpose. There must be none."""
    reports: int = 0
    comments: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """By the name of the event."""
    troubles: list[str] = field(default_factory=list)
    """Names of the files that failed, with the kind of the error."""


def measure(folder: Path) -> JiraFigures:
    """Read every `*.json` in `folder` as the door and the parser would; never raises for one."""
    figures = JiraFigures()
    for path in sorted(folder.glob("*.json")):
        figures.payloads += 1
        _count(figures, path.name, path.read_bytes())
    return figures


def _count(figures: JiraFigures, name: str, body: bytes) -> None:
    figures.kinds[str(parsed(body).get("webhookEvent"))[:60]] += 1
    try:
        found = [parse(_raw(one, body), body) for one in read(Post({}, body))]
    except PoisonError as error:
        figures.failed += 1
        figures.troubles.append(f"{name}: {error}")
        return
    except Exception as error:  # noqa: BLE001  # a crash is what is counted here
        figures.failed += 1
        figures.crashes += 1
        figures.troubles.append(f"{name}: {type(error).__name__}")
        return
    said = [one for one in found if one is not None]
    figures.reports += sum(not one.comment for one in said)
    figures.comments += sum(one.comment for one in said)
    if not said:
        figures.passed += 1
    elif all(one.title for one in said):
        figures.understood += 1
    else:
        figures.failed += 1
        figures.troubles.append(f"{name}: no title")


def _raw(delivery: Delivery, body: bytes) -> RawReceived:
    return RawReceived(
        event_id=_NOBODY,
        project="unassigned",
        actor=Actor.stage("bench"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id=_NOBODY,
        origin=delivery.origin,
        route=f"jira/{delivery.kind}",
        delivery_id=delivery.delivery_id,
        content_type="application/json",
        body=body.decode("utf-8", "replace"),
        content_sha256="0" * 64,
        authenticated=True,
    )
