"""Which patches fit, and which spare the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.diffs import apply, misfits, unfit_oracle, weakenings
from schemas.fixes import FileEdit, Oracle, OracleKind
from tests.processors.trees import CALC, write

MEAN, TESTS = CALC["calc/mean.py"], CALC["tests/test_mean.py"]


def edit(path: str, before: str | None, after: str | None) -> FileEdit:
    return FileEdit(path=path, before=before, after=after)


def test_a_patch_that_fits_is_applied_as_it_stands(tmp_path: Path) -> None:
    write(tmp_path, CALC)
    edits = [
        edit("calc/mean.py", MEAN, "changed\n"),
        edit("calc/new/deep.py", None, "new\n"),
        edit("calc/__init__.py", "", None),
    ]

    assert misfits(tmp_path, edits) == []
    apply(tmp_path, edits)

    assert (tmp_path / "calc/mean.py").read_text() == "changed\n"
    assert (tmp_path / "calc/new/deep.py").read_text() == "new\n"
    assert not (tmp_path / "calc/__init__.py").exists()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (edit("calc/mean.py", "another text", "x"), "not what the patch was made for"),
        (edit("calc/mean.py", None, "x"), "not what the patch was made for"),
        (edit("calc/gone.py", "was here", "x"), "not what the patch was made for"),
        (edit("calc/mean.py", MEAN, MEAN), "not changed at all"),
        (edit("../outside.py", None, "x"), "not a plain path"),
        (edit("/etc/cron.d/x", None, "x"), "not a plain path"),
        (edit(".git/hooks/pre-commit", None, "x"), "not a path a patch may change"),
        (edit("calc/link/x.py", None, "x"), "not a plain folder"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(tmp_path: Path, wrong: FileEdit, why: str) -> None:
    write(tmp_path, CALC)
    (tmp_path / "calc/link").symlink_to("/tmp")

    assert why in "; ".join(misfits(tmp_path, [wrong]))


def test_an_empty_patch_and_one_that_changes_a_file_twice_are_refused(tmp_path: Path) -> None:
    write(tmp_path, CALC)
    same = edit("calc/mean.py", MEAN, "x")

    assert misfits(tmp_path, [])
    assert "twice" in misfits(tmp_path, [same, same])[0]


GOOD = (
    edit("calc/mean.py", MEAN, MEAN + "\n\ndef more():\n    return 1\n"),
    edit("tests/test_mean.py", TESTS, TESTS + "\n\ndef test_more():\n    assert more() == 1\n"),
    edit("tests/test_mean.py", TESTS, "import math\n" + TESTS),
    edit("tests/test_new.py", None, "def test_new():\n    assert 1 + 1 == 2\n"),
    edit("pyproject.toml", '[project]\nname = "a"\n', '[project]\nname = "b"\n'),
    edit("setup.cfg", "[metadata]\nname = a\n", "[metadata]\nname = b\n"),
    edit("tests/test_mean.py", TESTS, TESTS.replace("== 2", "==  2  # comment")),
)


@pytest.mark.parametrize("good", GOOD, ids=lambda e: e.path)
def test_what_leaves_the_tests_as_they_are_weakens_none(good: FileEdit) -> None:
    assert weakenings([good]) == []


IN_CLASS = "class TestIt:\n    def test_a(self):\n        assert f() == 1\n"
BAD = {
    "deleted file": edit("tests/test_mean.py", TESTS, None),
    "deleted test": edit("tests/test_mean.py", TESTS, TESTS.partition("def test_double")[0]),
    "weaker assert": edit("tests/test_mean.py", TESTS, TESTS.replace("== 2", ">= 0")),
    "removed assert": edit("tests/test_mean.py", TESTS, TESTS.replace("assert ", "")),
    "trivial assert": edit("tests/test_mean.py", TESTS, TESTS.replace("== 2", "== 2 or True")),
    "skip mark": edit(
        "tests/test_mean.py", TESTS, TESTS.replace("def test_d", "@pytest.mark.skip\ndef test_d")
    ),
    "skip call": edit(
        "tests/test_mean.py", TESTS, TESTS.replace("    assert", "    skip()\n    a")
    ),
    "module mark": edit("tests/test_mean.py", TESTS, TESTS + "pytestmark = pytest.mark.skip\n"),
    "not a test any more": edit("tests/test_mean.py", TESTS, TESTS + "__test__ = False\n"),
    "shadowed": edit("tests/test_mean.py", TESTS, TESTS + "def test_double(): pass\n"),
    "autouse fixture": edit(
        "tests/test_mean.py", TESTS, TESTS + "@fixture(autouse=True)\ndef f(): skip()\n"
    ),
    "broken file": edit("tests/test_mean.py", TESTS, "def test_(:\n"),
    "in a class": edit("tests/test_it.py", IN_CLASS, IN_CLASS.replace("== 1", "!= 2")),
    "class skipped": edit("tests/test_it.py", IN_CLASS, "@skip\n" + IN_CLASS),
    "conftest": edit("conftest.py", "", "collect_ignore = ['tests']\n"),
    "new conftest": edit("tests/conftest.py", None, "x = 1\n"),
    "sitecustomize": edit("sitecustomize.py", None, "import os; os._exit(0)\n"),
    "pth": edit("evil.pth", None, "import os\n"),
    "pytest.ini": edit("pytest.ini", None, "[pytest]\naddopts = --co\n"),
    "pyproject": edit(
        "pyproject.toml", "[tool.pytest.ini_options]\n", '[tool.pytest.ini_options]\nx = "y"\n'
    ),
    "broken pyproject": edit("pyproject.toml", "a = 1\n", "a = = 1\n"),
    "setup.cfg": edit("setup.cfg", "[metadata]\n", "[tool:pytest]\naddopts = -k x\n"),
    "tox.ini": edit("tox.ini", "[pytest]\na = 1\n", None),
    "test data": edit("tests/data/expected.json", "{}", "[]"),
    "test package": edit("tests/__init__.py", None, ""),
    "asks for tests": edit(
        "calc/mean.py", MEAN, MEAN + "if 'PYTEST_CURRENT_TEST' in os.environ: mean = fake\n"
    ),
    "asks for pytest": edit("calc/mean.py", MEAN, MEAN + 'if "pytest" in sys.modules: x = 1\n'),
}


@pytest.mark.parametrize("name", BAD)
def test_what_could_weaken_a_test_is_named(name: str) -> None:
    problems = weakenings([BAD[name]])

    assert problems
    assert all(BAD[name].path in problem for problem in problems)


@pytest.mark.parametrize(
    "path", ["calc/mean.py", "../x.py", "tests/conftest.py", "notes.txt", "/etc/x.py"]
)
def test_an_oracle_brings_new_tests_and_nothing_else(tmp_path: Path, path: str) -> None:
    write(tmp_path, CALC)
    kind, files = OracleKind.MODEL_TEST, {path: "def test_a(): pass\n"}

    assert unfit_oracle(tmp_path, Oracle(kind=kind, node_ids=(f"{path}::test_a",), files=files))
    good = Oracle(kind=kind, node_ids=("t.py::a",), files={"test_new_one.py": ""})
    assert unfit_oracle(tmp_path, good) == []
    assert unfit_oracle(tmp_path, good.model_copy(update={"node_ids": ()}))
