"""Every topic, once. A name that is not here does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.event import CHANNELS

PARTITIONS = 12
"""For ever: changing it would move keys to other partitions and break their order."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as data. `retention_days` None: kept for ever, because state is rebuilt from it."""

    name: str
    retention_days: int | None
    compacted: bool = False
    partitions: int = PARTITIONS


RAW = {channel: Topic(f"raw.{channel}.v1", retention_days=365) for channel in CHANNELS}
BUGS_NORMALIZED = Topic("bugs.normalized.v1", retention_days=90)
BUGS_EMBEDDINGS = Topic("bugs.embeddings.v1", retention_days=None, compacted=True)
BUGS_LINKS = Topic("bugs.links.v1", retention_days=None, compacted=True)
BUGS_EVENTS = Topic("bugs.events.v1", retention_days=None)
BUGS_COMMANDS = Topic("bugs.commands.v1", retention_days=365)
BUGS_STATE = Topic("bugs.state.v1", retention_days=None, compacted=True)

STAGES = ("normalize", "dedupe", "lifecycle", "locate", "fix", "verify", "release", "notify")
"""Each is one consumer group. Renaming one re-reads its whole source."""

SOURCES: dict[str, tuple[Topic, ...]] = {
    "normalize": tuple(RAW.values()),
    "dedupe": (BUGS_NORMALIZED, BUGS_LINKS),
    "lifecycle": (BUGS_EVENTS, BUGS_COMMANDS),
    **dict.fromkeys(("locate", "fix", "verify", "release", "notify"), (BUGS_EVENTS,)),
}
"""What each stage reads, beside its own retry topic."""


def raw(channel: str) -> Topic:
    """Return the topic of a channel's deliveries."""
    return RAW.get(channel, RAW["http"])


def dead_letters(group: str) -> Topic:
    """Return the topic of what `group` could not handle."""
    return Topic(f"{group}.dlq", retention_days=90)


def retries(group: str) -> Topic:
    """Return the topic of what is given to `group`, and to it alone, once more."""
    return Topic(f"{group}.retry", retention_days=90)


ALL: tuple[Topic, ...] = (
    *RAW.values(),
    BUGS_NORMALIZED,
    BUGS_EMBEDDINGS,
    BUGS_LINKS,
    BUGS_EVENTS,
    BUGS_COMMANDS,
    BUGS_STATE,
    *(dead_letters(stage) for stage in STAGES),
    *(retries(stage) for stage in STAGES),
)
