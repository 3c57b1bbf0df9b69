"""Which frame a trace points at: the innermost one that is the application's own code.

**The rule.** A frame is the application's unless its path or function says that it belongs to the
language, to an installed package, or to a framework that calls the application: the tables below.
Code without a file (`<stdin>`, `eval code`, a script typed in a console) is the application's.

Of a chain the root cause counts, then what it led to: an explicit cause (`from`, `Caused by`,
`--->`, `Next`) before the exception that names it, a member of a group before the group. What was
merely being handled, or suppressed, comes last: it did not make the program fail. Frames without
a file count only where no frame of the chain has one. Of several chains in a text the first one
counts that has an in-app frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from processors.traces.in_app_names import FUNCTIONS, PATHS, PATHS_OF_ALL, is_go_library
from schemas.reports import Frame, StackTrace

_CAUSE_FIRST = frozenset({"python", "php"})
"""Languages that print a cause above what it caused."""
_PATH_CHARS_MAX = 600


def is_in_app(frame: Frame, language: str) -> bool:
    """Tell whether `frame` of a trace in `language` is the application's own code."""
    path = frame.path[-_PATH_CHARS_MAX:].replace("\\", "/")
    function = frame.function[:_PATH_CHARS_MAX]
    if not path and not function and frame.line is None:
        return False
    if PATHS_OF_ALL.search(path):
        return False
    if language == "go":
        return not is_go_library(path, function)
    paths, functions = PATHS.get(language), FUNCTIONS.get(language)
    if paths is not None and paths.search(path):
        return False
    return functions is None or functions.match(function) is None


def innermost_in_app(traces: Sequence[StackTrace]) -> Frame | None:
    """Return the frame that the traces of a text point at; None when none is the application's."""
    for chain in chains_of(traces):
        own = [
            frame
            for trace in _root_first(chain)
            for frame in reversed(trace.frames)
            if is_in_app(frame, trace.language)
        ]
        if own:
            return next((frame for frame in own if frame.path), own[0])
    return None


def chains_of(traces: Sequence[StackTrace]) -> list[list[StackTrace]]:
    """Return the traces grouped: each exception that was raised with those that belong to it."""
    chains: list[list[StackTrace]] = []
    for trace in traces:
        before = chains[-1][-1] if chains else None
        if before is None or _begins(trace, before):
            chains.append([])
        chains[-1].append(trace)
    return chains


def _begins(trace: StackTrace, before: StackTrace) -> bool:
    if trace.language != before.language:
        return True
    if trace.language in _CAUSE_FIRST:
        return trace.role != "member" and before.role not in ("cause", "context")
    return trace.role == "raised"


def _root_first(chain: list[StackTrace]) -> Iterator[StackTrace]:
    causes = [trace for trace in chain if trace.role == "cause"]
    if chain[0].language in _CAUSE_FIRST:
        # A cause of what was merely being handled is no cause of what was raised in the end.
        handled = max((at for at, trace in enumerate(chain) if trace.role == "context"), default=-1)
        yield from (trace for trace in chain[handled + 1 :] if trace.role == "cause")
    else:
        yield from reversed(causes)
    for role in ("member", "raised", "context", "cause", "suppressed"):
        yield from (trace for trace in chain if trace.role == role)
