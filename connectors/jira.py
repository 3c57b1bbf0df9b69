"""Jira webhooks: whether one is genuine, and which issue and comment it speaks of.

Cloud and Server differ, and Server from version to version: a comment comes as an event of its own,
or inside `jira:issue_updated`, with or without the issue, with or without the type of the event.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.channel import (
    UNKNOWN,
    Delivery,
    Door,
    Outcome,
    Post,
    Reply,
    accepted,
    child,
    digest,
    is_hex_hmac,
    objects,
    parsed,
    plain,
    text,
    url,
)
from schemas.raw import Origin

ISSUE_EVENTS = frozenset({"jira:issue_created", "jira:issue_updated", "jira:issue_deleted"})
COMMENT_EVENTS = frozenset({"comment_created", "comment_updated", "comment_deleted"})
TOKEN_CHARS_MAX = 8_000
LEEWAY_S = 60
"""By how much the clocks of two machines may differ."""
SECONDS_MAX = 10**12
_SIGNATURE = "x-hub-signature"
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,99})-\d{1,12}", re.ASCII)
_ISSUE_ID = re.compile(r"/issue/(\d{1,18})/comment/", re.ASCII)


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return headers.get(_SIGNATURE, "").startswith("sha256=")


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    del now  # Jira signs no time; a delivery that comes again is known by its id.
    # The header names its method. There is one today, and a weaker one is not taken from a sender.
    method, _, given = post.headers.get(_SIGNATURE, "").partition("=")
    fits = method == "sha256" and is_hex_hmac(post.body, given, secrets)
    return None if fits else "signature"


def _looks_like_a_token(headers: Mapping[str, str]) -> bool:
    given = headers.get("authorization", "")
    return given[:7].lower() == "bearer " and given.count(".") == 2


def _token_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    """Return why the token of an OAuth app's webhook is not genuine. It does not cover the body."""
    token = post.headers.get("authorization", "").partition(" ")[2].strip()
    signed, _, given = token.rpartition(".")
    header, _, claims = signed.partition(".")
    # The method is ours to say: a token that names another, or none, is not even looked at.
    if len(token) > TOKEN_CHARS_MAX or _decoded(header).get("alg") != "HS256":
        return "signature"
    if not any(
        hmac.compare_digest(_mac(signed, one), given.encode("utf-8", "replace")) for one in secrets
    ):
        return "signature"
    said = _decoded(claims)
    ends, began = _seconds(said.get("exp")), _seconds(said.get("iat", 0))
    if ends is None or began is None:
        return "signature"
    at = now.timestamp()
    return None if began - LEEWAY_S <= at < ends + LEEWAY_S else "late"


def _mac(signed: str, secret: str) -> bytes:
    mac = hmac.new(secret.encode(), signed.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=")


def _decoded(part: str) -> dict[str, Any]:
    try:
        return parsed(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return {}


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it is converted: JSON has numbers that no float can hold.
    return float(value) if abs(value) < SECONDS_MAX else None


def read(post: Post) -> tuple[Delivery, ...]:
    """Return what `post` speaks of: an issue, a comment, or both. Never raises.

    A body that is no JSON is an item of its own, for people to look at.
    """
    payload = parsed(post.body)
    event = text(payload.get("webhookEvent"))
    delivery_id = plain(post.headers.get("x-atlassian-webhook-identifier")) or digest(
        # Server sends no id. The body has the time in it, so it is the same only when sent again.
        hashlib.sha256(post.body).hexdigest()
    )
    if event in COMMENT_EVENTS:
        return (_comment(payload, delivery_id),)
    if event in ISSUE_EVENTS:
        issue = _issue(payload, delivery_id, post.body)
        return (issue, _comment(payload, delivery_id)) if child(payload, "comment") else (issue,)
    return () if payload else (_issue(payload, delivery_id, post.body),)


def _origin(payload: dict[str, Any], alone: str) -> Origin:
    issue = child(payload, "issue")
    key = _KEY.fullmatch(text(issue.get("key")))
    base, rest, _ = text(issue.get("self")).partition("/rest/api/")
    return Origin(
        channel="jira",
        container=key[1] if key else UNKNOWN,
        item=key[0] if key else alone,
        url=url(f"{base}/browse/{key[0]}") if key and rest else None,
    )


def _issue(payload: dict[str, Any], delivery_id: str, body: bytes) -> Delivery:
    origin = _origin(payload, f"delivery/{delivery_id}")
    fields = child(payload, "issue", "fields")
    is_gone = payload.get("webhookEvent") == "jira:issue_deleted"
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind="issue",
        sender=account_of(payload.get("user")),
        author=account_of(fields.get("reporter") or fields.get("creator")),
        entity=origin.key,
        meaning=_meaning(fields, is_gone=is_gone) if fields else hashlib.sha256(body).hexdigest(),
    )


def _comment(payload: dict[str, Any], delivery_id: str) -> Delivery:
    comment = child(payload, "comment")
    number = plain(comment.get("id"))
    # Server does not say which issue, only its number in an address: it keeps the order there.
    found = _ISSUE_ID.search(text(comment.get("self"))[-200:])
    alone = f"issue/{found[1]}" if found else f"delivery/{delivery_id}"
    origin = _origin(payload, alone)
    author = comment.get("author")
    is_gone = payload.get("webhookEvent") == "comment_deleted"
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind="comment",
        sender=account_of(payload.get("user") or comment.get("updateAuthor") or author),
        author=account_of(author),
        entity=f"{origin.key}/comment/{number or delivery_id}",
        meaning=_digest(is_gone, _words(comment.get("body"))),
    )


def _meaning(fields: dict[str, Any], *, is_gone: bool) -> str:
    category = text(child(fields, "status", "statusCategory").get("key"))
    return _digest(
        is_gone,
        # A step on the way is nothing to us; the end is.
        category == "done" if category else text(child(fields, "status").get("name")),
        *(_words(fields.get(name)) for name in ("summary", "description", "environment")),
        child(fields, "priority").get("name"),
        account_of(fields.get("assignee")),
        account_of(fields.get("reporter")),
        sorted(map(str, _list(fields.get("labels")))),
        [one.get("name") for one in objects(fields, "versions")],
        [one.get("name") for one in objects(fields, "components")],
    )


def _words(value: object) -> object:
    """Return a text without what a way of sending may change: ends of lines, and blanks around."""
    return value.replace("\r\n", "\n").strip() or None if isinstance(value, str) else value


def _digest(*parts: object) -> str:
    try:
        return digest(*parts)
    except RecursionError:  # Nested deeper than it can be written again; Jira makes none of these.
        return digest("too deep")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def account_of(user: object) -> str:
    """Return the account: Cloud's id, which never changes, or the name that Server has."""
    found = user if isinstance(user, dict) else {}
    names = (plain(found.get(name)) for name in ("accountId", "name", "key"))
    return f"jira:{next((name for name in names if name), UNKNOWN)}"


def _answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    return accepted(post, outcomes) if outcomes else Reply(202, {"status": "ignored"})


_RECOVERY = (
    "Issues and comments that changed in the last 30 days are asked for, in projects that are"
    " sources. Deleted ones are not found."
)
DOORS = (
    Door(
        name="jira",
        channel="jira",
        path="/webhooks/jira",
        looks_signed=_looks_signed,
        refusal=_refusal,
        read=read,
        answer=_answer,
        hint="X-Hub-Signature does not fit the body and the webhook's secret",
        recovery=_RECOVERY,
    ),
    Door(
        name="jira-oauth",
        channel="jira",
        path="/webhooks/jira-oauth",
        looks_signed=_looks_like_a_token,
        refusal=_token_refusal,
        read=read,
        answer=_answer,
        hint="the bearer token is not signed with the app's client secret, or its time is over",
        recovery=_RECOVERY,
    ),
)
