from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.bench_quixbugs import bench
from tests.processors.repair.local_sandbox import LocalSandbox

KNOWN = "def add(a, b):\n    return a + b\n"
TEST = """import pytest

if pytest.use_correct:
    from correct_python_programs.add import add
else:
    from python_programs.add import add


def test_add():
    assert add(2, 3) == 5


def test_zero():
    assert add(2, 0) == 2
"""
CONFTEST = "import pytest\n\n\ndef pytest_configure(config):\n    pytest.use_correct = False\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the layout of QuixBugs, with a program of our own."""
    root = tmp_path_factory.mktemp("quixbugs")
    for path, text in {
        "python_programs/__init__.py": "",
        "python_programs/add.py": KNOWN.replace("+", "-"),
        "correct_python_programs/add.py": KNOWN,
        "python_testcases/test_add.py": TEST,
        "conftest.py": CONFTEST,
    }.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_program_is_repaired_and_compared_with_its_known_fix(checkout: Path) -> None:
    figures = bench(
        checkout, wall_s_per_program=60, hold_out=["pricing-02"], sandbox=LocalSandbox()
    )

    row = dict(zip(figures.columns, figures.rows[0], strict=True))
    assert (row["program"], row["patched"], row["same as known"]) == ("add", True, True)
    other = dict(zip(figures.columns, figures.rows[1], strict=True))
    assert (other["set"], other["program"]) == ("hold-out", "pricing-02 boundary")
    assert other["patched"] is True
    assert figures.detail["quixbugs"]["patched"] == figures.detail["hold_out"]["patched"] == 1
    assert figures.holds is None, "less than all programs claim nothing"
    assert any("knowledge of these" in note for note in figures.notes)
    assert (checkout / "python_programs/add.py").read_text(encoding="utf-8").endswith("a - b\n")


def test_missing_checkout_is_not_run_and_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not run: .*git clone"):
        bench(tmp_path / "nowhere", sandbox=LocalSandbox())


def test_unknown_program_is_not_run(checkout: Path) -> None:
    with pytest.raises(UserError, match="not run: QuixBugs has no program 'gdc'"):
        bench(checkout, programs=["gdc"], sandbox=LocalSandbox())
