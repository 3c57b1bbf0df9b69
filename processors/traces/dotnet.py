"""One call of a C#, F# or VB stack (after the `at`), from .NET, Mono and Unity."""

from __future__ import annotations

import re

from schemas.reports import Frame

# Windows translates the words: `at X in F:line 3`, `bei X in F:Zeile 3`, `在 X 位置 F:行号 3`.
_LINE = re.compile(r":(?:(?:line|Zeile|ligne|行号|行|строка) ?)?(?P<line>\d{1,9})\s?$")
_IN = (") in ", ") dans ", ") 位置 ", ") 場所 ", ") в ", "] in ", " in ")
_LINE_CHARS_MAX = 20
_CALL = re.compile(
    r"(?P<function>[\w.<>`$+\[\],|-]{1,400}) ?\((?P<arguments>[^:()]{0,600})\)"
    r"(?: ?\[0x[0-9a-f]{1,16}\] in <[^<>]{1,100}>:\d{1,9})?$"
)
END_OF_INNER = re.compile(r"\s{0,40}--- (?:End of inner exception|内部异常堆栈|Ende der internen)")
END_OF_PREVIOUS = re.compile(
    r"\s{0,40}--- (?:End of stack trace from|.{0,80}(?:堆栈跟踪|Stapelüberwachung))"
)


def read_placed_call(call: str) -> Frame | None:
    """Return the frame of a call that says file and line; None when it does not."""
    end = _LINE.search(call, max(0, len(call) - _LINE_CHARS_MAX)) if call[-1:].isdigit() else None
    mark = next((mark for mark in _IN if mark in call), None) if end else None
    if end is None or mark is None:
        return None
    before, _, after = call[: end.start()].partition(mark)
    function, opened, _ = before.partition("(")
    if not after or after.startswith("<") or not (opened or "." in function):
        return None
    return Frame(path=after.strip(), line=int(end["line"]), function=function.strip()[:500])


def read_placeless_call(call: str) -> Frame | None:
    """Return the frame of `Space.Class.Method(Type argument)`, which says no file."""
    match = _CALL.match(call)
    if match is None or "." not in match["function"]:
        return None
    return Frame(path="", function=match["function"])
