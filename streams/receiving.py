"""From bytes that came in to a row in the inbox: the same for a webhook, a tool and a terminal."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypedDict, assert_never
from uuid import UUID, uuid4, uuid5

from connectors.channel import ABOUT, Delivery, Verb
from connectors.inbox import Entry, Inbox, Receipt
from processors.ports import Blobs
from schemas.commands import (
    AbandonBug,
    ApproveBug,
    BugCommand,
    KeepApart,
    MergeBugs,
    RejectBug,
    RetryBug,
    SplitReport,
)
from schemas.errors import UserError
from schemas.event import NAMESPACE, Actor, ActorKind, BlobRef, subject_id
from schemas.raw import Origin, RawReceived
from schemas.received import ReceivedReport
from schemas.reports import UNASSIGNED

BODY_INLINE_BYTES_MAX = 48 * 1024
"""As it stands in the event, escapes and all. A larger body is a blob."""
HEADER_CHARS_MAX = 300
ID_CHARS_MAX = 300
_HEADERS_KEPT = (
    "content-type",
    "user-agent",
    "x-github-event",
    "x-github-delivery",
    "x-github-hook-id",
    "x-github-hook-installation-target-type",
    "x-github-hook-installation-target-id",
    "x-atlassian-webhook-identifier",
    "x-slack-retry-num",
    "x-slack-retry-reason",
    "sentry-hook-resource",
    "sentry-hook-timestamp",
    "request-id",
    "x-webhook-id",
    "idempotency-key",
)


@dataclass(frozen=True, slots=True)
class Inbound:
    """An authenticated delivery: the bytes, and what was learnt of them at the door."""

    origin: Origin
    route: str
    delivery_id: str
    body: bytes
    content_type: str
    sender: str
    """Account that sent it, such as `github:octocat`."""
    author: str
    """Account whose text it is: with its key a large body is encrypted."""
    entity: str
    meaning: str
    headers: Mapping[str, str] = field(default_factory=dict)
    project: str = UNASSIGNED
    """As the sender says; what it leaves open is decided by normalize."""
    author_verified: bool = True
    asked_at: int | None = None
    """Of what we asked for: the newest row of the inbox before we did."""


def inbound_of(
    delivery: Delivery,
    *,
    route: str,
    body: bytes = b"",
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
) -> Inbound:
    """Return what the inbox is to keep of `delivery`: the same for what came and what we asked for.

    `body` is that of the post, for a delivery that speaks of all of it.
    """
    return Inbound(
        origin=delivery.origin,
        route=f"{route}/{delivery.kind}" if delivery.kind else route,
        delivery_id=delivery.delivery_id[:ID_CHARS_MAX],
        body=body if delivery.body is None else delivery.body,
        content_type=content_type,
        sender=delivery.sender,
        author=delivery.author,
        entity=delivery.entity,
        meaning=delivery.meaning,
        headers=headers or {},
        author_verified=delivery.author_verified,
    )


def accept(inbox: Inbox, blobs: Blobs, inbound: Inbound) -> Receipt:
    """Keep `inbound`. When this returns it is on the disk, once.

    Raises `TransientError` or `OSError` when disk or database cannot take it: nothing is kept.
    """
    sha256 = hashlib.sha256(inbound.body).hexdigest()
    text, encoding = _as_text(inbound.body)
    blob: BlobRef | None = None
    if len(json.dumps(text, ensure_ascii=False).encode()) > BODY_INLINE_BYTES_MAX:
        # The blob is on the disk before the row that speaks of it.
        blob = blobs.put(
            inbound.body,
            media_type=inbound.content_type or "application/octet-stream",
            subject=subject_id(inbound.author),
        )
    event_id = uuid5(NAMESPACE, f"delivery/{inbound.route}/{inbound.delivery_id}/{sha256}")
    event = RawReceived(
        event_id=event_id,
        project=inbound.project,
        actor=_person(inbound.sender),
        occurred_at=datetime.now(UTC),
        correlation_id=event_id,
        blobs=(blob,) if blob else (),
        origin=inbound.origin,
        route=inbound.route,
        delivery_id=inbound.delivery_id,
        content_type=inbound.content_type[:HEADER_CHARS_MAX],
        headers=_meaningful(inbound.headers),
        body=None if blob else text,
        body_encoding=encoding,
        content_sha256=sha256,
        authenticated=True,
        author_verified=inbound.author_verified,
        body_blob=blob,
    )
    return inbox.accept(
        Entry(
            route=inbound.route,
            delivery_id=inbound.delivery_id,
            content_sha256=sha256,
            account=inbound.sender,
            event=event,
            entity=inbound.entity,
            meaning=inbound.meaning,
            asked_at=inbound.asked_at,
        )
    )


def accept_report(
    inbox: Inbox,
    blobs: Blobs,
    report: ReceivedReport,
    *,
    body: bytes,
    route: str,
    sender: str,
    delivery_id: str | None = None,
    project: str = UNASSIGNED,
) -> tuple[Receipt, UUID]:
    """Keep a report of any tool; return what became of it and the report's id.

    Without a `delivery_id` only the newest report with the same id of the tool is compared.
    Raises like `accept`.
    """
    origin = Origin(channel="http", container=report.tool, item=report.id, url=report.url)
    inbound = Inbound(
        origin=origin,
        route=route,
        delivery_id=delivery_id or str(uuid4()),
        body=body,
        content_type="application/json",
        sender=sender,
        author=f"http:{report.reporter or report.tool}",
        entity=origin.key,
        meaning=hashlib.sha256(report.model_dump_json().encode()).hexdigest(),
        project=project,
    )
    return accept(inbox, blobs, inbound), origin.report_id


def submit_command(
    inbox: Inbox,
    *,
    command: Verb,
    bug_id: UUID,
    project: str,
    actor: str,
    note: BlobRef | None,
    idempotency_key: str,
    about: UUID | None = None,
) -> UUID:
    """Keep a command for a bug, once per `idempotency_key`; return the command's id.

    `actor` is an account such as `os:alice`, `about` the other bug of a merge or a keeping
    apart, or the report that is split off. Raises `ConflictError` for a key that was used for
    another command, and `TransientError` when the inbox cannot take it.
    """
    return accept_command(
        inbox,
        command=command,
        bug_id=bug_id,
        project=project,
        actor=actor,
        note=note,
        idempotency_key=idempotency_key,
        about=about,
    ).event_id


def accept_command(
    inbox: Inbox,
    *,
    command: Verb,
    bug_id: UUID,
    project: str,
    actor: str,
    note: BlobRef | None,
    idempotency_key: str,
    about: UUID | None = None,
) -> Receipt:
    """Do what `submit_command` does, and say whether it was there before."""
    event_id = uuid5(NAMESPACE, f"command/{idempotency_key}")
    envelope = _Envelope(
        event_id=event_id,
        project=project,
        bug_id=bug_id,
        actor=_person(actor),
        occurred_at=datetime.now(UTC),
        correlation_id=event_id,
        blobs=(note,) if note else (),
    )
    event = _command(command, envelope, note, about)
    said = event.model_dump_json(exclude={"occurred_at"})
    return inbox.accept(
        Entry(
            route="commands",
            delivery_id=idempotency_key,
            content_sha256=hashlib.sha256(said.encode()).hexdigest(),
            account=actor,
            event=event,
            one_body_per_id=True,
        )
    )


class _Envelope(TypedDict):
    event_id: UUID
    project: str
    bug_id: UUID
    actor: Actor
    occurred_at: datetime
    correlation_id: UUID
    blobs: tuple[BlobRef, ...]


def _command(
    command: Verb, envelope: _Envelope, note: BlobRef | None, about: UUID | None
) -> BugCommand:
    match command:
        case "merge" | "split" | "keep-apart":
            if about is None:
                raise UserError(f"{ABOUT[command]}: {command} needs it")
            return _command_about(command, envelope, note, about)
        case "approve":
            return ApproveBug(**envelope, note=note)
        case "reject":
            return RejectBug(**envelope, note=note)
        case "retry":
            return RetryBug(**envelope)
        case "abandon":
            return AbandonBug(**envelope, note=note)
        case _:
            assert_never(command)


def _command_about(
    command: Literal["merge", "split", "keep-apart"],
    envelope: _Envelope,
    note: BlobRef | None,
    about: UUID,
) -> BugCommand:
    match command:
        case "merge":
            return MergeBugs(**envelope, note=note, other_bug_id=about)
        case "split":
            return SplitReport(**envelope, note=note, report_id=about)
        case "keep-apart":
            return KeepApart(**envelope, note=note, other_bug_id=about)


def _person(account: str) -> Actor:
    return Actor(kind=ActorKind.PERSON, id=subject_id(account))


def _as_text(body: bytes) -> tuple[str, Literal["utf-8", "base64"]]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _meaningful(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers worth keeping. A list of these: a new kind of token is not let in."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: lower[name][:HEADER_CHARS_MAX] for name in _HEADERS_KEPT if name in lower}
