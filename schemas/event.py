"""The envelope every event shares, and the ids that make a replay harmless."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import Annotated, TypedDict
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EVENT_BYTES_MAX = 64 * 1024
"""What is larger is a blob: Kafka is for facts, not for files."""

NAMESPACE = UUID("5a1f3f0e-6f43-5d2c-9a4e-b06557ea0001")
"""Root of every id derived from the outside world (items, subjects)."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """A frozen value. Unknown fields are ignored: an old consumer survives a newer producer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class BlobRef(Model):
    """Where free text or personal data lies. `sha256` is of the stored (encrypted) bytes."""

    sha256: Sha256
    size_bytes: int = Field(ge=0)
    media_type: str
    subject: str
    """Opaque id of the subject whose key encrypts it; destroying that key erases the content."""


class ActorKind(StrEnum):
    """Who can make something happen."""

    STAGE = "stage"
    PERSON = "person"
    MODEL = "model"
    TIMER = "timer"


class Actor(Model):
    """Who did it. A person's id is a subject id, never a name: events are kept for ever."""

    kind: ActorKind
    id: str

    @staticmethod
    @lru_cache(maxsize=64)
    def stage(name: str) -> Actor:
        """Return the actor that stands for a stage of our own."""
        return Actor(kind=ActorKind.STAGE, id=name)


class Event(Model):
    """A fact that already happened: named in the past tense, never edited, never deleted."""

    type: str
    version: int = 1
    event_id: UUID
    project: str
    bug_id: UUID | None = None  # None before dedupe has decided which bug it is.
    actor: Actor
    occurred_at: AwareDatetime
    causation_id: UUID | None = None
    correlation_id: UUID
    blobs: tuple[BlobRef, ...] = ()
    traceparent: str | None = None


class BugScoped(Event):
    """An event about one known bug."""

    bug_id: UUID


_VERSION_BITS = 0xF000 << 64 | 0xC000 << 48
_VERSION_5 = 5 << 76 | 0x8000 << 48


def derived_id(cause: UUID, step: str, index: int = 0) -> UUID:
    """Return the one id that output `index` of `step` can have for `cause`.

    A random id would make every replay look like new facts; this one makes it a duplicate.
    """
    # As `uuid5(cause, ...)`, at half its cost: every event that is written needs at least one.
    digest = sha1(cause.bytes + f"{step}/{index}".encode(), usedforsecurity=False).digest()
    number = int.from_bytes(digest[:16])
    return UUID(int=number & ~_VERSION_BITS | _VERSION_5)


class Caused(TypedDict):
    """The envelope fields an event takes over from its cause."""

    event_id: UUID
    project: str
    actor: Actor
    occurred_at: datetime
    causation_id: UUID
    correlation_id: UUID
    traceparent: str | None


def caused_by(cause: Event, stage: str, index: int = 0) -> Caused:
    """Return the envelope of output `index` of `stage` for `cause`; same cause, same envelope."""
    return Caused(
        event_id=derived_id(cause.event_id, stage, index),
        project=cause.project,
        actor=Actor.stage(stage),
        occurred_at=cause.occurred_at,  # Not now(): a replay next year must not move it.
        causation_id=cause.event_id,
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )


def subject_id(person: str) -> str:
    """Return the opaque id of a person or account, such as `github:octocat`."""
    return str(uuid5(NAMESPACE, f"subject/{person.casefold()}"))


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def human_id(bug_id: UUID, year: int) -> str:
    """Return what people call the bug, such as `BUG-2026-7F3K2`.

    Twenty-five bits of the id: short enough to say aloud, so two bugs may share it. Programs use
    the id itself.
    """
    bits = bug_id.int & (1 << 25) - 1
    code = "".join(_CROCKFORD[bits >> shift & 31] for shift in (20, 15, 10, 5, 0))
    return f"BUG-{year:04d}-{code}"


Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
CHANNELS: tuple[Channel, ...] = (
    "github",
    "jira",
    "email",
    "slack",
    "discord",
    "monitoring",
    "http",
)
"""Those with a topic of their own: partitions for ever. Any other channel's deliveries go through
that of `http`, so that one can be added without a topic; to give it one later breaks the order."""
