from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors.sandbox import find_sandbox
from processors.locating.code_index import index_of
from processors.locating.failing import FailingTests, NotRun, Spectrum, spectrum_of
from processors.locating.history import History
from processors.locating.ranking import rank
from processors.ports import Sandbox, SandboxUnavailableError
from processors.repair.harness import NO_REPORT, Crash, CrashFrame, Lines
from schemas.projects import Project
from tests.processors.repair.local_sandbox import LocalSandbox
from tests.processors.trees import (
    CALC,
    COMMAND,
    COMMIT,
    TIMED_OUT,
    FolderCheckouts,
    ScriptedSandbox,
    report,
)

PYTHON = Path(sys.executable)
CALC_PROJECT = Project(id="calc", git_url="file:///x", python=PYTHON, test_command=COMMAND)
NAMED = CALC | {
    "tests/test_mean.py": CALC["tests/test_mean.py"] + "\n\n"
    "def test_mean_of_nothing():\n    assert double(mean([])) == 0\n"
}
SNIPPET = """It should be zero:

```python
from calc.mean import mean
assert mean([]) == 0.0
```

Traceback (most recent call last):
ZeroDivisionError: division by zero
"""


def ran(files: dict[str, str], text: str, sandbox: Sandbox | None = None) -> Spectrum | NotRun:
    spectra = FailingTests(FolderCheckouts(files), sandbox or find_sandbox())
    return spectra.of(CALC_PROJECT, COMMIT, report(text), ())


def best(files: dict[str, str], text: str, spectrum: Spectrum | None) -> tuple[str, str]:
    found = rank(report(text, title="It is wrong"), index_of(files), History(), spectrum).units[0]
    return (found.place.symbol if found.place else ""), "; ".join(found.reasons)


@pytest.mark.sandbox
def test_a_failing_test_that_the_report_names_leads_to_what_it_runs() -> None:
    text = "test_mean_of_nothing fails, not test_double: double is good"
    spectrum = ran(NAMED, text)

    assert isinstance(spectrum, Spectrum)
    assert (spectrum.failed, spectrum.passed) == (1, 2)
    assert best(NAMED, text, None)[0] == "double"
    symbol, reasons = best(NAMED, text, spectrum)
    assert symbol == "mean"
    assert "runs in 1 of 1 failing test and 1 of 2 that pass" in reasons


@pytest.mark.sandbox
def test_a_snippet_of_the_report_is_run_as_a_fix_would_run_it_in_a_real_sandbox() -> None:
    spectrum = ran(CALC, SNIPPET)

    assert isinstance(spectrum, Spectrum)
    assert spectrum.lines.failed["calc/mean.py"][3] == 1
    assert [frame.path for crash in spectrum.crashes for frame in crash.frames][-1:] == [
        "calc/mean.py"
    ]


@pytest.mark.sandbox
def test_a_report_that_shows_nothing_says_why_nothing_is_known() -> None:
    found = ran(CALC, "It is slow")

    assert isinstance(found, NotRun)
    assert "all of the suite's 2 tests pass" in found.reason


def test_nothing_is_run_without_an_interpreter_or_tests_that_can_be_read() -> None:
    spectra = FailingTests(FolderCheckouts(CALC), LocalSandbox())
    settings: tuple[dict[str, object], ...] = ({"python": None}, {"test_command": ("-m", "tox")})
    found = [
        spectra.of(CALC_PROJECT.model_copy(update=changed), COMMIT, report(SNIPPET), ())
        for changed in settings
    ]

    assert found == [
        NotRun("no `python` is set to run the tests with"),
        NotRun("test_command must run pytest, as in ['-m', 'pytest', '-q']"),
    ]


class Refusing(LocalSandbox):
    def check(self) -> str:
        raise SandboxUnavailableError("no namespaces here")


def test_a_refusal_of_the_sandbox_and_a_suite_without_an_end_are_reasons_and_no_errors() -> None:
    assert ran(CALC, SNIPPET, Refusing()) == NotRun("no namespaces here")
    found = ran(CALC, "It is slow", ScriptedSandbox(lambda *_: TIMED_OUT))
    assert isinstance(found, NotRun)


def test_no_run_outlasts_the_time_for_all_of_them() -> None:
    spectra = FailingTests(FolderCheckouts(CALC), LocalSandbox(), run_s_max=0.0)

    assert spectra.of(CALC_PROJECT, COMMIT, report(SNIPPET), ()) == NotRun(
        "the time for running tests was up"
    )


def test_a_failing_test_that_passes_where_it_is_watched_tells_nothing() -> None:
    assert isinstance(spectrum_of(NO_REPORT, {"t.py::test"}), NotRun)


def test_where_an_exception_left_counts_for_more_and_imports_for_nothing() -> None:
    files = {"a.py": "X = 1\ndef outer():\n    inner()\n\ndef inner():\n    raise ValueError\n"}
    once = {"a.py": dict.fromkeys((1, 2, 3, 5, 6), 1)}
    frames = (CrashFrame("a.py", 3, "outer", {}), CrashFrame("a.py", 6, "inner", {}))
    spectrum = Spectrum(Lines(once, {}), 1, 0, (Crash("ValueError", "", frames),))
    found = rank(report("Zebra", "Zebra"), index_of(files), History(), spectrum)

    assert [each.place.symbol for each in found.units if each.place] == ["inner", "outer"]
    assert found.units[0].reasons == ("runs in 1 of 1 failing test and 0 of 0 that pass",)
    assert found.files[0].reasons == found.units[0].reasons
