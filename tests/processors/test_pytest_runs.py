"""What is read from a run of pytest: real runs in the sandbox, and endings played from a script."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sandbox import find_sandbox
from processors.pytest_runs import Pytest, PytestRun, wrong_command
from processors.reach import Ran
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
        (
            "def test_a():\n while 1:\n  try: [0 for _ in range(10**5)]\n  except: pass\n",
            "timeout",
            2,
        ),
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


_WAITING = """\
import threading, time
import pytest

def test_sleeps(): time.sleep(600)
def test_good(): pass
def test_waits(): threading.Event().wait()

@pytest.fixture
def slow(): time.sleep(600)
def test_setup(slow): pass

@pytest.mark.timeout(500)
def test_last(): pass
"""


@pytest.mark.sandbox
def test_a_test_that_waits_for_ever_fails_alone_and_the_suite_goes_on(tmp_path: Path) -> None:
    forever = "import time\ntime.sleep(600)\n"
    write(tmp_path, {"test_a.py": _WAITING, "test_b.py": forever, "pytest.ini": "[pytest]\n"})

    run = replace(Pytest(SANDBOX, PYTHON, COMMAND), test_wall_s=0.5).run(tmp_path)

    assert run.ended == "finished"
    assert {name.partition("::")[2]: r.outcome for name, r in run.results.items()} == {
        "test_sleeps": "failed",
        "test_good": "passed",
        "test_waits": "failed",
        "test_setup": "error",
        "test_last": "passed",
    }
    sleeps = run.results["test_a.py::test_sleeps"]
    assert (sleeps.exception, sleeps.message) == ("Failed", "took longer than 0.5 s")
    assert [place.line for place in sleeps.frames] == [4]
    assert list(run.uncollected) == ["test_b.py"]
    assert run.wall_s < 20


@pytest.mark.sandbox
def test_an_alarm_of_the_project_itself_still_rings(tmp_path: Path) -> None:
    test = (
        "import signal, time\nimport pytest\n\n\ndef ring(*_): raise OSError('rang')\n\n\n"
        "def test_a():\n    signal.signal(signal.SIGALRM, ring)\n    signal.alarm(1)\n"
        "    with pytest.raises(OSError, match='rang'):\n        time.sleep(30)\n"
    )
    write(tmp_path, {"test_a.py": test})

    run = replace(Pytest(SANDBOX, PYTHON, COMMAND), test_wall_s=10.0).run(tmp_path)

    assert run.all_green(["test_a.py::test_a"])


@pytest.mark.sandbox
def test_what_tests_run_of_a_file_is_noted_apart_for_those_that_pass(tmp_path: Path) -> None:
    code = "def half(n):\n    if n is None:\n        raise ValueError\n    return n / 2\n"
    tests = "from calc import half\ndef test_a(): half(2)\ndef test_b(): half(None)\n"
    write(tmp_path, {"src/calc.py": code, "test_a.py": tests})

    run = Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path, watch=["src/calc.py"])

    assert run.reach is not None
    assert (run.reach.count, run.reach.disturbed) == (2, 0)
    assert run.reach.tests == ("test_a.py::test_a", "test_a.py::test_b")
    assert run.reach.of("src/calc.py") == Ran(frozenset({2, 4}), frozenset({2, 3, 4}))
    assert Pytest(SANDBOX, PYTHON, COMMAND).run(tmp_path).reach is None


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


def test_examples_are_run_with_the_plugins_of_the_tests_and_no_other_option() -> None:
    command = ("-X", "dev", "-m", "pytest", "-pno:a", "-k", "not slow", "-p", "no:b", "tests")
    runner = Pytest(ScriptedSandbox(lambda _tree, _names, _call: {}), PYTHON, command)

    asked = runner.of_examples(["t.py"], wall_s=5.0)

    assert asked.test_command[:4] == ("-X", "dev", "-m", "pytest")
    assert asked.test_command[4:] == ("-pno:a", "-p", "no:b", "--doctest-modules", "t.py")
    assert asked.limits.wall_s == 5.0


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
