"""What shows a bug: the suite's own tests by rules, the report's snippets and calls for real."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sandbox import find_sandbox
from processors.oracles import Found, NotFound, find_oracle, python_sources
from processors.pytest_runs import Pytest
from processors.reproductions import FILE
from schemas.fixes import OracleKind
from schemas.places import Location
from tests.processors.trees import CALC, COMMAND, TIMED_OUT, ScriptedSandbox, report, write

SOURCES = {path: text for path, text in CALC.items() if path.endswith(".py")}
PLACE = Location(path="calc/mean.py", score=1.0, reasons=("a guess",))
TRACE = """\
Traceback (most recent call last):
  File "/srv/run.py", line 9, in main
    print(mean(values))
  File "/srv/calc/mean.py", line 3, in mean
    return sum(numbers) / len(numbers)
ZeroDivisionError: division by zero
"""
IMPORT_TRACE = """\
Traceback (most recent call last):
  File "/srv/run.py", line 1, in <module>
    from calc.mean import x
ImportError: cannot import name 'x'
"""
CRASH = "failed ZeroDivisionError: division by zero at calc/mean.py:3"


def in_suite(
    outcomes: Mapping[str, str], text: str, title: str = "It breaks", *, again: str = ""
) -> Found | NotFound:
    """Find an oracle when the suite gives `outcomes`; `again`: what failing tests do once more."""

    def play(_tree: Path, names: tuple[str, ...], _call: int) -> Mapping[str, str]:
        if not names:
            return outcomes
        known = {name: outcomes[name] for name in names if name in outcomes}
        return {name: again or outcome for name, outcome in known.items()}

    pytest_ = Pytest(ScriptedSandbox(play), Path("/usr/bin/python3"))
    return find_oracle(pytest_, Path("/nowhere"), report(text, title), [PLACE], SOURCES)


@pytest.mark.parametrize(
    ("name", "outcome", "text", "reason"),
    [
        ("t.py::test_mean_of_none", "failed", "`test_mean_of_none` is red.", "named"),
        ("t.py::test_mean_of_none[3]", "failed", "See test_mean_of_none", "named"),
        ("t.py::test", "failed", "See t.py::test", "named"),
        ("t.py::test_x", CRASH, TRACE, "trace"),
        ("t.py::test_x", CRASH, "There is a ZeroDivisionError in the log.", "exception"),
        ("t.py", "uncollected ImportError: cannot import name 'x'", IMPORT_TRACE, "trace"),
        ("tests/t.py", "uncollected SyntaxError: invalid", "tests/t.py is broken", "named"),
        ("t.py::test_x", "failed Failed: took longer than 60 s", "test_x never ends.", "named"),
        ("t.py::test_x", "failed", "One test fails since yesterday.", "only failing"),
        ("t.py::test_x", "failed", "The build is broken: tests are red.", "only failing"),
    ],
)
def test_a_failing_test_that_fits_the_report_is_taken_with_the_reason(
    name: str, outcome: str, text: str, reason: str
) -> None:
    found = in_suite({name: outcome, "t.py::test_other": "passed"}, text)

    assert isinstance(found, Found)
    assert (found.oracle.kind, found.oracle.node_ids) == (OracleKind.SUITE_TEST, (name,))
    assert reason in found.oracle.description


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("failed", "The price is wrong."),
        ("failed KeyError: 'x' at calc/mean.py:3", "The log shows a ZeroDivisionError."),
        ("failed ZeroDivisionError: by zero at calc/other.py:3", "There is a ZeroDivisionError."),
        ("passed", "test_x fails."),
        ("failed Failed: took longer than 60 s", "One test fails since yesterday."),
    ],
)
def test_a_failing_test_that_does_not_fit_is_left_alone(outcome: str, text: str) -> None:
    found = in_suite({"t.py::test_x": outcome, "t.py::test_y": "passed"}, text)

    assert isinstance(found, NotFound)


def test_of_two_failing_tests_the_named_one_alone_is_taken() -> None:
    outcomes = {"t.py::test_one": "failed", "t.py::test_two": "failed"}
    found = in_suite(outcomes, "test_two fails")

    assert isinstance(found, Found)
    assert found.oracle.node_ids == ("t.py::test_two",)


def test_a_test_that_fails_by_chance_is_no_oracle() -> None:
    found = in_suite({"t.py::test_x": "failed"}, "test_x fails", again="passed")

    assert isinstance(found, NotFound)


def test_without_an_oracle_it_says_what_was_looked_at() -> None:
    found = in_suite({"t.py::test_x": "passed"}, "It is slow in the evening.")

    assert isinstance(found, NotFound)
    assert found.reason == (
        "all of the suite's 1 tests pass or are skipped; the report has no runnable snippet, and"
        " no call that could be repeated"
    )


def test_a_suite_that_does_not_end_is_said_not_to_end() -> None:
    pytest_ = Pytest(ScriptedSandbox(lambda *_: TIMED_OUT), Path("/usr/bin/python3"))
    found = find_oracle(pytest_, Path("/nowhere"), report("words"), [], SOURCES)

    assert isinstance(found, NotFound)
    assert "did not end within" in found.reason


@pytest.fixture(scope="module")
def real() -> Pytest:
    return Pytest(find_sandbox(), Path(sys.executable), COMMAND)


def searched(real: Pytest, tree: Path, text: str) -> Found | NotFound:
    return find_oracle(real, write(tree, CALC), report(text), [PLACE], SOURCES)


@pytest.mark.sandbox
def test_a_snippet_is_an_oracle_when_it_dies_of_what_the_report_shows(
    real: Pytest, tmp_path: Path
) -> None:
    code = "from calc.mean import mean\nassert mean([]) == 0.0"
    found = searched(real, tmp_path, f"{TRACE}\n\n```python\n{code}\n```\n")

    assert isinstance(found, Found)
    assert found.oracle.kind is OracleKind.SNIPPET
    assert "raises ZeroDivisionError" in found.oracle.description
    assert "ZeroDivisionError" in found.output
    assert list(found.oracle.files) == [FILE]
    assert not (tmp_path / FILE).exists()


@pytest.mark.sandbox
def test_a_snippet_that_is_not_whole_or_does_not_fail_is_none(real: Pytest, tmp_path: Path) -> None:
    incomplete = "```python\nmean([])\n```\nIt dies of a ZeroDivisionError or NameError.\n"
    works = "```python\nfrom calc.mean import double\nassert double(2) == 4\n```\n"

    assert isinstance(searched(real, tmp_path, incomplete + works), NotFound)


@pytest.mark.sandbox
def test_a_snippet_that_takes_too_long_may_be_slow_and_is_none(
    real: Pytest, tmp_path: Path
) -> None:
    waits = "```python\nimport time\ntime.sleep(600)\nassert False\n```\nIt Failed to end.\n"

    assert isinstance(searched(replace(real, test_wall_s=0.5), tmp_path, waits), NotFound)


@pytest.mark.sandbox
def test_a_call_from_the_traceback_is_an_oracle_when_it_dies_again(
    real: Pytest, tmp_path: Path
) -> None:
    found = searched(real, tmp_path, TRACE.replace("mean(values)", "mean([])"))

    assert isinstance(found, Found)
    assert found.oracle.kind is OracleKind.TRACEBACK_TEST
    assert "into mean" in found.oracle.description


def test_of_all_files_the_python_ones_are_read_whatever_their_bytes() -> None:
    assert python_sources({"a.py": b"x = 1", "b.py": b"\xff", "c.pyc": b"", "d.md": b""}) == {
        "a.py": "x = 1",
        "b.py": "\ufffd",
    }
