"""Discord: interactions (`/bug`, its form, "Report a bug" on a message) and webhook events.

Discord signs with a key of its own, so the "secret" of both doors is the application's public key.
It also sends wrong signatures on purpose, and disconnects whoever lets them in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connectors.channel import (
    ABOUT,
    UNKNOWN,
    Asked,
    Delivery,
    Door,
    Outcome,
    Post,
    Reply,
    Verb,
    child,
    digest,
    is_recent,
    objects,
    parsed,
    text,
    without,
)
from connectors.chat_commands import (
    HELP,
    VERBS,
    Told,
    Unclear,
    Wish,
    bug_name,
    said,
    understood,
    which_bug,
    wish,
)
from schemas.errors import TransientError
from schemas.raw import Origin

WINDOW_S = 900
"""As long as an interaction can be answered, and longer than events are sent again."""
BODY_BYTES_MAX = 1024 * 1024
TITLE_CHARS_MAX = 200
TEXT_CHARS_MAX = 4000
COMMAND = "bug"
REPORT_MESSAGE = "Report a bug"
_SIGNATURE = "x-signature-ed25519"
_TIME = "x-signature-timestamp"
_ID = re.compile(r"[0-9]{1,20}")
_PING, _TYPED, _COMPLETES, _FORM_SENT = 1, 2, 4, 5
_EPHEMERAL = 64
_ON_MESSAGE = 3
_SUBCOMMAND = 1


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return len(headers.get(_SIGNATURE, "")) == 128 and _TIME in headers


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    sent_at = post.headers.get(_TIME, "")
    try:
        signature = bytes.fromhex(post.headers.get(_SIGNATURE, ""))
    except ValueError:
        return "signature"
    signed = sent_at.encode("utf-8", "replace") + post.body
    if not any(_fits(_key(secret), signature, signed) for secret in secrets):
        return "signature"
    return None if is_recent(sent_at, now, window_s=WINDOW_S) else "late"


def _key(secret: str) -> Ed25519PublicKey:
    """Return the public key. A wrong setting is our trouble: it must not read as a forgery."""
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(secret.strip()))
    except ValueError as error:
        raise TransientError(
            "the secret of Discord is the application's public key: 64 hexadecimal digits"
        ) from error


def _fits(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _interaction_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    # One key signs for both doors, and the same numbers mean something else at the other.
    return _refusal(post, secrets, now) or ("route" if "event" in parsed(post.body) else None)


def _event_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    return _refusal(post, secrets, now) or ("route" if "token" in parsed(post.body) else None)


# --- interactions ---


def _reply(post: Post) -> Reply | None:
    payload = parsed(post.body)
    if not payload:
        return None
    kind = payload.get("type")
    if kind == _PING:
        return Reply(200, {"type": 1})
    if kind == _COMPLETES:
        return Reply(200, {"type": 8, "data": {"choices": []}})
    what = _understood(payload)
    if what is None:
        return Reply(200, {"type": 9, "data": _FORM})
    return _whisper(what.text) if isinstance(what, Unclear) else None


def _read(post: Post) -> tuple[Delivery | Asked, ...]:
    payload = parsed(post.body)
    if not payload:
        return (_unreadable(post),)
    what = _understood(payload)
    delivery_id = _fitting(payload.get("id")) or _own_id(post)
    account = f"discord:{_user(payload) or UNKNOWN}"
    match what:
        case Wish(verb, bug, note, about):
            return (Asked(verb, bug, account, delivery_id, note, about),)
        case Told():
            return (_delivery(payload, what, delivery_id, account),)
        case _:
            return ()


def _delivery(payload: dict[str, Any], told: Told, delivery_id: str, account: str) -> Delivery:
    message = _message(payload)
    guild = _fitting(payload.get("guild_id")) or "@me"
    channel = _fitting(payload.get("channel_id")) or UNKNOWN
    item = _fitting(message.get("id")) if message else None
    origin = Origin(
        channel="discord",
        container=f"{guild}/{channel}",
        item=item or f"interaction/{delivery_id}",
        url=f"https://discord.com/channels/{guild}/{channel}/{item}" if item else None,
    )
    author = _fitting(child(message, "author").get("id")) if message else None
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind="message" if message else "interaction",
        sender=account,
        author=f"discord:{author}" if author else account,
        entity=origin.key,
        meaning=digest(told.text),
        # The token answers in our name for fifteen minutes; our answers do not need it.
        body=without(payload, ("token",)),
    )


def _understood(payload: dict[str, Any]) -> Wish | Told | Unclear | None:
    """Return what is asked for; None: the form is wanted."""
    data = child(payload, "data")
    if payload.get("type") == _FORM_SENT:
        return _told(_fields(data))
    if payload.get("type") == _TYPED and data.get("type") == _ON_MESSAGE:
        message = _message(payload)
        is_own = child(message, "author").get("id") == payload.get("application_id")
        return Unclear(HELP) if not message or is_own else Told(text(message.get("content")))
    is_ours = payload.get("type") == _TYPED and data.get("name") == COMMAND
    return _typed(objects(data, "options")) if is_ours else Unclear(HELP)


def _typed(options: list[dict[str, Any]]) -> Wish | Told | Unclear | None:
    below = next((one for one in options if one.get("type") == _SUBCOMMAND), None)
    given = _values(objects(below, "options") if below else options)
    name = text(below.get("name")) if below else ""
    if (verb := next((one for one in VERBS if one == name), None)) is not None:
        bug = bug_name(given.get("bug", ""))
        if bug is None:
            return Unclear(which_bug(verb))
        about = given.get(ABOUT[verb], " ") if verb in ABOUT else ""
        return wish(verb, bug, given.get("note", ""), about)
    if name == "help":
        return Unclear(HELP)
    if not given.get("title") and given.get("text"):
        return understood(given["text"])
    return _told(given) if given else None


def _told(given: Mapping[str, str]) -> Told | Unclear:
    parts = [given.get(name, "").strip() for name in ("title", "text")]
    whole = "\n\n".join(part for part in parts if part)
    return Told(whole) if whole else Unclear(HELP)


def _values(options: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {text(one.get("name")): text(one.get("value")) for one in options}


def _fields(data: dict[str, Any]) -> dict[str, str]:
    """Return what was typed into the form: rows of inputs, or labels with one input each."""
    inputs: dict[str, str] = {}
    for row in objects(data, "components"):
        for one in (*objects(row, "components"), child(row, "component")):
            inputs[text(one.get("custom_id"))] = text(one.get("value"))
    return inputs


def _message(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the message that a person pointed at; an empty one where there is none."""
    data = child(payload, "data")
    target = _fitting(data.get("target_id"))
    return child(data, "resolved", "messages", target) if target else {}


def _user(payload: dict[str, Any]) -> str | None:
    inside = child(payload, "member", "user") or child(payload, "user")
    return _fitting(inside.get("id"))


def _answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    del post
    return _whisper(said(outcomes))


def _whisper(words: str) -> Reply:
    """Answer so that only the person who typed sees it. `words` are ours."""
    data = {"content": words, "flags": _EPHEMERAL, "allowed_mentions": {"parse": []}}
    return Reply(200, {"type": 4, "data": data})


def _unreadable(post: Post) -> Delivery:
    """Return genuine bytes that are no JSON: kept, for people to look at."""
    own_id = _own_id(post)
    origin = Origin(channel="discord", container=UNKNOWN, item=f"delivery/{own_id}")
    account = f"discord:{UNKNOWN}"
    body_hash = hashlib.sha256(post.body).hexdigest()
    return Delivery(origin, own_id, account, account, origin.key, body_hash, "unreadable")


def _own_id(post: Post) -> str:
    return digest(hashlib.sha256(post.body).hexdigest())[:40]


def _fitting(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _input(name: str, label: str, style: int, chars_max: int, *, required: bool) -> dict[str, Any]:
    asks = {"type": 4, "custom_id": name, "label": label, "style": style}
    return {"type": 1, "components": [asks | {"max_length": chars_max, "required": required}]}


def _option(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": description, "required": required}


def _about(verb: Verb) -> tuple[dict[str, Any], ...]:
    name = ABOUT.get(verb)
    return (_option(name, _ABOUT[name], required=True),) if name else ()


def _subcommand(name: str, description: str, *options: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "name": name, "description": description, "options": list(options)}


_ABOUT: Mapping[str, str] = {
    "into": "The other one's name; the older of both stays",
    "from": "The other one's name",
    "report": "Its id or its place, such as github:acme/shop#12",
}
_DOES: Mapping[Verb, str] = {
    "approve": "Approve a bug",
    "reject": "Reject a bug",
    "retry": "Retry a bug",
    "abandon": "Abandon a bug",
    "merge": "Say that two bugs are one",
    "split": "Say that a report is of another fault",
    "keep-apart": "Say that two bugs are two, however alike",
}
_FORM = {
    "custom_id": COMMAND,
    "title": "Report a bug",
    "components": [
        _input("title", "What is wrong?", 1, TITLE_CHARS_MAX, required=True),
        _input("text", "What did you do, and what came of it?", 2, TEXT_CHARS_MAX, required=False),
    ],
}

COMMANDS: tuple[Mapping[str, Any], ...] = (
    {
        "name": COMMAND,
        "type": 1,
        "description": "Report a bug, or decide about one",
        "options": [
            _subcommand(
                "report",
                "Report a bug; without words a form opens",
                _option("title", "What is wrong"),
                _option("text", "What you did, and what came of it"),
            ),
            *(
                _subcommand(
                    verb,
                    _DOES[verb],
                    _option("bug", "Its name, such as BUG-2026-7F3K2", required=True),
                    *_about(verb),
                    _option("note", "Why"),
                )
                for verb in VERBS
            ),
            _subcommand("help", "Show what can be typed"),
        ],
    },
    {"name": REPORT_MESSAGE, "type": _ON_MESSAGE},
)
"""What the application registers with Discord, once."""

# --- webhook events ---


def _event_reply(post: Post) -> Reply | None:
    """Acknowledge, as Discord wants it: who installed or paid is of no interest here."""
    del post
    return Reply(204)


def _no_deliveries(post: Post) -> tuple[Delivery, ...]:
    del post
    return ()


_HINT = (
    "X-Signature-Ed25519 does not fit the body and the application's public key, the request is"
    " too old, or interactions and events were sent to each other's URL"
)
DOORS: tuple[Door, Door] = (
    Door(
        name="discord",
        channel="discord",
        path="/webhooks/discord",
        body_bytes_max=BODY_BYTES_MAX,
        looks_signed=_looks_signed,
        refusal=_interaction_refusal,
        reply=_reply,
        read=_read,
        answer=_answer,
        hint=_HINT,
        recovery="Interactions cannot be recovered: Discord sends each once and keeps none.",
    ),
    Door(
        name="discord-events",
        channel="discord",
        path="/webhooks/discord/events",
        body_bytes_max=BODY_BYTES_MAX,
        looks_signed=_looks_signed,
        refusal=_event_refusal,
        reply=_event_reply,
        read=_no_deliveries,
        hint=_HINT,
        recovery="Events are sent again for ten minutes; later they cannot be recovered.",
    ),
)
