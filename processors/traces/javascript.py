"""One call of a JavaScript or TypeScript stack as V8 and its kin print it (after the `at`)."""

from __future__ import annotations

import re

from schemas.reports import Frame

_PLACE = re.compile(r"(?P<path>.{1,1500}?):(?P<line>\d{1,9})(?P<column>:\d{1,9})?$")
_EVAL = re.compile(r"eval at (?P<function>[^()]{1,300}) \(")
_ROOTED = re.compile(r"(?:async )?(?:[A-Za-z][\w+.-]{0,30}:|\.{0,2}/|<|eval at )")
_EVALS_MAX = 10
_ALIAS = re.compile(r" \[as [^\[\]]{1,200}\]$")
_NAMELESS = frozenset({"<anonymous>", "anonymous", "Anonymous function", "(null)", "()"})
_NATIVE = frozenset({"native", "native code", "[native code]", "unknown location"})
_NAME = re.compile(r"(?:async )?(?:new )?[\w$.<>\[\]#]{1,300}(?: \[as [\w$.]{1,200}\])?$")


def read_v8_call(call: str) -> Frame | None:
    """Return the frame of `name (path:line:column)` or `path:line:column`; None when it is none.

    Eval'd code is placed where the outermost eval stands in a file: that line can be looked up.
    """
    call = call.removesuffix(" {").rstrip()
    if call.endswith(")"):
        function, opened, place = call[:-1].partition(" (")
        if not opened:
            function, opened, place = call[:-1].partition("(")
        if opened:
            return _frame(function, place)
    if " " in call and not _ROOTED.match(call):
        return None  # Prose that ends in a host and a port.
    return _frame("", call)


def read_nameless_place(call: str) -> Frame | None:
    """Return the frame of a call that says no place, like `at someName`; None for prose."""
    if _NAME.match(call) is None:
        return None
    return Frame(path="", function=clean_name(call))


def clean_name(name: str) -> str:
    """Return the name one can look for in the source: "" of what has none."""
    name = _ALIAS.sub("", name.strip()[:500]).removeprefix("async ")
    return "" if name in _NAMELESS else name


def _frame(function: str, place: str) -> Frame | None:
    name = clean_name(function)
    if place in _NATIVE or (place == "<anonymous>" and function):
        return Frame(path="[native code]", function=name)
    place = place.removeprefix("address at ").removeprefix("async ")
    for _ in range(_EVALS_MAX):
        match = _EVAL.match(place)
        if match is None:
            break
        place = _until_closed(place[match.end() :])
    found = _PLACE.match(place)
    if found is None:
        return None
    return Frame(path=found["path"], line=int(found["line"]), function=name)


def _until_closed(place: str) -> str:
    """Return the place at the start, up to the parenthesis that closes it."""
    if place.startswith("eval at "):
        return place
    ends = [at for mark in ("), ", "))") if (at := place.find(mark)) >= 0]
    return place[: min(ends)] if ends else place.removesuffix(")")
