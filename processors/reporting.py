"""From what a parser understood to the standard report: pure, bounded, and only what people see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, overload

from pydantic import ValidationError

from processors.channels.parsed import Parsed
from processors.report_text.hidden import HiddenPart, VisibleText
from processors.report_text.invisible import strip_invisible
from processors.report_text.reading import Reading, read_report
from processors.report_text.templates import Template
from processors.severity import severity_of
from processors.traces import find_snippets, find_traces, innermost_in_app
from schemas.errors import PoisonError
from schemas.raw import Origin, web_url
from schemas.reports import PRIORITY_OF, BugReport, Severity

TEXT_CHARS_MAX = 1_000_000
TITLE_CHARS_MAX = 1_000
UNTITLED = "(no title)"
ATTACHMENTS_MAX = 50
ATTACHMENT_CHARS_MAX = 2_000
HIDDEN_TEXT_CHARS_MAX = 20_000
_STILL_THERE = ("tag", "collapsed")
"""Kinds of hidden parts that stay in the text: gone on some channels only, or one click away."""


@overload
def readable(value: str) -> str: ...
@overload
def readable(value: Parsed) -> Parsed: ...
def readable(value: str | Parsed) -> str | Parsed:
    """Return `value` with every half of a surrogate pair made a replacement character.

    JSON can carry such halves; no encoding can. Two that belong together become the character.
    """
    if isinstance(value, str):
        return _whole(value)
    read: dict[str, Any] = {f.name: _readable(getattr(value, f.name)) for f in fields(value)}
    return replace(value, **read)


def _readable(value: object) -> object:
    if isinstance(value, Severity):
        return value
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, tuple):
        return tuple(_readable(one) for one in value)
    return value


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def report_of(origin: Origin, parsed: Parsed, templates: Sequence[Template] = ()) -> BugReport:
    """Return the report: read by the template it was written with, else by its headings.

    What the text hides from people goes nowhere but into `metadata`, as evidence. What the
    channel itself says wins over what the text says. Raises `PoisonError`.
    """
    reading = read_report(parsed.text, templates)
    text, parts = reading.visible.text, reading.parts
    title, unseen = strip_invisible(parsed.title)
    title = " ".join(title.split())[:TITLE_CHARS_MAX]
    traces = find_traces(text)
    severity, reason = _severity(parsed, title, text, has_trace=bool(traces))
    innermost = innermost_in_app(traces)
    in_title = [HiddenPart(kind, run) for kind, run in unseen.runs]
    try:
        return BugReport(
            report_id=origin.report_id,
            origin=origin.model_copy(update={"url": web_url(parsed.url)}),
            title=title or UNTITLED,
            description=text,
            severity=severity,
            severity_reason=reason,
            priority=PRIORITY_OF[severity],
            status="closed" if parsed.closed else "open",
            reproduction_steps=parsed.steps or parts.steps,
            expected=parts.expected,
            actual=parts.actual,
            environment={**dict(parts.environment), **dict(parsed.environment)},
            file=innermost.path or None if innermost else None,
            line=innermost.line if innermost else None,
            attachments=tuple(
                one[:ATTACHMENT_CHARS_MAX] for one in parsed.attachments[:ATTACHMENTS_MAX]
            ),
            error_log=f"{traces[-1].exception}: {traces[-1].message}" if traces else "",
            stack_traces=traces,
            snippets=find_snippets(text),
            created_at=parsed.created_at,  # type: ignore[arg-type]  # pydantic parses the text
            updated_at=parsed.updated_at,  # type: ignore[arg-type]  # pydantic parses the text
            reporter=parsed.account,
            assignee=parsed.assignee,
            labels=parsed.labels,
            metadata=_metadata(reading, parsed.text, in_title),
            truncated=len(parsed.text) > TEXT_CHARS_MAX,
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise PoisonError(f"not a report: {first['loc'][0]!r}: {first['msg']}") from error


def _severity(parsed: Parsed, title: str, text: str, *, has_trace: bool) -> tuple[Severity, str]:
    if parsed.severity is Severity.UNKNOWN:
        return severity_of(title, text, parsed.labels, has_trace=has_trace)
    return parsed.severity, parsed.severity_reason or "given by the sender"


def _metadata(reading: Reading, text: str, in_title: Sequence[HiddenPart]) -> dict[str, str]:
    told = {"version": reading.parts.version, "component": reading.parts.component}
    if reading.form is not None:
        told["template"] = reading.form.template.path
    return {name: said for name, said in told.items() if said} | _hidden(
        reading.visible, text, in_title
    )


def _hidden(visible: VisibleText, text: str, in_title: Sequence[HiddenPart]) -> dict[str, str]:
    """Return what was set aside, for people to see that there was something, and what."""
    aside = [*in_title, *(part for part in visible.hidden if part.kind not in _STILL_THERE)]
    if not aside:
        return {}
    kinds = Counter(part.kind for part in aside)
    told = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(kinds.items()))
    said = "\n".join(f"{part.kind}: {part.text}" for part in aside)
    size = sum(len(part.text) for part in aside)
    size = max(size, len(text.replace("\r\n", "\n")) - len(visible.text))
    return {
        "hidden": f"{size} characters of hidden text were set aside: {told}",
        "hidden_text": said[:HIDDEN_TEXT_CHARS_MAX],
    }
