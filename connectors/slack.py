"""Slack: the Events API and the slash command `/bug`, both signed by the app's signing secret.

A new message that speaks to the app opens a report, replies in its thread are comments. Nothing
that a program wrote is heard, our own answers least of all: hearing them would be a loop.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from connectors.channel import (
    UNKNOWN,
    Asked,
    Delivery,
    Door,
    Outcome,
    Post,
    Reply,
    child,
    digest,
    is_hex_hmac,
    is_recent,
    objects,
    parsed,
    plain,
    text,
    without,
)
from connectors.chat_commands import Told, Unclear, Wish, said, understood
from schemas.raw import Origin

WINDOW_S = 300
EVENT_BYTES_MAX = 1024 * 1024
COMMAND_BYTES_MAX = 256 * 1024
FORM_FIELDS_MAX = 100
TRIGGERS = ("bug:",)
"""A message that starts with one of these opens a report, without a mention of the app."""
_SIGNATURE = "x-slack-signature"
_TIME = "x-slack-request-timestamp"
_FORM = "application/x-www-form-urlencoded"
_SECRETS = ("token", "response_url", "trigger_id")
"""Fields that let whoever reads them act for Slack or for us: the inbox does not keep them."""
_ID = re.compile(r"[A-Z0-9]{1,30}")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")
_HEARD = frozenset({"", "file_share", "thread_broadcast", "me_message", "message_changed"})
"""Subtypes that people cause by writing; joins, topics and programs are not among them."""


def doors(triggers: Sequence[str] = TRIGGERS) -> tuple[Door, Door]:
    """Return the doors of Slack. A message that starts with one of `triggers` is a report."""
    lower = tuple(word.casefold() for word in triggers)
    events = Door(
        name="slack",
        channel="slack",
        path="/webhooks/slack",
        body_bytes_max=EVENT_BYTES_MAX,
        looks_signed=_looks_signed,
        refusal=_event_refusal,
        reply=_event_reply,
        read=lambda post: _event(post, lower),
        answer=_event_answer,
        hint=_HINT,
        recovery=(
            "Messages, their edits, and replies to reports of the last three days are asked for, in"
            " channels that are sources."
        ),
    )
    command = Door(
        name="slack-command",
        channel="slack",
        path="/webhooks/slack/command",
        body_bytes_max=COMMAND_BYTES_MAX,
        looks_signed=_looks_signed,
        refusal=_command_refusal,
        reply=_command_reply,
        read=_command,
        answer=_command_answer,
        hint=_HINT,
        recovery="Slash commands cannot be recovered: Slack sends each once and keeps none.",
    )
    return (events, command)


_HINT = (
    "X-Slack-Signature does not fit the body and the app's signing secret, the request is older"
    " than five minutes, or events and commands were sent to each other's URL"
)


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return headers.get(_SIGNATURE, "").startswith("v0=") and _TIME in headers


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    sent_at = post.headers.get(_TIME, "")
    base = b"v0:" + sent_at.encode("utf-8", "replace") + b":" + post.body
    if not is_hex_hmac(base, post.headers.get(_SIGNATURE, ""), secrets, prefix="v0="):
        return "signature"
    return None if is_recent(sent_at, now, window_s=WINDOW_S) else "late"


def _is_form(post: Post) -> bool:
    return post.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def _event_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    # One secret signs for both doors, and what the other one is sent means something else here.
    return _refusal(post, secrets, now) or ("route" if _is_form(post) else None)


def _command_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    return _refusal(post, secrets, now) or (None if _is_form(post) else "route")


# --- events ---


def _event_reply(post: Post) -> Reply | None:
    payload = parsed(post.body)
    match payload.get("type"):
        case "url_verification":
            return Reply(200, {"challenge": text(payload.get("challenge"))[:1000]})
        case "app_rate_limited":
            return Reply(200, {"status": "ignored"})
        case _:
            return None


def _event_answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    del post
    return Reply(200, {"status": outcomes[0].status if outcomes else "ignored"})


@dataclass(frozen=True, slots=True)
class _Message:
    """A message as it stands now, however Slack told of it."""

    team: str
    channel: str
    stamp: str | None
    thread: str | None
    author: str
    editor: str
    said: Mapping[str, Any]
    before: Mapping[str, Any]
    own: frozenset[str]
    """Users that are this app."""

    @property
    def is_reply(self) -> bool:
        return self.thread is not None and self.thread != self.stamp

    @property
    def is_by_program(self) -> bool:
        is_bot = any(self.said.get(name) for name in ("bot_id", "bot_profile"))
        return is_bot or self.said.get("subtype") == "bot_message" or self.author in self.own


def _event(post: Post, triggers: tuple[str, ...]) -> tuple[Delivery, ...]:
    payload = parsed(post.body)
    if not payload:
        return (_unreadable(post),)
    event = child(payload, "event")
    if payload.get("type") != "event_callback" or not _is_heard(event):
        return ()
    message = _message(payload, event)
    if message.is_by_program or not (message.is_reply or _is_report(message, event, triggers)):
        return ()
    found = _delivery(message, plain(payload.get("event_id")) or _own_id(post))
    return (replace(found, body=without(payload, _SECRETS)),)


def _is_heard(event: Mapping[str, Any]) -> bool:
    if event.get("type") == "app_mention":
        return True
    return event.get("type") == "message" and text(event.get("subtype")) in _HEARD


def _message(payload: Mapping[str, Any], event: dict[str, Any]) -> _Message:
    is_edit = event.get("subtype") == "message_changed"
    now = child(event, "message") if is_edit else event
    before = child(event, "previous_message") if is_edit else {}
    team = now.get("user_team") or now.get("team") or payload.get("team_id")
    user = _fitting(_ID, now.get("user"))
    editor = _fitting(_ID, child(now, "edited").get("user")) or user
    return _Message(
        team=_fitting(_ID, payload.get("team_id")) or UNKNOWN,
        channel=_fitting(_ID, event.get("channel")) or UNKNOWN,
        stamp=_fitting(_STAMP, now.get("ts")) or _fitting(_STAMP, before.get("ts")),
        thread=_fitting(_STAMP, now.get("thread_ts")) or _fitting(_STAMP, before.get("thread_ts")),
        author=f"slack:{_fitting(_ID, team) or UNKNOWN}:{user or UNKNOWN}",
        editor=f"slack:{_fitting(_ID, team) or UNKNOWN}:{editor or UNKNOWN}",
        said=now,
        before=before,
        own=frozenset(
            f"slack:{_fitting(_ID, team) or UNKNOWN}:{text(one.get('user_id'))}"
            for one in objects(payload, "authorizations")
            if one.get("is_bot") is True
        ),
    )


def _is_report(message: _Message, event: Mapping[str, Any], triggers: tuple[str, ...]) -> bool:
    """Return whether a message in no thread speaks to us, or did before it was edited."""
    if event.get("type") == "app_mention" or event.get("channel_type") == "im":
        return True
    mentions = [f"<@{user.rpartition(':')[2]}" for user in message.own]
    for one in (message.said, message.before):
        words = text(one.get("text")).lstrip()
        if words[:100].casefold().startswith(triggers):
            return True
        if any(f"{mention}{end}" in words for mention in mentions for end in (">", "|")):
            return True
    return False


def _delivery(message: _Message, delivery_id: str) -> Delivery:
    stamp = message.stamp
    root = message.thread or stamp
    origin = Origin(
        channel="slack",
        container=f"{message.team}/{message.channel}",
        item=root or f"delivery/{delivery_id[:100]}",
        url=_link(message.channel, root),
    )
    part = f"/comment/{stamp or delivery_id[:100]}" if message.is_reply else ""
    files = [text(one.get("id")) for one in objects(message.said, "files")]
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind="comment" if message.is_reply else "message",
        sender=message.editor,
        author=message.author,
        entity=origin.key + part,
        meaning=digest(text(message.said.get("text")), files),
    )


def _link(channel: str, stamp: str | None) -> str | None:
    if channel == UNKNOWN or stamp is None:
        return None
    return f"https://slack.com/archives/{channel}/p{stamp.replace('.', '')}"


def _unreadable(post: Post) -> Delivery:
    """Return genuine bytes that are no JSON: kept, for people to look at."""
    own_id = _own_id(post)
    origin = Origin(channel="slack", container=UNKNOWN, item=f"delivery/{own_id}")
    account = f"slack:{UNKNOWN}:{UNKNOWN}"
    body_hash = hashlib.sha256(post.body).hexdigest()
    return Delivery(origin, own_id, account, account, origin.key, body_hash, "unreadable")


def _own_id(post: Post) -> str:
    """Return an id for a delivery that carries none: the same when Slack sends it again."""
    return digest(hashlib.sha256(post.body).hexdigest())[:40]


# --- the slash command ---


def _form(post: Post) -> dict[str, str]:
    try:
        found = parse_qs(
            post.body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _command_reply(post: Post) -> Reply | None:
    form = _form(post)
    if "command" not in form:
        # Slack tries the certificate with `ssl_check`; buttons and forms are not ours.
        return Reply(200, {})
    what = understood(form.get("text", ""))
    return _whisper(what.text) if isinstance(what, Unclear) else None


def _command(post: Post) -> tuple[Delivery | Asked, ...]:
    form = _form(post)
    what = understood(form.get("text", ""))
    team = _fitting(_ID, form.get("team_id")) or UNKNOWN
    channel = _fitting(_ID, form.get("channel_id")) or UNKNOWN
    account = f"slack:{team}:{_fitting(_ID, form.get('user_id')) or UNKNOWN}"
    delivery_id = plain(form.get("trigger_id")) or _own_id(post)
    match what:
        case Wish(verb, bug, note, about):
            return (Asked(verb, bug, account, delivery_id, note, about),)
        case Told():
            origin = Origin(
                channel="slack",
                container=f"{team}/{channel}",
                # The command itself leaves no message that could be answered in its thread.
                item=f"command/{delivery_id[:100]}",
            )
            kept = {name: value for name, value in form.items() if name not in _SECRETS}
            return (
                Delivery(
                    origin=origin,
                    delivery_id=delivery_id,
                    sender=account,
                    author=account,
                    entity=origin.key,
                    meaning=digest(what.text),
                    body=urlencode(kept).encode(),
                ),
            )
        case Unclear():
            return ()


def _command_answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    del post
    return _whisper(said(outcomes))


def _whisper(words: str) -> Reply:
    """Answer so that only the person who typed sees it. `words` are ours."""
    return Reply(200, {"response_type": "ephemeral", "text": words})


def _fitting(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


DOORS = doors()
