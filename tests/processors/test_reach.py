"""Edits that disable code, and edits that mend it, told apart by what tests run before and after.

The programs are run here, line by line; `passing` are calls a suite makes, `failing` the report's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from types import FrameType
from typing import Any

import pytest

from processors.reach import Ran, coverage, dead, losses, said


@dataclass(frozen=True, slots=True)
class Case:
    """A program, an edit of it (`was` becomes `now`), and who calls what."""

    name: str
    text: str
    was: str
    now: str
    passing: Sequence[str] = ()
    failing: Sequence[str] = ()

    @property
    def before(self) -> str:
        return dedent(self.text).lstrip()

    @property
    def after(self) -> str:
        assert self.before.count(self.was) == 1, self.name
        return self.before.replace(self.was, self.now)


def ran(text: str, calls: Sequence[str]) -> frozenset[int]:
    """Return the lines that `calls` run of `text`; what they raise is theirs."""
    names: dict[str, Any] = {}
    exec(compile(text, "<case>", "exec"), names)
    seen: set[int] = set()

    def watch(frame: FrameType, event: str, _arg: object) -> Any:
        if frame.f_code.co_filename != "<case>":
            return None
        if event == "line":
            seen.add(frame.f_lineno)
        return watch

    for call in calls:
        before = sys.gettrace()
        sys.settrace(watch)
        try:
            eval(call, names)
        except Exception:  # noqa: BLE001 - a failing call is what the case is about
            pass
        finally:
            sys.settrace(before)
    return frozenset(seen)


def found(case: Case) -> list[str]:
    passed = ran(case.before, case.passing)
    some = passed | ran(case.before, case.failing)
    after = ran(case.after, (*case.passing, *case.failing))
    return [
        *dead("p.py", case.before, case.after),
        *losses("p.py", case.before, case.after, Ran(passed, some), after),
    ]


PATHS = """
    def paths(json):
        out = []
        for at in range(len(json)):
            out.append(json[at].key)
        return out
"""
NAMES = """
    def names(text, strict=False):
        text = text.strip()
        if strict:
            check(text)
        words = text.split(",")
        return [word for word in words if word]


    def check(text):
        if "," not in text:
            raise ValueError(text)
"""
TOTAL = """
    class Cart:
        def __init__(self, items):
            self.items = items
            self.log = []

        def total(self, coupon=""):
            self.audit(coupon)
            total = sum(self.items)
            if coupon.startswith("HALF"):
                total = total / 2
            return total

        def audit(self, coupon):
            self.log.append(coupon.upper())
"""
SPLIT = """
    def split(text, maxsplit=-1):
        parts = []
        while maxsplit:
            head, sep, text = text.partition("-")
            parts.append(head)
            if not sep:
                break
            maxsplit -= 1
        return parts
"""

GUARDED = """\
        if coupon is None:
            return sum(self.items)
        self.audit(coupon)"""

DISABLING = (
    Case(
        "a loop that never runs, seen by the failing call alone",
        PATHS,
        "for at in range(len(json)):",
        "for at in range(1 - len(json)):",
        failing=["paths([1, 2])"],
    ),
    Case(
        "a loop that never runs, which passing calls ran",
        SPLIT,
        "while maxsplit:",
        "while int(maxsplit - 1) > maxsplit:",
        passing=["split('a-b')"],
        failing=["split('', 0)"],
    ),
    Case(
        "a condition that is never so",
        TOTAL,
        'if coupon.startswith("HALF"):',
        'if False and coupon.startswith("HALF"):',
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a branch turned off for everybody",
        TOTAL,
        'if coupon.startswith("HALF"):',
        'if coupon.startswith("HALFX"):',
        passing=["Cart([1]).total('HALF-1')"],
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a call that raises is deleted, seen by the failing call alone",
        TOTAL,
        "        self.audit(coupon)\n        total = sum",
        "        total = sum",
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a call becomes nothing",
        TOTAL,
        "        self.audit(coupon)",
        "        pass",
        passing=["Cart([1]).total('x')"],
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a function nobody gets to any more",
        NAMES,
        "    if strict:",
        "    if strict and not text:",
        passing=["names('a,b', strict=True)"],
        failing=["names('a', strict=True)"],
    ),
    Case(
        "a check becomes a call of the function itself",
        NAMES,
        "        check(text)",
        "        names(text)",
        passing=["names('a,b', strict=True)"],
        failing=["names('a', strict=True)"],
    ),
    Case(
        "a way out before everything",
        NAMES,
        '    words = text.split(",")',
        '    if text is not None:\n        return text.split(",")\n    words = text.split(",")',
        passing=["names('a,b')"],
        failing=["names('a,,b')"],
    ),
    Case(
        "code behind a return",
        PATHS,
        "    for at in range(len(json)):",
        "    return out\n    for at in range(len(json)):",
        failing=["paths([1])"],
    ),
    Case(
        "what was in nobody's way is wrapped in a condition that is never so",
        TOTAL,
        "        total = sum(self.items)",
        "        total = 0\n        if self.items is None:\n            total = sum(self.items)",
        passing=["Cart([]).total('x')"],
        failing=["Cart([1, None]).total('x')"],
    ),
    Case(
        "statements are deleted that passing calls ran",
        NAMES,
        "    text = text.strip()\n    if strict",
        "    if strict",
        passing=["names('a,b')"],
        failing=["names(7)"],
    ),
)

MENDING = (
    Case(
        "a guard leads the failing call past what only it ran",
        TOTAL,
        "        self.audit(coupon)",
        GUARDED,
        passing=["Cart([1]).total('HALF-1')"],
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a guard where no test ran before",
        TOTAL,
        "        self.audit(coupon)",
        GUARDED,
        failing=["Cart([1]).total(None)"],
    ),
    Case(
        "a check that was too strict, whose error no test saw",
        NAMES,
        '    if "," not in text:',
        '    if "," not in text and ";" in text:',
        passing=["names('a,b', strict=True)"],
        failing=["names('a', strict=True)"],
    ),
    Case(
        "one function takes the place of another",
        "def one(x):\n    return x\n\n\ndef two(x):\n    return x * 2\n\n\n"
        "def call(x):\n    return one(x)\n",
        "return one(x)",
        "return two(x)",
        passing=["call(0)"],
        failing=["call(1)"],
    ),
    Case(
        "what all run is wrapped in a condition that is mostly so",
        TOTAL,
        "        total = sum(self.items)",
        "        total = 0\n        if self.items:\n            total = sum(self.items)",
        passing=["Cart([1]).total('x')"],
        failing=["Cart(None).total('x')"],
    ),
    Case(
        "an off-by-one in a loop that others still run",
        PATHS,
        "range(len(json))",
        "range(len(json) - 1)",
        failing=["paths([1, 2, 3])"],
    ),
    Case(
        "code is rewritten at its place",
        NAMES,
        '    words = text.split(",")\n    return [word for word in words if word]',
        '    return list(filter(None, text.split(",")))',
        passing=["names('a,b')"],
        failing=["names('a, ,b')"],
    ),
    Case(
        "a guard before a loop that passing calls run",
        SPLIT,
        "    parts = []\n    while maxsplit:",
        "    if not text:\n        return []\n    parts = []\n    while maxsplit:",
        passing=["split('a-b', 1)", "split('a-b')"],
        failing=["split('', 1)"],
    ),
    Case(
        "a way out is deleted",
        "def last(xs):\n    found = None\n    for x in xs:\n        found = x\n        break\n"
        "    return found\n",
        "        found = x\n        break",
        "        found = x",
        passing=["last([1])"],
        failing=["last([1, 2])"],
    ),
    Case(
        "a boundary",
        "def fee(x):\n    if x > 50:\n        return 0\n    return 5\n",
        "x > 50",
        "x >= 50",
        passing=["fee(51)", "fee(1)"],
        failing=["fee(50)"],
    ),
)


@pytest.mark.parametrize("case", DISABLING, ids=lambda case: case.name)
def test_an_edit_that_disables_code_is_named_with_file_and_lines(case: Case) -> None:
    assert "p.py, line" in said(found(case)), case.after


@pytest.mark.parametrize("case", MENDING, ids=lambda case: case.name)
def test_an_edit_that_mends_is_left_alone(case: Case) -> None:
    assert found(case) == []


def test_lines_of_one_function_are_said_together() -> None:
    (case,) = (each for each in DISABLING if each.name == "a function nobody gets to any more")

    assert found(case)[0].startswith("p.py, line 4 (`names`): tests that passed ran it before")
    assert any("lines 10" in why or "line 10" in why for why in found(case))


def test_what_cannot_be_parsed_says_nothing() -> None:
    assert losses("p.py", "def (", "x = 1", Ran(), frozenset()) == []
    assert dead("p.py", "x = 1", "def (") == []


def test_what_was_dead_before_is_not_the_patchs() -> None:
    text = "def f(x):\n    if x and 0:\n        return 1\n    return 2\n    x = 3\n"

    assert dead("p.py", text, text.replace("return 2", "return 4")) == []
    assert len(dead("p.py", "def f(x):\n    return 2\n", text)) == 2


def test_many_losses_are_cut() -> None:
    assert said([str(number) for number in range(6)]) == "0; 1; 2; 3; and 2 more"


def test_coverage_counts_what_the_edit_brings_and_tests_run() -> None:
    before = "def f(x):\n    return 1 / x\n\n\ndef g():\n    return 2\n"
    guarded = before.replace("    return 1", "    if not x:\n        return 0\n    return 1")

    assert coverage(before, guarded, ran(guarded, ["f(0)"])) == (2, 2)
    assert coverage(before, guarded, ran(guarded, ["f(1)"])) == (1, 2)
    assert coverage(before, guarded, ran(guarded, ["g()"])) == (0, 2)
    assert coverage(guarded, before, ran(before, ["f(1)"])) == (0, 0)
    assert coverage(before, "def (", frozenset({1})) == (0, 0)
