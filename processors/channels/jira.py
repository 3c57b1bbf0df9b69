"""Jira: an issue or a comment under it, from Cloud or Server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from processors.channels.parsed import Parsed, json_object, text_of
from processors.markup import adf_to_markdown, wiki_to_markdown
from schemas.raw import RawReceived, is_ours

_UNDECIDED = "medium"
"""The priority an issue has when nobody chose one. It says nothing, so the text may."""
_PAIR = re.compile(r"(?:[-*+] )?([A-Za-z][\w ./-]{0,40})[:=]\s*(\S.{0,200})")
_PLAIN = re.compile(r"[\w.@+:/-]{1,200}", re.ASCII)
PAIRS_MAX = 40
NAMES_MAX = 20


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what the payload says; nothing for deleted comments and for our own answers.

    Raises `PoisonError` for what is no payload of an issue.
    """
    payload = json_object(body, "the body")
    if raw.route.endswith("/comment"):
        return _comment(raw, payload)
    issue = json_object(payload.get("issue"), "'issue'")
    fields = json_object(issue.get("fields"), "'issue.fields'")
    priority = text_of(_object(fields.get("priority")).get("name"))
    decided = (f"priority: {priority}",) if priority and priority.lower() != _UNDECIDED else ()
    return Parsed(
        title=_title(issue, fields),
        text=_markdown(fields.get("description")),
        account=_account(fields.get("reporter") or fields.get("creator")),
        closed=payload.get("webhookEvent") == "jira:issue_deleted" or _is_done(fields),
        labels=(*decided, *_texts(fields.get("labels"))),
        assignee=_account(fields["assignee"]) if fields.get("assignee") else None,
        url=raw.origin.url,
        created_at=_time(fields.get("created")),
        updated_at=_time(fields.get("updated")),
        environment=tuple(_environment(fields)),
    )


def _comment(raw: RawReceived, payload: dict[str, Any]) -> Parsed | None:
    comment = json_object(payload.get("comment"), "'comment'")
    issue = _object(payload.get("issue"))
    if payload.get("webhookEvent") == "comment_deleted" or "key" not in issue:
        # Server also sends comments without their issue; they come again inside an update of it.
        return None
    text = _markdown(comment.get("body"))
    if is_ours(text):
        return None  # Hearing our own answers would be a loop.
    return Parsed(
        title=_title(issue, _object(issue.get("fields"))),
        text=text,
        account=_account(comment.get("author")),
        url=raw.origin.url,
        created_at=_time(comment.get("created")),
        updated_at=_time(comment.get("updated")),
        comment=True,
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(one for one in found if isinstance(one, str))


def _title(issue: dict[str, Any], fields: dict[str, Any]) -> str:
    return text_of(fields.get("summary")).strip() or text_of(issue.get("key"))


def _markdown(value: object) -> str:
    """Return a text: webhooks and Server send wiki markup, the REST API of Cloud ADF."""
    return wiki_to_markdown(value) if isinstance(value, str) else adf_to_markdown(value)


def _account(user: object) -> str:
    """Return the account as the door knows it: a name that cannot be part of an id is passed."""
    found = _object(user)
    names = (text_of(found.get(name)) for name in ("accountId", "name", "key"))
    return f"jira:{next((name for name in names if _PLAIN.fullmatch(name)), 'unknown')}"


def _is_done(fields: dict[str, Any]) -> bool:
    status = _object(fields.get("status"))
    category = text_of(_object(status.get("statusCategory")).get("key"))
    if category:
        return category == "done"
    # Before categories there were only names, and a resolution that was set.
    return bool(fields.get("resolution")) or text_of(status.get("name")).lower() in {
        "closed",
        "done",
        "resolved",
    }


def _environment(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    said = _markdown(fields.get("environment")).strip()
    found = [
        (pair[1].strip(), pair[2].strip())
        for line in said.split("\n")[:PAIRS_MAX]
        if (pair := _PAIR.fullmatch(line.strip()[:300]))
    ]
    yield from found or ([("environment", " ".join(said[:300].split()))] if said else [])
    for name, label in (("versions", "affected versions"), ("components", "components")):
        listed = fields.get(name)
        names = [
            text_of(_object(one).get("name"))
            for one in (listed if isinstance(listed, list) else [])[:NAMES_MAX]
        ]
        if any(names):
            yield label, ", ".join(name[:100] for name in names if name)


def _time(value: object) -> str | None:
    """Return a time with its zone; one that is none is left out, not made a reason to fail."""
    try:
        found = datetime.fromisoformat(text_of(value))
    except ValueError:
        return None
    return found.isoformat() if found.tzinfo else None
