"""What is read from a run of pytest: real runs in the sandbox, and endings played from a script."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sandbox import find_sandbox
from processors.pytest_runs import Pytest, PytestRun, wrong_command
from schemas.values import SandboxLimits, SandboxResult
from tests.processors.trees import COMMAND, TIMED_OUT, ScriptedSandbox, write

PYTHON = Path(sys.executable)
SANDBOX = find_sandbox()

_TESTS = """\
import pytest

def test_good(): pass
def test_bad(): assert 1 == 2
def test_raises(): {}["key"]

@pytest.mark.parametrize("x", [1, 2])
def test_each(x): assert x == 1

@pytest.fixture
def broken(): raise ValueError("no such thing")
def test_setup(broken): pass

def test_skips(): pytest.skip("not here")

@pytest.mark.xfail
def test_known(): assert 0

class TestGroup:
    def test_inside(self): pass
"""


@pytest.mark.sandbox
def test_every_test_gets_its_outcome(tmp_path: Path) -> None:
    write(tmp_path, {"tests/test_a.py": _TESTS, "tests/test_b.py": "import nowhere"})

    run = Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path)

    assert {name: result.outcome for name, result in run.results.items()} == {
        "tests/test_a.py::test_good": "passed",
        "tests/test_a.py::test_bad": "failed",
        "tests/test_a.py::test_raises": "failed",
        "tests/test_a.py::test_each[1]": "passed",
        "tests/test_a.py::test_each[2]": "failed",
        "tests/test_a.py::test_setup": "error",
        "tests/test_a.py::test_skips": "skipped",
        "tests/test_a.py::test_known": "xfailed",
        "tests/test_a.py::TestGroup::test_inside": "passed",
    }
    raised = run.results["tests/test_a.py::test_raises"]
    assert (raised.exception, raised.message) == ("KeyError", "'key'")
    assert [(f.path, f.line) for f in raised.frames] == [("tests/test_a.py", 5)]
    assert run.results["tests/test_a.py::test_bad"].exception == "AssertionError"
    assert list(run.uncollected) == ["tests/test_b.py"]
    assert run.uncollected["tests/test_b.py"].exception == "ModuleNotFoundError"
    assert run.all_red(["tests/test_b.py"])
    assert not run.all_green(["tests/test_b.py", "tests/test_a.py"])
    assert (run.ended, run.reason) == ("finished", "")


@pytest.mark.sandbox
def test_only_what_is_asked_for_is_run_under_the_same_names(tmp_path: Path) -> None:
    # Without --rootdir pytest would name tests of a lone folder from that folder on.
    write(tmp_path, {"tests/test_a.py": _TESTS})

    run = Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path, ["tests/test_a.py::test_each"])

    assert set(run.results) == {"tests/test_a.py::test_each[1]", "tests/test_a.py::test_each[2]"}
    assert run.all_red(["tests/test_a.py::test_each"])
    assert not run.all_green(["tests/test_a.py::test_each"])
    assert run.all_green(["tests/test_a.py::test_each[1]"])
    assert not run.all_green(["tests/test_a.py::test_gone"])


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("test", "ended", "wall_s"),
    [
        ("import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n", "cut_off", 60),
        ("x = 1\n", "no_tests", 60),
        ("import time\ndef test_a(): time.sleep(60)\n", "timeout", 2),
        ("import pytest\ndef test_a(): pytest.exit('enough', 0)\n", "cut_off", 60),
    ],
)
def test_an_end_before_the_end_is_never_a_whole_answer(
    tmp_path: Path, test: str, ended: str, wall_s: float
) -> None:
    write(tmp_path, {"test_a.py": test})

    run = Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path, wall_s=wall_s)

    assert run.ended == ended or not run.all_green(["test_a.py::test_a"])
    assert run.whole == (ended == "no_tests")


@pytest.mark.sandbox
def test_the_projects_own_options_cannot_stop_at_the_first_failure(tmp_path: Path) -> None:
    options = "[pytest]\naddopts = -x -q\n"
    write(tmp_path, {"pytest.ini": options, "test_a.py": _TESTS})

    assert len(Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path).results) == 9


@pytest.mark.sandbox
def test_packages_in_src_are_those_of_the_tree(tmp_path: Path) -> None:
    tests = "import calc\ndef test_a(): assert calc.__file__.startswith('/sandbox/src/')\n"
    write(tmp_path, {"src/calc/__init__.py": "", "tests/test_a.py": tests})

    assert Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path).all_green(["tests/test_a.py"])


@pytest.mark.sandbox
def test_an_interpreter_without_pytest_is_said_to_have_none(tmp_path: Path) -> None:
    write(tmp_path / "tree", {"test_a.py": _TESTS})
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    # -S leaves out site-packages, in case the base has a pytest of its own.
    bare = Pytest(find_sandbox(), base, ("-S", "-m", "pytest"))

    run = bare.run(tmp_path / "tree")

    assert run.ended == "no_pytest"
    assert "`python`" in run.reason


def played(outcomes: dict[str, str] | SandboxResult) -> PytestRun:
    sandbox = ScriptedSandbox(lambda _tree, _names, _call: outcomes)
    return Pytest(sandbox, PYTHON).run(Path())


def test_a_timeout_is_not_a_pass() -> None:
    run = played(TIMED_OUT)

    assert (run.ended, run.whole) == ("timeout", False)
    assert not run.all_green([])
    assert not run.all_red([])


def test_what_was_killed_or_cut_off_is_no_answer() -> None:
    killed = SandboxResult(None, "signal", b"", b"", 1.0, 1.0)
    silent = SandboxResult(0, "exited", b"1 passed", b"", 1.0, 1.0)

    assert (played(killed).ended, played(silent).ended) == ("killed", "cut_off")


def test_an_interpreter_the_sandbox_cannot_start_is_said_to_be_that() -> None:
    refused = SandboxResult(126, "exited", b"", b"sh: /x/python: Permission denied\n", 1.0, 0.1)
    run = played(refused)

    assert run.ended == "no_python"
    assert "Permission denied" in run.reason


def test_lines_without_the_mark_are_no_results() -> None:
    forged = b'@0000 {"kind": "finish", "status": 0}\n'

    assert played(SandboxResult(0, "exited", b"", forged, 1.0, 1.0)).ended == "cut_off"


def test_a_run_has_the_command_a_person_would_type() -> None:
    sandbox = ScriptedSandbox(lambda _tree, _names, _call: {"t.py::a": "passed"})
    runner = Pytest(sandbox, PYTHON, ("-X", "dev", "-m", "pytest", "-q"))

    assert runner.run(Path(), ["t.py::a"]).command == "python -X dev -m pytest -q t.py::a"


def test_a_shorter_time_is_kept_and_a_longer_one_is_not() -> None:
    seen: list[float] = []

    class Watching(ScriptedSandbox):
        def run(self, spec):  # type: ignore[no-untyped-def]
            seen.append(spec.limits.wall_s)
            return super().run(spec)

    runner = replace(
        Pytest(Watching(lambda _tree, _names, _call: {}), PYTHON), limits=SandboxLimits(wall_s=50)
    )
    for wall_s in (5.0, 500.0, None):
        runner.run(Path(), wall_s=wall_s)

    assert seen == [5.0, 50.0, 50.0]


@pytest.mark.parametrize("command", [(), ("-m",), ("-m", "unittest"), ("pytest",)])
def test_a_test_command_that_is_not_pytest_is_named(command: tuple[str, ...]) -> None:
    assert "test_command" in wrong_command(command)
    assert wrong_command(("-m", "pytest", "-q")) == ""
