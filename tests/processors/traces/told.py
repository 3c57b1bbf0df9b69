"""Say briefly what was read from a text, for tests."""

from __future__ import annotations

from processors.traces import find_traces, innermost_in_app


def told(text: str) -> tuple[list[str], str]:
    """Return `language exception role` of each trace, and the innermost in-app frame."""
    traces = find_traces(text)
    frame = innermost_in_app(traces)
    names = [f"{t.language} {t.exception or '?'} {t.role}" for t in traces]
    return names, "" if frame is None else f"{frame.path}:{frame.line} {frame.function}".rstrip()
