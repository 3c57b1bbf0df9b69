"""Discord: what was typed after `/bug` or into its form, or a message that a person pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from processors.channels.chat import titled
from processors.channels.parsed import Parsed, json_object, text_of
from schemas.raw import RawReceived

DEPTH_MAX = 4
FILES_NAMED_MAX = 20
_ID = re.compile(r"[0-9]{1,20}")
_MENTION = re.compile(r"<(@!?|@&|#)([0-9]{1,20})>")
_EMOJI = re.compile(r"<a?(:\w{1,40}:)[0-9]{1,20}>")
_COMMAND_LINK = re.compile(r"</([\w -]{1,100}):[0-9]{1,20}>")


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what was written; nothing where there are no words."""
    payload = json_object(body, "the body")
    data = json_object(payload.get("data"), "'data'")
    message = _target(data)
    writer = payload.get("member") if isinstance(payload.get("member"), dict) else payload
    user = _object(_object({"writer": writer}, "writer"), "user") or _object(payload, "user")
    if message:
        author = _object(message, "author") or user
        title, text = titled(_message_text(message))
        created = _time(text_of(message.get("timestamp")))
    else:
        author, created = user, None
        given = dict(_given(data, DEPTH_MAX))
        first = _plain(given.get("title", "")).strip()
        rest = _plain(given.get("text", "")).strip()
        title, text = titled("\n\n".join(part for part in (first, rest) if part))
    if not title:
        return None
    return Parsed(
        title=title,
        text=text,
        account=f"discord:{_id(author.get('id'))}",
        url=raw.origin.url,
        created_at=created,
    )


def _target(data: dict[str, Any]) -> dict[str, Any]:
    target = data.get("target_id")
    messages = _object(_object(data, "resolved"), "messages")
    return _object(messages, target) if isinstance(target, str) else {}


def _message_text(message: dict[str, Any]) -> str:
    files = message.get("attachments")
    names = [
        " ".join(text_of(one.get("filename")).split())[:200] or "a file"
        for one in (files if isinstance(files, list) else ())[:FILES_NAMED_MAX]
        if isinstance(one, dict)
    ]
    attached = f"Attached: {', '.join(names)}" if names else ""
    parts = [_plain(text_of(message.get("content"))).strip(), attached]
    return "\n\n".join(part for part in parts if part)


def _given(part: dict[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of options, also below a subcommand, and of the form's inputs."""
    name = part.get("name") or part.get("custom_id")
    if isinstance(name, str) and isinstance(part.get("value"), str):
        yield name, part["value"]
    if depth == 0:
        return
    for key in ("options", "components", "component"):
        below = part.get(key)
        for one in below if isinstance(below, list) else [below]:
            if isinstance(one, dict):
                yield from _given(one, depth - 1)


def _plain(text: str) -> str:
    """Return `text` with mentions and emoji as words. The rest is Markdown already."""
    text = _EMOJI.sub(r"\1", _MENTION.sub(lambda found: f"{found[1][0]}{found[2]}", text))
    return _COMMAND_LINK.sub(r"/\1", text)


def _time(value: str) -> str | None:
    try:
        return value if datetime.fromisoformat(value).tzinfo else None
    except ValueError:
        return None


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    child = parent.get(name)
    return child if isinstance(child, dict) else {}


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else "unknown"
