"""How many GitHub payloads are understood, of folders of them named by their event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from connectors.channel import Delivery, Post
from connectors.github import DOOR
from processors.channels.github import parse
from schemas.errors import PoisonError
from schemas.event import Actor
from schemas.raw import RawReceived

_NOBODY = UUID(int=0)


@dataclass(slots=True)
class GitHubFigures:
    """What became of the payloads. Each is in exactly one of `understood`, `passed`, `failed`."""

    payloads: int = 0
    understood: int = 0
    """Gave a report with a title, or what is said of one."""
    passed: int = 0
    """Of no interest: other events, pull requests that are not ours."""
    failed: int = 0
    crashes: int = 0
    """Of `failed`: an error that nobody raised on purpose. There must be none."""
    troubles: list[str] = field(default_factory=list)
    """Names of the files that failed, with the kind of the error."""


def measure(folder: Path) -> GitHubFigures:
    """Read every `EVENT/*.json` below `folder` as door and parser would; never raises for one."""
    figures = GitHubFigures()
    for path in sorted(folder.glob("*/*.json")):
        figures.payloads += 1
        try:
            _count(figures, path.parent.name, path.read_bytes())
        except PoisonError as error:
            figures.failed += 1
            figures.troubles.append(f"{path.parent.name}/{path.name}: {error}")
        except Exception as error:  # noqa: BLE001  # a crash is what is counted here
            figures.failed += 1
            figures.crashes += 1
            figures.troubles.append(f"{path.parent.name}/{path.name}: {type(error).__name__}")
    return figures


def _count(figures: GitHubFigures, event: str, body: bytes) -> None:
    post = Post({"x-github-event": event, "x-github-delivery": "bench"}, body)
    found = () if DOOR.reply(post) else DOOR.read(post)
    parts = [parse(_raw(one, body), body) for one in found if isinstance(one, Delivery)]
    said = [part for part in parts if part is not None]
    if not said:
        figures.passed += 1
    elif all(part.title for part in said):
        figures.understood += 1
    else:
        raise PoisonError("no title")


def _raw(delivery: Delivery, body: bytes) -> RawReceived:
    return RawReceived(
        event_id=_NOBODY,
        project="unassigned",
        actor=Actor.stage("bench"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id=_NOBODY,
        origin=delivery.origin,
        route=f"github/{delivery.kind}",
        delivery_id=delivery.delivery_id,
        content_type="application/json",
        body=body.decode("utf-8", "replace"),
        content_sha256="0" * 64,
        authenticated=True,
    )
