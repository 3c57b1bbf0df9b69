"""Turn what a channel delivered into the standard bug report. Reads `raw.*`, writes reports."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from processors.base import Processor
from processors.channels.parsed import Parsed, Parser
from processors.ports import Blobs
from processors.projects import Mapping as Rule
from processors.projects import project_of, trust_of
from processors.severity import severity_of
from processors.traces import find_snippets, find_traces, innermost_in_app
from schemas import topics
from schemas.errors import PoisonError
from schemas.event import Event, caused_by, subject_id
from schemas.projects import Project
from schemas.raw import Origin, RawReceived
from schemas.reports import (
    PRIORITY_OF,
    BugReport,
    ReportCommented,
    ReportNormalized,
    Severity,
    Trust,
)

NAME = "normalize"
TEXT_CHARS_MAX = 1_000_000
INLINE_CHARS_MAX = 8_000
"""Of each text inside the event; the blob holds the whole."""
TRACE_FRAMES_INLINE_MAX = 40


def make(blobs: Blobs, projects: Sequence[Project], parsers: Mapping[str, Parser]) -> Processor:
    """Return the stage. `parsers` are those of each channel, by its name."""

    def handle(event: Event) -> Iterator[ReportNormalized | ReportCommented]:
        if isinstance(event, RawReceived):
            yield from normalize(event, blobs, projects, parsers)

    return Processor(NAME, topics.SOURCES[NAME], handle)


def normalize(
    raw: RawReceived,
    blobs: Blobs,
    projects: Sequence[Project],
    parsers: Mapping[str, Parser],
) -> Iterator[ReportNormalized | ReportCommented]:
    """Yield the report in `raw`, or nothing where it speaks of no bug.

    Raises `PoisonError` for a body that no parser understands.
    """
    if not raw.authenticated:
        raise PoisonError(f"delivery {raw.delivery_id[:80]!r} was not authenticated")
    parser = parsers.get(raw.origin.channel)
    if parser is None:
        raise PoisonError(f"no parser for channel {raw.origin.channel!r} in this release")
    parsed = parser(raw, _body(raw, blobs))
    if parsed is None:
        return
    mapping = _named(raw, projects) or project_of(projects, raw.origin)
    project = next((p for p in projects if p.id == mapping.project), None)
    trust, trust_reason = trust_of(project, account=parsed.account, association=parsed.association)
    if not raw.author_verified:
        trust, trust_reason = Trust.STRANGER, "nobody vouches for who wrote it"
    subject = subject_id(parsed.account)
    envelope = caused_by(raw, NAME) | {"project": mapping.project}
    if parsed.comment:
        yield ReportCommented(
            **envelope,
            report_id=raw.origin.report_id,
            origin=raw.origin,
            comment_blob=blobs.put(
                parsed.text.encode(), media_type="text/markdown", subject=subject
            ),
            trust=trust,
        )
        return
    report = _report(raw.origin, parsed)
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


def _report(origin: Origin, parsed: Parsed) -> BugReport:
    text = parsed.text[:TEXT_CHARS_MAX]
    traces = find_traces(text)
    if parsed.severity is Severity.UNKNOWN:
        severity, reason = severity_of(parsed.title, text, parsed.labels, has_trace=bool(traces))
    else:
        severity = parsed.severity
        reason = parsed.severity_reason or "given by the sender"
    innermost = innermost_in_app(traces)
    try:
        return BugReport(
            report_id=origin.report_id,
            origin=origin.model_copy(update={"url": parsed.url}),
            title=parsed.title[:1000],
            description=text,
            severity=severity,
            severity_reason=reason,
            priority=PRIORITY_OF[severity],
            status="closed" if parsed.closed else "open",
            reproduction_steps=parsed.steps or _listed(text, _STEPS),
            environment=dict(parsed.environment) or _pairs(text),
            file=innermost.path or None if innermost else None,
            line=innermost.line if innermost else None,
            error_log=f"{traces[-1].exception}: {traces[-1].message}" if traces else "",
            stack_traces=traces,
            snippets=find_snippets(text),
            created_at=parsed.created_at,  # type: ignore[arg-type]  # pydantic parses the text
            updated_at=parsed.updated_at,  # type: ignore[arg-type]  # pydantic parses the text
            reporter=parsed.account,
            assignee=parsed.assignee,
            labels=parsed.labels,
            truncated=len(parsed.text) > TEXT_CHARS_MAX,
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise PoisonError(f"not a report: {first['loc'][0]!r}: {first['msg']}") from error


def _inline(report: BugReport) -> BugReport:
    """Return `report` with its texts cut so that it fits an event."""
    small = report.model_copy(
        update={
            "description": report.description[:INLINE_CHARS_MAX],
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
        }
    )
    return small.model_copy(update={"truncated": small != report})


def _meaning(parsed: Parsed) -> str:
    parts = replace(parsed, updated_at=None, assignee=None, url=None)
    text = json.dumps(
        [parts.title, parts.text, parts.closed, parts.labels, parts.steps, parts.environment]
    )
    return hashlib.sha256(text.encode()).hexdigest()


_STEPS = re.compile(
    r"^#{0,4}\s*\**(?:steps to reproduce|to reproduce|reproduction(?: steps)?|复现步骤)\**:?\s*$",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(r"^#{0,4}\s*\**(?:environment|versions?|环境)\**:?\s*$", re.IGNORECASE)
_ITEM = re.compile(r"^\s{0,3}(?:\d{1,3}[.)]|[-*+])\s+(\S.{0,300})")
_PAIR = re.compile(r"^\s{0,3}(?:[-*+]\s+)?([A-Za-z][\w .-]{0,40}):\s+(\S.{0,200})")
SECTION_LINES_MAX = 40


def _section(text: str, heading: re.Pattern[str]) -> list[str]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if heading.match(line[:80]):
            return lines[number + 1 : number + 1 + SECTION_LINES_MAX]
    return []


def _listed(text: str, heading: re.Pattern[str]) -> tuple[str, ...]:
    steps: list[str] = []
    for line in _section(text, heading):
        if found := _ITEM.match(line):
            steps.append(found.group(1).strip())
        elif line.startswith("#") or (steps and not line.strip()):
            break
    return tuple(steps)


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in _section(text, _ENVIRONMENT):
        if found := _PAIR.match(line):
            pairs[found.group(1).strip()] = found.group(2).strip()
        elif line.startswith("#") or (pairs and not line.strip()):
            break
    return pairs
