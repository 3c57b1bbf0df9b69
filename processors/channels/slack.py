"""Slack: a message, a reply in its thread, or the words of the command `/bug`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from processors.channels.chat import titled
from processors.channels.mrkdwn import to_markdown
from processors.channels.parsed import Parsed, json_object, text_of
from schemas.errors import PoisonError
from schemas.raw import RawReceived

FILES_NAMED_MAX = 20
FORM_FIELDS_MAX = 100
CALLS_MAX = 5
_TO_US = re.compile(r"<@[A-Z0-9]{1,30}(?:\|[^<>\n]{0,100})?>[\s,:]{0,20}|bug:", re.IGNORECASE)
"""Who is spoken to at the start of a message, or the word that stands for it."""
_STAMP = re.compile(r"([0-9]{1,10})\.[0-9]{1,6}")
_ID = re.compile(r"[A-Z0-9]{1,30}")


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what a person wrote; nothing where that is no more than our name."""
    if raw.route.startswith("slack-command"):
        return _command(raw, body)
    payload = json_object(body, "the body")
    event = json_object(payload.get("event"), "'event'")
    is_edit = event.get("subtype") == "message_changed"
    message = json_object(event.get("message"), "'message'") if is_edit else event
    before = event.get("previous_message")
    before = before if isinstance(before, dict) else {}
    stamp = text_of(message.get("ts")) or text_of(before.get("ts"))
    thread = text_of(message.get("thread_ts")) or text_of(before.get("thread_ts"))
    is_comment = bool(thread) and thread != stamp
    title, text = titled(_said(message))
    if not text:
        return None
    team = message.get("user_team") or message.get("team") or payload.get("team_id")
    edited = message.get("edited")
    return Parsed(
        title=title,
        text=text,
        account=_account(team, message.get("user")),
        url=raw.origin.url,
        created_at=_time(stamp),
        updated_at=_time(text_of(edited.get("ts")) if isinstance(edited, dict) else ""),
        comment=is_comment,
    )


def _said(message: dict[str, Any]) -> str:
    words = text_of(message.get("text")).lstrip()
    for _ in range(CALLS_MAX):
        if (found := _TO_US.match(words)) is None:
            break
        words = words[found.end() :].lstrip()
    files = message.get("files")
    names = [
        text_of(one.get("title")) or text_of(one.get("name")) or "a file"
        for one in (files if isinstance(files, list) else ())[:FILES_NAMED_MAX]
        if isinstance(one, dict)
    ]
    # A file is named and never fetched: its address would need our token.
    attached = f"Attached: {', '.join(' '.join(name.split())[:200] for name in names)}"
    parts = [to_markdown(words).strip(), attached if names else ""]
    return "\n\n".join(part for part in parts if part)


def _command(raw: RawReceived, body: bytes) -> Parsed | None:
    try:
        form = parse_qs(
            body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise PoisonError("the body is no form") from error
    given = {name: values[0] for name, values in form.items()}
    title, text = titled(to_markdown(given.get("text", "")).strip())
    if not title:
        return None
    return Parsed(
        title=title,
        text=text,
        account=_account(given.get("team_id"), given.get("user_id")),
        url=raw.origin.url,
    )


def _account(team: object, user: object) -> str:
    parts = (
        one if isinstance(one, str) and _ID.fullmatch(one) else "unknown" for one in (team, user)
    )
    return f"slack:{':'.join(parts)}"


def _time(stamp: str) -> str | None:
    found = _STAMP.fullmatch(stamp)
    return datetime.fromtimestamp(int(found[1]), UTC).isoformat() if found else None
