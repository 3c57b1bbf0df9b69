"""What a channel delivered, as it was delivered. Written by the inbox relay, read by normalize."""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid5

from pydantic import Field

from schemas.event import NAMESPACE, BlobRef, Channel, Event, Model, Sha256


class Origin(Model):
    """The item in the outside world that a report is, and where an answer goes."""

    channel: Channel
    container: str
    """Repository, mailbox, chat channel, tool: what settings map to a project."""
    item: str
    """Id inside the container: issue number, message id, the tool's own key."""
    url: str | None = None

    @property
    def key(self) -> str:
        """Return `channel:container#item`, the key of the item in every topic."""
        return f"{self.channel}:{self.container}#{self.item}"

    @property
    def report_id(self) -> UUID:
        """Return the id of the report, the same after every edit."""
        return uuid5(NAMESPACE, f"item/{self.key}")


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
    body_blob: BlobRef | None = None
