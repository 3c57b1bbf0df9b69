"""Event type -> class, topic, writing stage, key: the one table the whole system goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zlib import crc32

from schemas import bugs, commands, identity, links, raw, reports, rollouts, topics
from schemas.event import Event
from schemas.topics import Topic


@dataclass(frozen=True)
class EventType:
    """How events of one type travel."""

    model: type[Event]
    writer: str
    """The one stage that writes it; `relay` and `runner` are parts of the runtime."""
    topic: Callable[[Any], Topic]
    key: Callable[[Any], str]
    partitioned_by: Callable[[Any], str]

    @cached_property
    def name(self) -> str:
        """Return the type as it stands on the wire."""
        return str(self.model.model_fields["type"].default)

    @cached_property
    def version(self) -> int:
        """Return the newest version this program writes and reads."""
        return int(self.model.model_fields["version"].default)


def _bug(event: Event) -> str:
    return str(event.bug_id)


def _project(event: Event) -> str:
    return event.project


def _item(event: raw.RawReceived) -> str:
    return event.origin.key


def _report(event: reports.ReportEvent) -> str:
    origin = event.report.origin if isinstance(event, reports.ReportNormalized) else event.origin
    return str(origin.report_id)


def _fact(writer: str, *models: type[Event]) -> tuple[EventType, ...]:
    return tuple(EventType(m, writer, lambda _: topics.BUGS_EVENTS, _bug, _bug) for m in models)


def _command(*models: type[Event]) -> tuple[EventType, ...]:
    return tuple(EventType(m, "relay", lambda _: topics.BUGS_COMMANDS, _bug, _bug) for m in models)


def _link(*models: type[Event]) -> tuple[EventType, ...]:
    return tuple(
        EventType(m, "lifecycle", lambda _: topics.BUGS_LINKS, links.key_of, _project)
        for m in models
    )


def _normalized(*models: type[Event]) -> tuple[EventType, ...]:
    return tuple(
        EventType(m, "normalize", lambda _: topics.BUGS_NORMALIZED, _report, _project)
        for m in models
    )


ALL: tuple[EventType, ...] = (
    EventType(raw.RawReceived, "relay", lambda e: topics.raw(e.origin.channel), _item, _item),
    *_normalized(reports.ReportNormalized, reports.ReportCommented),
    *_command(*commands.COMMANDS),
    *_fact(
        "dedupe",
        bugs.BugOpened,
        bugs.ReportLinked,
        bugs.ReportUpdated,
        bugs.CommentAdded,
        bugs.LinkSuggested,
    ),
    *_fact(
        "lifecycle",
        identity.MergeRequested,
        identity.BugMerged,
        identity.BugAbsorbed,
        identity.BugSplit,
        identity.ApartRequested,
        identity.BugsKeptApart,
        bugs.LocateRequested,
        bugs.FixRequested,
        bugs.VerifyRequested,
        bugs.ApprovalRequested,
        bugs.ApprovalGranted,
        bugs.ApprovalRejected,
        bugs.RetryAccepted,
        bugs.CommandRefused,
        bugs.ReleaseRequested,
        bugs.NotifyRequested,
        bugs.BugClosed,
        rollouts.RolloutRequested,
    ),
    *_link(*links.LINKS),
    *_fact("locate", bugs.BugLocated, bugs.LocateDeclined),
    *_fact("fix", bugs.FixProposed, bugs.FixDeclined, bugs.BudgetSpent),
    *_fact("verify", bugs.FixVerified, bugs.FixRejected),
    *_fact("release", bugs.FixReleased, bugs.ReleaseDeclined),
    *_fact("notify", bugs.ReporterNotified),
    *_fact("runner", bugs.StageFailed),
    *_fact(
        "rollout",
        rollouts.RolloutStarted,
        rollouts.RolloutPromoted,
        rollouts.RolloutHalted,
        rollouts.RolloutCompleted,
    ),
)

BY_TYPE: dict[str, EventType] = {entry.name: entry for entry in ALL}


def place_of(event: Event) -> tuple[Topic, str, int]:
    """Return topic, key and partition of `event`: crc32 of what it is partitioned by."""
    entry = BY_TYPE[event.type]
    topic, key = entry.topic(event), entry.key(event)
    by = key if entry.partitioned_by is entry.key else entry.partitioned_by(event)
    return topic, key, crc32(by.encode()) % topic.partitions


def partition_of(event: Event) -> int:
    """Return the partition of `event` in its topic."""
    return place_of(event)[2]
