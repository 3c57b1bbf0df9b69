"""What broke, told from what breaks by chance; the runs are played from a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from processors.pytest_runs import Pytest
from processors.regressions import Comparison, compare, with_examples
from schemas.fixes import Verdict
from schemas.values import SandboxResult
from tests.processors.trees import TIMED_OUT, ScriptedSandbox

BEFORE, AFTER = Path("before"), Path("after")
GOOD = {"t.py::a": "passed", "t.py::b": "passed"}
BROKEN = {"t.py::a": "passed", "t.py::b": "failed"}


def compared(
    before: list[Mapping[str, str] | SandboxResult], after: list[Mapping[str, str] | SandboxResult]
) -> Comparison:
    """Compare two trees whose runs give these outcomes in turn; the last one is repeated."""
    sides = {BEFORE: list(before), AFTER: list(after)}

    def play(tree: Path, _names: object, _call: int) -> Mapping[str, str] | SandboxResult:
        runs = sides[tree]
        return runs.pop(0) if len(runs) > 1 else runs[0]

    return compare(Pytest(ScriptedSandbox(play), Path("/usr/bin/python3")), BEFORE, AFTER)


def test_what_passed_before_and_passes_after_is_well() -> None:
    found = compared([BROKEN], [GOOD])

    assert found.verdict is Verdict.PASSED
    assert found.summary == "all 1 tests that passed before pass, and 1 more"


def test_a_test_that_always_fails_after_is_broken() -> None:
    found = compared([GOOD], [BROKEN])

    assert found.verdict is Verdict.FAILED
    assert "t.py::b" in found.summary


def test_a_test_that_is_gone_is_broken() -> None:
    assert compared([GOOD], [{"t.py::a": "passed"}]).verdict is Verdict.FAILED
    assert compared([GOOD], [{**GOOD, "t.py::b": "skipped"}]).verdict is Verdict.FAILED


def test_a_test_that_fails_once_and_then_always_passes_is_flaky_and_said_to_be() -> None:
    found = compared([GOOD], [BROKEN, GOOD])

    assert found.verdict is Verdict.PASSED
    assert "flaky" in found.summary
    assert "t.py::b" in found.summary


def test_a_test_that_wavers_on_both_sides_is_flaky() -> None:
    assert compared([GOOD, BROKEN, GOOD], [BROKEN, BROKEN, GOOD]).verdict is Verdict.PASSED


def test_a_test_that_wavers_only_with_the_patch_is_broken() -> None:
    assert compared([GOOD], [BROKEN, GOOD, BROKEN]).verdict is Verdict.FAILED


def test_no_whole_answer_is_not_run_before_and_failed_after() -> None:
    assert compared([TIMED_OUT], [GOOD]).verdict is Verdict.NOT_RUN
    assert compared([GOOD], [TIMED_OUT]).verdict is Verdict.FAILED


def test_a_project_without_tests_is_said_to_have_none() -> None:
    found = compared([{}], [{}])

    assert found.verdict is Verdict.PASSED
    assert "no test that passed before" in found.summary


def test_a_suite_that_cannot_be_imported_has_not_run() -> None:
    missing = {"t.py": "uncollected ModuleNotFoundError: No module named 'numpy'"}
    found = compared([missing], [missing])

    assert found.verdict is Verdict.NOT_RUN
    assert "packages installed" in found.summary


def test_very_many_broken_tests_are_not_run_again() -> None:
    names = [f"t.py::t{number}" for number in range(60)]
    found = compared([dict.fromkeys(names, "passed")], [dict.fromkeys(names, "failed")])

    assert (found.verdict, found.runs) == (Verdict.FAILED, 1)


def test_examples_that_never_ran_say_nothing_and_what_held_is_said() -> None:
    suite = compared([GOOD], [GOOD])

    def judged(before: object, after: object) -> Comparison:
        def play(tree: Path, _names: object, _call: int) -> object:
            return before if tree == BEFORE else after

        pytest = Pytest(ScriptedSandbox(play), Path("/usr/bin/python3"))  # type: ignore[arg-type]
        return with_examples(suite, pytest, ["t.py"], BEFORE, AFTER)

    assert judged(TIMED_OUT, TIMED_OUT).summary == suite.summary
    assert judged({}, {}).summary == suite.summary
    assert judged(BROKEN, BROKEN).summary.endswith("examples in t.py still hold")
    assert judged(GOOD, BROKEN).verdict is Verdict.FAILED
    assert judged(GOOD, TIMED_OUT).verdict is Verdict.FAILED
