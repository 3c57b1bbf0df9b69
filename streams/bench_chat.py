"""What becomes of a folder of payloads of Slack and Discord, at the door and in the parser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from connectors import discord, slack
from connectors.channel import Asked, Delivery, Door, Outcome, Post, child, parsed, text
from processors.channels.parsed import Parsed
from schemas.errors import PoisonError
from schemas.event import Actor
from schemas.raw import Origin, RawReceived
from streams.channels import PARSERS

FORM = "application/x-www-form-urlencoded"
_NOBODY = UUID(int=0)
_ANYWHERE = "1/2"


@dataclass(slots=True)
class ChatFigures:
    """What became of the payloads of one provider.

    Each is in exactly one of `reports`, `comments`, `wishes`, `answered`, `passed`, `failed`.
    """

    provider: str
    payloads: int = 0
    reports: int = 0
    comments: int = 0
    wishes: int = 0
    """Approve, reject, retry, abandon."""
    answered: int = 0
    """At once, with nothing kept: a ping, help, an event of no interest."""
    passed: int = 0
    """Not for us: no message, not addressed to the app, or written by a program."""
    failed: int = 0
    """Kept, and then nobody could read it; or read without a title."""
    crashes: int = 0
    """Errors that nobody raised on purpose, at the door or in the parser. There must be none."""
    messages: int = 0
    """Payloads in which somebody wrote something, to us or not."""
    messages_read: int = 0
    """Of these, how many the parser reads with a title when it is made to."""
    kinds: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    """Names of the files that failed, with the kind of the error."""


def measure(folder: Path) -> tuple[ChatFigures, ...]:
    """Read every file below `folder/slack` and `folder/discord`; never raises for one."""
    return tuple(
        _measured(provider, folder / provider, doors)
        for provider, doors in (("slack", slack.DOORS), ("discord", discord.DOORS))
    )


def _measured(provider: str, folder: Path, doors: Sequence[Door]) -> ChatFigures:
    figures = ChatFigures(provider)
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        figures.payloads += 1
        body = path.read_bytes()
        door = _door(doors, body)
        figures.kinds[f"{door.name}: {_kind(body)}"] += 1
        name = path.relative_to(folder).as_posix()
        for step in (_at_the_door, _in_the_parser):
            try:
                step(figures, door, body)
            except PoisonError as error:
                figures.failed += 1
                figures.troubles.append(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001  # a crash is what is counted here
                figures.crashes += 1
                figures.troubles.append(f"{name}: {type(error).__name__}")
    return figures


def _door(doors: Sequence[Door], body: bytes) -> Door:
    """Return the door that the provider would send `body` to."""
    payload = parsed(body)
    if doors is slack.DOORS:
        return doors[1] if not payload and b"=" in body[:200] else doors[0]
    return doors[1] if "event" in payload or payload.get("version") == 1 else doors[0]


def _kind(body: bytes) -> str:
    payload = parsed(body)
    event = child(payload, "event")
    names = [payload.get("type"), event.get("type"), event.get("subtype")]
    return " ".join(str(name)[:40] for name in names if name not in {None, ""}) or "nameless"


def _at_the_door(figures: ChatFigures, door: Door, body: bytes) -> None:
    """Count what the gateway would do, the reply that is made of it included."""
    headers = {"content-type": FORM if door.name == "slack-command" else "application/json"}
    post = Post(headers, body)
    if door.reply(post) is not None:
        figures.answered += 1
        return
    found = door.read(post)
    door.answer(post, [Outcome("accepted", "Received.", {"report_id": "1"}) for _ in found])
    if not found:
        figures.passed += 1
    for one in found:
        if isinstance(one, Asked):
            figures.wishes += 1
        else:
            _count(figures, _parsed(door, one, body))


def _count(figures: ChatFigures, said: Parsed | None) -> None:
    if said is None:
        figures.passed += 1
    elif said.comment:
        figures.comments += 1
    elif said.title:
        figures.reports += 1
    else:
        raise PoisonError("no title")


def _in_the_parser(figures: ChatFigures, door: Door, body: bytes) -> None:
    """Make the parser read it, whatever the door thinks: few samples are addressed to us."""
    if not any(_words(body)):
        return
    figures.messages += 1
    origin = Origin(channel=door.channel, container=_ANYWHERE, item="1")
    nobody = f"{door.channel}:unknown"
    forced = Delivery(origin, "1", nobody, nobody, origin.key, "0", "message")
    said = _parsed(door, forced, body)
    figures.messages_read += said is not None and bool(said.title)


def _words(body: bytes) -> Iterator[str]:
    """Yield what somebody wrote into the payload of a message."""
    event = child(parsed(body), "event")
    if event.get("type") in {"message", "app_mention"}:
        is_edit = event.get("subtype") == "message_changed"
        yield text((child(event, "message") if is_edit else event).get("text")).strip()


def _parsed(door: Door, delivery: Delivery, body: bytes) -> Parsed | None:
    raw = RawReceived(
        event_id=_NOBODY,
        project="unassigned",
        actor=Actor.stage("bench"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id=_NOBODY,
        origin=delivery.origin,
        route=f"{door.name}/{delivery.kind}" if delivery.kind else door.name,
        delivery_id=delivery.delivery_id,
        content_type="application/json",
        body=body.decode("utf-8", "replace"),
        content_sha256="0" * 64,
        authenticated=True,
    )
    return PARSERS[door.channel](raw, body)
