"""Code that falls out of use, seen in real runs in the sandbox, and runs that say nothing of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from connectors.sandbox import find_sandbox
from processors.disuse import Disuse, disuse
from processors.ports import Sandbox
from processors.pytest_runs import Pytest
from schemas.fixes import FileEdit, Oracle, OracleKind
from tests.processors.trees import COMMAND, TIMED_OUT, ScriptedSandbox, write

CART = """\
def total(items, coupon=""):
    if coupon.startswith("HALF"):
        return sum(items) / 2
    return sum(items)


def cents(items):
    found = []
    for item in items:
        found.append(int(item * 100))
    return found
"""
TESTS = """\
from cart import total

def test_half():
    assert total([2, 2], "HALF-1") <= 4
"""
ORACLE = Oracle(
    kind=OracleKind.SNIPPET,
    node_ids=("test_bug.py::test_bug",),
    files={
        "test_bug.py": "import cart\n\ndef test_bug():\n    assert cart.total([4], None) == 4\n"
    },
)
CONDITION = 'if coupon.startswith("HALF"):'


def judged(
    folder: Path,
    *replaced: str,
    sandbox: Sandbox | None = None,
    files: Mapping[str, str] | None = None,
    oracle: Oracle = ORACLE,
    command: Sequence[str] = COMMAND,
) -> Disuse:
    after = CART.replace(*replaced)
    assert after != CART
    tree = {"cart.py": CART, "test_cart.py": TESTS, **(files or {})}
    old, new = write(folder / "old", tree), write(folder / "new", {**tree, "cart.py": after})
    pytest_of = Pytest(sandbox or find_sandbox(), Path(sys.executable), command)
    return disuse(pytest_of, [FileEdit(path="cart.py", before=CART, after=after)], oracle, old, new)


COVERED = "coverage of the change: tests run 1 of 1 statement"


@pytest.mark.sandbox
def test_a_branch_that_no_test_takes_any_more_is_lost(tmp_path: Path) -> None:
    found = judged(tmp_path, CONDITION, 'if coupon and coupon.startswith("HALF!"):')

    assert found.lost.startswith("cart.py, line 3 (`total`): tests that passed ran it before")


@pytest.mark.sandbox
def test_a_guard_loses_nothing_and_what_is_still_run_is_said(tmp_path: Path) -> None:
    found = judged(tmp_path, CONDITION, 'if coupon and coupon.startswith("HALF"):')

    assert (found.lost, found.said) == ("", f"what they ran of cart.py is still run; {COVERED}")


@pytest.mark.sandbox
def test_a_project_that_tests_in_several_processes_is_watched_in_one(tmp_path: Path) -> None:
    command = ("-m", "pytest", "-n", "2", *(word for word in COMMAND[2:] if "xdist" not in word))

    found = judged(tmp_path, CONDITION, "if coupon and len(coupon) > 9:", command=command)

    assert found.lost.startswith("cart.py, line 3")


@pytest.mark.sandbox
def test_a_loop_that_only_the_report_ran_is_lost_when_nobody_enters_it(tmp_path: Path) -> None:
    test = "import cart\n\ndef test_bug():\n    assert cart.cents([None]) == []\n"
    oracle = ORACLE.model_copy(update={"files": {"test_bug.py": test}})

    found = judged(tmp_path, "in items:", "in items[1:]:", oracle=oracle)

    assert found.lost == "cart.py, line 10 (`cents`): no test enters the loop any more"


@pytest.mark.sandbox
def test_what_no_passing_test_runs_is_said_to_be_that(tmp_path: Path) -> None:
    files = {"test_cart.py": "def test_other(): pass\n"}
    found = judged(tmp_path, CONDITION, 'if coupon and coupon.startswith("HALF"):', files=files)

    assert (found.lost, found.said) == (
        "",
        f"but no test that passed runs any of cart.py; {COVERED}",
    )


def test_a_condition_that_is_never_so_needs_no_run(tmp_path: Path) -> None:
    sandbox = ScriptedSandbox(lambda *_: TIMED_OUT)
    found = judged(tmp_path, CONDITION, "if False and coupon:", sandbox=sandbox)

    assert "line 2: the condition `False and coupon`" in found.lost
    assert sandbox.calls == 0


@pytest.mark.parametrize("answer", [TIMED_OUT, {"test_cart.py::test_half": "passed"}])
def test_a_run_that_does_not_tell_is_said_to_be_not_measured(
    tmp_path: Path, answer: object
) -> None:
    sandbox = ScriptedSandbox(lambda *_: answer)  # type: ignore[arg-type,return-value]
    found = judged(tmp_path, CONDITION, "if coupon:", sandbox=sandbox)

    assert found.lost == ""
    assert found.said.startswith("not measured whether code fell out of use: ")


def test_a_patch_without_python_files_has_nothing_to_lose(tmp_path: Path) -> None:
    sandbox = ScriptedSandbox(lambda *_: TIMED_OUT)
    edit = FileEdit(path="data.json", before="{}", after="[]")

    found = disuse(Pytest(sandbox, Path(sys.executable)), [edit], ORACLE, tmp_path, tmp_path)

    assert (found, sandbox.calls) == (Disuse("", ""), 0)
