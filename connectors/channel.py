"""What every channel's door is made of: a post comes in, it is genuine, it speaks of something."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from schemas.errors import TransientError
from schemas.event import Channel
from schemas.raw import Origin

ACCOUNT_CHARS_MAX = 200
NAME_CHARS_MAX = 200
UNKNOWN = "unknown"
_PLAIN = re.compile(r"[\w.@+:/-]{1,200}", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,1900}")

Verb = Literal["approve", "reject", "retry", "abandon", "merge", "split", "keep-apart"]
ABOUT: Final[Mapping[Verb, str]] = {"merge": "into", "split": "report", "keep-apart": "from"}
"""What else a verb needs to be told, as people are asked for it."""


@dataclass(frozen=True, slots=True)
class Post:
    """An HTTP request as it came. Names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One item that a post speaks of, as the inbox needs to know it."""

    origin: Origin
    """The item; for a comment the item it stands under, so that both keep their order."""
    delivery_id: str
    """The sender's id, the same when it is sent again."""
    sender: str
    """Account that caused it, such as `github:octocat`."""
    author: str
    """Account that wrote the text."""
    entity: str
    """The item or the comment it speaks of."""
    meaning: str
    """Hash of what it says of the entity, without what changes at each delivery."""
    kind: str = ""
    """What sort of delivery it is: part of the route, such as `issues` of `github/issues`."""
    body: bytes | None = None
    """The part of the post that speaks of it, where one post speaks of many; None: all of it."""
    author_verified: bool = True
    """Whether the channel vouches that `author` is who wrote it; a mail may say anything."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person asks something of a bug, in a channel that knows who it is."""

    verb: Verb
    bug: str
    """As people write it, such as `BUG-2026-7F3K2`."""
    account: str
    delivery_id: str
    note: str = ""
    about: str = ""
    """The other bug of a merge or a keeping apart, or the report that is split off."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `body` goes out as JSON; with the status 204 nothing does."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery or of one wish of a person, with a sentence for people."""

    status: Literal["accepted", "duplicate", "unknown_bug", "not_allowed"]
    text: str
    ids: Mapping[str, str] = field(default_factory=dict)


def _always(headers: Mapping[str, str]) -> bool:
    del headers
    return True


def _no_reply(post: Post) -> Reply | None:
    del post
    return None


def accepted(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    """Answer 202 with what became of each."""
    del post
    if len(outcomes) == 1:
        return Reply(202, {"status": outcomes[0].status, **outcomes[0].ids})
    return Reply(202, {"status": "accepted", "items": len(outcomes)})


@dataclass(frozen=True, slots=True)
class Door:
    """How one sender delivers. Nothing here waits or stores: the gateway does."""

    name: str
    """What settings call it, such as `alertmanager`."""
    channel: Channel
    path: str
    refusal: Callable[[Post, Sequence[str], datetime], str | None]
    """Why the post is not genuine, in one word such as `signature` or `late`; None: it is.

    Over the raw bytes; the secrets are the live ones, any of which may have been used.
    """
    read: Callable[[Post], Sequence[Delivery | Asked]]
    """What the post speaks of; nothing where it is of no interest. Never raises."""
    body_bytes_max: int = 4 * 1024 * 1024
    looks_signed: Callable[[Mapping[str, str]], bool] = _always
    """Whether it is worth reading the body: a stranger may make that large."""
    reply: Callable[[Post], Reply | None] = _no_reply
    """What is answered at once, such as to a ping, without keeping anything."""
    answer: Callable[[Post, Sequence[Outcome]], Reply] = accepted
    hint: str = "the signature does not fit the body and the secret"
    """What a sender is told whose post is refused."""
    recovery: str = ""
    """What becomes of what was sent while we were down, in a sentence or two for people."""
    paths_too: tuple[str, ...] = ()
    """Other paths that lead to it, such as those that a protocol prescribes."""


def is_hex_hmac(body: bytes, given: str, secrets: Sequence[str], *, prefix: str = "") -> bool:
    """Return whether `given` is `prefix` and the SHA-256 HMAC of `body` with one of `secrets`."""
    said = given.encode("utf-8", "replace")
    return any(
        hmac.compare_digest(
            prefix.encode() + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(),
            said,
        )
        for secret in secrets
    )


def is_bearer(headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Return whether the request carries one of `secrets` as its bearer token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    right = [hmac.compare_digest(given.strip().encode(), secret.encode()) for secret in secrets]
    return scheme.lower() == "bearer" and any(right)


def is_recent(seconds: str, now: datetime, *, window_s: int) -> bool:
    """Return whether the Unix time `seconds` lies within `window_s` of `now`."""
    if not seconds.isascii() or not seconds.isdecimal() or len(seconds) > 12:
        return False
    return abs(now.timestamp() - int(seconds)) <= window_s


def parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; an empty one where there is none. Never raises."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def child(parent: object, *names: str) -> dict[str, Any]:
    """Return the object at the path `names` below `parent`; an empty one where there is none."""
    for name in names:
        parent = parent.get(name) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def objects(parent: object, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list `name` of `parent`; of anything else nothing."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def listed(parent: object, name: str, provider: str) -> list[dict[str, Any]]:
    """Return the objects in the list `name` of what `provider` answered.

    Raises `TransientError` where there is no list: what cannot be read is not nothing, and what is
    taken for nothing is posted twice, or never asked for again.
    """
    if not isinstance(parent, dict) or not isinstance(parent.get(name), list):
        raise TransientError(f"{provider}'s answer holds no list of {name}")
    return objects(parent, name)


def text(value: object) -> str:
    """Return `value` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def plain(value: object) -> str | None:
    """Return `value` if it can be part of an id as it is: short, printable, without blanks."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)[:30]
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else None


def url(value: object) -> str | None:
    """Return `value` if it is an http or https URL of sensible length."""
    return value if isinstance(value, str) and _URL.fullmatch(value) else None


def without(payload: Mapping[str, Any], secrets: Collection[str]) -> bytes:
    """Return the JSON of `payload` without the fields `secrets`: what the inbox may keep of it."""
    try:
        return json.dumps({k: v for k, v in payload.items() if k not in secrets}).encode()
    except RecursionError:  # Nested deeper than it can be written again; no provider makes these.
        return b"{}"


def digest(*parts: object) -> str:
    """Return the hash of what `parts` say, such as a meaning or an id of our own making."""
    said = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
