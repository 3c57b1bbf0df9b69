"""Turn what a channel delivered into the standard bug report. Reads `raw.*`, writes reports."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from processors.base import Processor
from processors.channels.parsed import Parsed, Parser
from processors.ports import Blobs
from processors.projects import Mapping as Rule
from processors.projects import project_of, trust_of
from processors.report_text.hidden import visible_text
from processors.report_text.templates import Template, read_templates
from processors.reporting import readable, report_of
from schemas import topics
from schemas.errors import PoisonError
from schemas.event import Event, caused_by, subject_id
from schemas.projects import Project
from schemas.raw import Origin, RawReceived
from schemas.reports import (
    NOTE_CHARS_MAX,
    BugReport,
    ReportCommented,
    ReportNormalized,
    Trust,
)

NAME = "normalize"
INLINE_CHARS_MAX = 8_000
"""Of each text inside the event; the blob holds the whole."""
PART_CHARS_MAX = 1_000
"""Of what was expected and what happened, there."""
TRACE_FRAMES_INLINE_MAX = 40
ATTACHMENTS_INLINE_MAX = 10

Templates = Callable[[Origin], Mapping[str, str] | None]
"""Origin -> the issue templates of its repository: path -> content; None where it has none.

Whatever it answers is read, once for each delivery; what was read then stands in the report.
"""


def no_templates(origin: Origin) -> None:
    """Return None: reports are read by their headings."""
    del origin


@dataclass(frozen=True, slots=True)
class _World:
    blobs: Blobs
    projects: Sequence[Project]
    parsers: Mapping[str, Parser]
    templates: Templates


def make(
    blobs: Blobs,
    projects: Sequence[Project],
    parsers: Mapping[str, Parser],
    *,
    templates: Templates = no_templates,
) -> Processor:
    """Return the stage. `parsers` are those of each channel, by its name."""
    world = _World(blobs, projects, parsers, templates)

    def handle(event: Event) -> Iterator[ReportNormalized | ReportCommented]:
        if isinstance(event, RawReceived):
            yield from _normalize(event, world)

    return Processor(NAME, topics.SOURCES[NAME], handle)


def normalize(
    raw: RawReceived,
    blobs: Blobs,
    projects: Sequence[Project],
    parsers: Mapping[str, Parser],
    *,
    templates: Templates = no_templates,
) -> Iterator[ReportNormalized | ReportCommented]:
    """Yield the report in `raw`, or nothing where it speaks of no bug.

    Raises `PoisonError` for a body that no parser understands.
    """
    yield from _normalize(raw, _World(blobs, projects, parsers, templates))


def _normalize(raw: RawReceived, world: _World) -> Iterator[ReportNormalized | ReportCommented]:
    if not raw.authenticated:
        raise PoisonError(f"delivery {raw.delivery_id[:80]!r} was not authenticated")
    parser = world.parsers.get(raw.origin.channel)
    if parser is None:
        raise PoisonError(f"no parser for channel {raw.origin.channel!r} in this release")
    blobs = world.blobs
    understood = parser(raw, _body(raw, blobs))
    if understood is None:
        return
    parsed = readable(understood)
    mapping = _named(raw, world.projects) or project_of(world.projects, raw.origin)
    project = next((p for p in world.projects if p.id == mapping.project), None)
    trust, trust_reason = trust_of(project, account=parsed.account, association=parsed.association)
    if not raw.author_verified:
        trust, trust_reason = Trust.STRANGER, "nobody vouches for who wrote it"
    subject = subject_id(parsed.account)
    envelope = caused_by(raw, NAME) | {"project": mapping.project}
    if parsed.comment:
        said = visible_text(parsed.text).text
        yield ReportCommented(
            **envelope,
            report_id=raw.origin.report_id,
            origin=raw.origin,
            comment_blob=blobs.put(said.encode(), media_type="text/markdown", subject=subject),
            trust=trust,
            note=parsed.note[:NOTE_CHARS_MAX],
            happened=parsed.happened,
            bug_name=parsed.bug or None,
        )
        return
    report = report_of(raw.origin, parsed, _templates(world, raw.origin))
    whole = report.model_dump_json(exclude_none=True).encode()
    yield ReportNormalized(
        **envelope,
        report=_inline(report),
        report_blob=blobs.put(whole, media_type="application/json", subject=subject),
        trust=trust,
        trust_reason=trust_reason,
        project_reason=mapping.reason,
        content_sha256=_meaning(parsed),
    )


def _named(raw: RawReceived, projects: Sequence[Project]) -> Rule | None:
    if any(project.id == raw.project for project in projects):
        return Rule(raw.project, "named by the sender")
    return None


def _body(raw: RawReceived, blobs: Blobs) -> bytes:
    if raw.body is None:
        if raw.body_blob is None:
            raise PoisonError("the delivery has neither 'body' nor 'body_blob'")
        return blobs.get(raw.body_blob)
    return base64.b64decode(raw.body) if raw.body_encoding == "base64" else raw.body.encode()


def _templates(world: _World, origin: Origin) -> tuple[Template, ...]:
    files = world.templates(origin)
    return _read(tuple(sorted(files.items()))) if files else ()


@lru_cache(maxsize=16)
def _read(files: tuple[tuple[str, str], ...]) -> tuple[Template, ...]:
    # The same few files for every report of a repository, and YAML is slow to read.
    return read_templates({path: readable(text).encode() for path, text in files})


def _inline(report: BugReport) -> BugReport:
    """Return `report` with its texts cut so that it fits an event."""
    small = report.model_copy(
        update={
            "description": report.description[:INLINE_CHARS_MAX],
            "expected": report.expected[:PART_CHARS_MAX],
            "actual": report.actual[:PART_CHARS_MAX],
            "error_log": report.error_log[:1000],
            "title": report.title[:300],
            "stack_traces": tuple(
                trace.model_copy(
                    update={
                        "message": trace.message[:500],
                        "frames": tuple(
                            frame.model_copy(update={"code": ""})
                            for frame in trace.frames[-TRACE_FRAMES_INLINE_MAX:]
                        ),
                    }
                )
                for trace in report.stack_traces[-2:]
            ),
            "snippets": (),
            "reproduction_steps": tuple(step[:200] for step in report.reproduction_steps[:10]),
            "environment": {k[:50]: v[:100] for k, v in list(report.environment.items())[:10]},
            "labels": tuple(label[:100] for label in report.labels[:20]),
            "attachments": tuple(one[:300] for one in report.attachments[:ATTACHMENTS_INLINE_MAX]),
            # What was hidden is evidence, for whoever opens the blob; nobody else comes across it.
            "metadata": {k: v[:200] for k, v in report.metadata.items() if k != "hidden_text"},
        }
    )
    return small.model_copy(update={"truncated": small != report})


def _meaning(parsed: Parsed) -> str:
    parts = replace(parsed, updated_at=None, assignee=None, url=None)
    said: list[object] = [
        *(parts.title, parts.text, parts.closed, parts.labels, parts.steps, parts.environment)
    ]
    if parts.attachments:  # Where there are none, the hash is what it always was.
        said.append(parts.attachments)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
