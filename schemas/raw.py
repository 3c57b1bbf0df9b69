"""What a channel delivered, as it was delivered. Written by the inbox relay, read by normalize."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field

from schemas.event import NAMESPACE, BlobRef, Channel, Event, Model, Sha256

ORIGIN_MARKER = "bugstream-origin:"
"""Begins the last line of everything we write elsewhere, so that it is known when it comes back."""

_ORIGIN_LINE = re.compile(ORIGIN_MARKER + r"([0-9a-f-]{36})")


def origin_line(key: UUID) -> str:
    """Return the line that ends the message with the idempotency key `key`."""
    return f"{ORIGIN_MARKER}{key}"


def is_ours(text: str, key: UUID | None = None) -> bool:
    """Return whether `text` is a message of ours: the one with `key`, or any.

    Only its last line counts, and that as a whole: a person who quotes us and answers below, or
    beside it, is a person.
    """
    last = text.rstrip().rsplit("\n", 1)[-1]
    found = _ORIGIN_LINE.fullmatch(last.lstrip(" <!-*_~{").rstrip(" ->*_~}"))
    return found is not None and (key is None or found[1] == str(key))


_WEB_URL = re.compile(r"https?://[!-~]{1,1990}", re.IGNORECASE)


def web_url(value: object) -> str | None:
    """Return `value` if a browser would open it as a page; `javascript:` and the like are dropped.

    A report shows its address to people, who click on it.
    """
    return value if isinstance(value, str) and _WEB_URL.fullmatch(value) else None


WebUrl = Annotated[str | None, BeforeValidator(web_url)]
"""An http or https address; of anything else nothing is left."""


LABEL_PREFIX = "bugstream:"
LABEL_DESCRIPTION = "Set by bugstream, a program"
"""Of every label we make: so it is known when it comes back, whatever it is called."""


def is_our_label(name: str, description: str) -> bool:
    """Return whether a label is one that we set: it says how we fare, and nothing of the bug."""
    return description == LABEL_DESCRIPTION or name.casefold().startswith(LABEL_PREFIX)


def report_id_of(key: str) -> UUID:
    """Return the id of the report that the item `channel:container#item` is."""
    return uuid5(NAMESPACE, f"item/{key}")


class Origin(Model):
    """The item in the outside world that a report is, and where an answer goes."""

    channel: Channel
    container: str
    """Repository, mailbox, chat channel, tool: what settings map to a project."""
    item: str
    """Id inside the container: issue number, message id, the tool's own key."""
    url: WebUrl = None

    @property
    def key(self) -> str:
        """Return `channel:container#item`, the key of the item in every topic."""
        return f"{self.channel}:{self.container}#{self.item}"

    @property
    def report_id(self) -> UUID:
        """Return the id of the report, the same after every edit."""
        return report_id_of(self.key)


class RawReceived(Event):
    """One delivery of a channel. `body` holds the bytes as text, or `blobs[0]` when too large."""

    type: Literal["raw.received"] = "raw.received"
    origin: Origin
    route: str
    """Which endpoint or poller received it, such as `github/issues`."""
    delivery_id: str
    content_type: str
    headers: dict[str, str] = Field(default_factory=dict)
    """Only those that carry meaning; signatures and tokens are removed before storing."""
    body: str | None = None
    body_encoding: Literal["utf-8", "base64"] = "utf-8"
    content_sha256: Sha256
    """Of the bytes received, before any encoding."""
    authenticated: bool
    """Whether the channel's own signature or token was right."""
    author_verified: bool = True
    """Whether the channel vouches for who wrote it. If not, nobody is trusted for it."""
    body_blob: BlobRef | None = None
