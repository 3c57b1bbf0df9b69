"""What is measured before the search, and candidates that pass every test by disabling code."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from processors.repair.harness import Harness
from processors.repair.measuring import Base, disabled, measure
from processors.repair.search import Candidate
from processors.repair.source import Change, Edit, Source
from tests.processors.repair.local_sandbox import LocalSandbox
from tests.processors.trees import OPTIONS

CODE = """\
def split(text, most=-1):
    parts = []
    while most:
        head, sep, text = text.partition("-")
        parts.append(head)
        if not sep:
            break
        most -= 1
    return parts


def joined(parts):
    if parts is None:
        return ""
    return "-".join(parts)
"""
TESTS = """\
import time
from words import joined, split

def test_split(): assert len(split("a-b")) <= 2
def test_joined(): assert joined(["a"]) == "a"
def test_most(): assert split("a-b", None) == []
def test_waits():
    time.sleep(0.3)
def test_for_ever():
    time.sleep(600)
"""
RED = "test_words.py::test_most"


@contextmanager
def measured(folder: Path, tests: str = TESTS) -> Iterator[tuple[Harness, Base]]:
    (folder / "words.py").write_text(CODE, encoding="utf-8")
    (folder / "test_words.py").write_text(tests, encoding="utf-8")
    until_s = time.monotonic() + 120
    with Harness(LocalSandbox(), Path(sys.executable), folder, until_s, OPTIONS) as harness:
        yield harness, measure(harness, [RED], ("test_words.py",), 20.0)


def candidate(was: str, now: str) -> Candidate:
    source = Source("words.py", CODE)
    at = CODE.index(was)
    edit = Edit((Change(at, at + len(was), now),), "test", 1.0, "test")
    return Candidate(source, source.statements[0], edit, source.apply(edit), 1.0)


def quick(tests: str) -> str:
    return tests.partition("def test_waits")[0]


def test_a_test_that_waits_for_ever_is_ended_and_not_counted_as_the_slowest(
    tmp_path: Path,
) -> None:
    began_s = time.monotonic()
    with measured(tmp_path) as (_, base):
        assert base.failed == {"test_words.py::test_for_ever"}
        assert 0.3 <= base.waits_s < 3
        assert base.slowest_s < 0.3
    assert time.monotonic() - began_s < 30


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("while most:", "while most and not text:", "words.py, lines 4-6"),
        ("while most:", "while False and most:", "has a part that is always so"),
        ("        parts.append(head)\n", "", "puts nothing in its place"),
    ],
)
def test_a_candidate_that_disables_code_is_named(
    tmp_path: Path, was: str, now: str, why: str
) -> None:
    with measured(tmp_path, quick(TESTS)) as (harness, base):
        assert why in disabled(harness, base, candidate(was, now), [RED], ("test_words.py",))


def test_a_candidate_that_mends_is_not(tmp_path: Path) -> None:
    mends = candidate("while most:", "while most is not None and most:")
    with measured(tmp_path, quick(TESTS)) as (harness, base):
        assert disabled(harness, base, mends, [RED], ("test_words.py",)) == ""


def test_without_a_whole_trace_nothing_is_said(tmp_path: Path) -> None:
    empties = candidate("while most:", "while most and not text:")
    with measured(tmp_path, quick(TESTS)) as (harness, base):
        unknown = replace(base, red=replace(base.red, finished=False))
        assert disabled(harness, unknown, empties, [RED], ("test_words.py",)) == ""
