"""Reports as normalize makes them: the first line is the title."""

from __future__ import annotations

from processors.channels.parsed import Parsed
from processors.reporting import report_of
from schemas.raw import Origin
from schemas.reports import BugReport, Frame, StackTrace

ORIGIN = Origin(channel="http", container="tests", item="1")


def report(text: str, *frames: Frame) -> BugReport:
    """Return the report of a text, with a stack trace of `frames`, outermost first."""
    title, _, rest = text.partition("\n")
    read = report_of(ORIGIN, Parsed(title=title, text=rest, account="somebody"))
    if not frames:
        return read
    trace = StackTrace(language="python", exception="KeyError", frames=frames)
    return read.model_copy(update={"stack_traces": (trace,)})
