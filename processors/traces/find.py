"""Find stack traces in free text: pasted, quoted, wrapped, indented, or with log prefixes.

Pure, and linear in the length of the text: each line is looked at a bounded number of times, and
no pattern can backtrack over more than one line. Text is data: nothing found here is believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.trace_lines import TRACES_MAX
from processors.traces.at_lines import AT_LINES
from processors.traces.bare_calls import BARE_CALLS
from processors.traces.base import Family, Found
from processors.traces.browser import BROWSER, OPERA
from processors.traces.cleaning import clean_lines
from processors.traces.dart import DART
from processors.traces.go import GO, GO_LISTED
from processors.traces.native import NATIVE, NATIVE_PLACED
from processors.traces.php import PHP, PHP_PLAIN
from processors.traces.python import PYTHON, PYTHON_MEMBER, link_of
from processors.traces.python_tools import IPYTHON, PYTEST
from processors.traces.ruby import ORACLE, RUBY, RUBY_TURNED
from processors.traces.rust import RUST, RUST_BACKTRACE, RUST_CAUSES
from schemas.reports import StackTrace

# Order matters: the first whose start fits reads, so what is told apart by more comes first.
FAMILIES: tuple[Family, ...] = (
    IPYTHON,
    PYTHON,
    PYTHON_MEMBER,
    AT_LINES,
    GO,
    GO_LISTED,
    RUST,
    RUST_CAUSES,
    RUBY_TURNED,
    ORACLE,
    RUBY,
    PHP,
    PHP_PLAIN,
    DART,
    NATIVE,
    NATIVE_PLACED,
    RUST_BACKTRACE,
    BARE_CALLS,
    PYTEST,
    OPERA,
    BROWSER,
)
_NAMED = re.compile(r"\(\?P<\w+>")
# Most lines start nothing: one look tells so, in place of one for each family.
_MAY_START = re.compile("|".join(f"(?:{_NAMED.sub('(?:', f.start.pattern)})" for f in FAMILIES))


def find_traces(text: str) -> tuple[StackTrace, ...]:
    """Return the stack traces in `text`, in printed order, frames outermost call first.

    Of chained exceptions each is a trace whose `role` says what it was to the others; Python and
    PHP print the cause first, the others last. A trace whose exception was cut off has the
    exception "". Never raises. Reads `clean_lines`' share of the text.
    """
    lines = clean_lines(text)
    found: list[StackTrace] = []
    index = floor = 0
    while index < len(lines) and len(found) < TRACES_MAX:
        line = lines[index]
        role = link_of(line) if line[:1] in "TD |" and found else None
        if role is not None and found[-1].language == "python" and found[-1].role == "raised":
            found[-1] = found[-1].model_copy(update={"role": role})
        if not line or _MAY_START.match(line) is None:
            index += 1
            continue
        traces, after = _read(lines, index, floor)
        found.extend(traces)
        if traces:
            floor = after
        index = max(after, index + 1)
    return tuple(found[:TRACES_MAX])


def _read(lines: list[str], index: int, floor: int) -> Found:
    """Let the families whose start fits read, until one has read something."""
    traces: Sequence[StackTrace] = ()
    after = index + 1
    for family in FAMILIES:
        if family.start.match(lines[index]) is None:
            continue
        traces, after = family.read(lines, index, floor)
        if traces or after > index + 1:
            break
    return traces, after
