from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.repair.harness import Harness, Run
from tests.processors.repair.local_sandbox import LocalSandbox

SHOP = "def half(n):\n    return n / 2\n"
TESTS = """
import os
import pytest
from shop import half

def test_half():
    assert half(4) == 2

def test_wrong():
    value = None
    assert half(4) == 3

def test_crash():
    half(None)

def test_skipped():
    pytest.skip("not here")
"""


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    tree = tmp_path_factory.mktemp("work")
    (tree / "shop.py").write_text(SHOP, encoding="utf-8")
    (tree / "test_shop.py").write_text(TESTS, encoding="utf-8")
    deadline_s = time.monotonic() + 170
    with Harness(LocalSandbox(), Path(sys.executable), tree, deadline_s) as running:
        yield running


def test_every_test_is_reported_and_a_skip_counts_as_green(harness: Harness) -> None:
    report = harness.run(Run(stop_at_first=False))

    assert report.finished
    assert [o.outcome for o in report.outcomes] == ["passed", "failed", "failed", "skipped"]
    assert report.passed_ids == {"test_shop.py::test_half", "test_shop.py::test_skipped"}


@pytest.mark.parametrize("args", [("-pno:xdist",), ("-n", "2")])
def test_tests_run_in_one_process_whether_or_not_the_project_has_xdist_off(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "test_shop.py").write_text(TESTS, encoding="utf-8")
    deadline_s = time.monotonic() + 60

    with Harness(LocalSandbox(), Path(sys.executable), tmp_path, deadline_s, args) as running:
        report = running.run(Run(("test_shop.py::test_half",)))

    assert report.finished
    assert [o.outcome for o in report.outcomes] == ["passed"]


def test_details_name_the_exception_its_frames_and_the_types_of_variables(
    harness: Harness,
) -> None:
    report = harness.run(Run(select=["test_shop.py::test_crash"], details=True))

    crash = report.outcomes[0].crash
    assert crash
    assert crash.exception == "TypeError"
    assert [(f.path, f.line, f.function) for f in crash.frames] == [
        ("test_shop.py", 14, "test_crash"),
        ("shop.py", 2, "half"),
    ]
    assert crash.frames[-1].kinds == {"n": "NoneType"}
    assert "pytest" in report.modules


def test_trace_counts_lines_by_outcome(harness: Harness) -> None:
    report = harness.run(Run(stop_at_first=False, trace=True))

    assert report.lines
    assert report.lines.failed["shop.py"] == {2: 2}
    assert report.lines.passed["shop.py"] == {2: 1}


def test_candidate_is_seen_by_its_run_only_and_the_file_is_put_back(harness: Harness) -> None:
    wrong = ("test_shop.py::test_wrong",)
    file = harness.tree / "shop.py"

    for divisor, green in (("2", False), ("4 * 3", True), ("5", False), ("4 * 3", True)):
        source = SHOP.replace("/ 2", f"/ {divisor}")
        assert harness.run(Run(wrong, path="shop.py", source=source)).green(wrong) is green
        assert file.read_text(encoding="utf-8") == SHOP


def test_candidate_that_loops_is_ended_by_its_cpu_time_and_marked(harness: Harness) -> None:
    source = "def half(n):\n    while True: pass\n"

    run = Run(("test_shop.py::test_half",), path="shop.py", source=source, cpu_s_per_test=0.2)
    report = harness.run(run)

    assert [(o.outcome, o.over) for o in report.outcomes] == [("failed", True)]
    assert report.cpu_s < 3


@pytest.mark.parametrize(
    "line",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "os.execv('/bin/true', ['true'])",
        "os.close(1); os.close(2); raise SystemExit",
    ],
)
def test_candidate_that_ends_the_process_is_not_green_and_the_server_lives(
    harness: Harness, line: str
) -> None:
    source = f"import os\ndef half(n):\n    {line}\n"
    half, before = ("test_shop.py::test_half",), harness.restarts

    report = harness.run(Run(half, path="shop.py", source=source))

    assert not report.green(half)
    assert harness.run(Run(half)).green(half)
    assert harness.restarts == before


def test_candidate_that_eats_memory_fails_alone(harness: Harness) -> None:
    source = "def half(n):\n    return len(bytearray(1 << 33))\n"
    half = ("test_shop.py::test_half",)

    report = harness.run(Run(half, path="shop.py", source=source))

    assert [o.outcome for o in report.outcomes] == ["failed"]


def test_candidate_that_sleeps_is_ended_by_wall_time(harness: Harness) -> None:
    source = "import time\ndef half(n):\n    time.sleep(60)\n"

    report = harness.run(
        Run(("test_shop.py::test_half",), path="shop.py", source=source, wall_s_max=0.8)
    )

    assert report.ended == "wall"
    assert not report.green(["test_shop.py::test_half"])
    assert report.wall_s < 10


def test_run_that_is_ended_by_wall_time_still_says_which_lines_it_saw(harness: Harness) -> None:
    source = "import time\ndef half(n):\n    m = n\n    time.sleep(60)\n"

    half = ("test_shop.py::test_half",)
    run = Run(half, red=half, path="shop.py", source=source, trace=True, wall_s_max=5.0)
    report = harness.run(run)

    assert report.lines
    assert 3 in report.lines.failed["shop.py"]


def test_file_that_cannot_be_imported_is_reported_with_its_exception(harness: Harness) -> None:
    source = "raise LookupError"

    report = harness.run(Run(path="shop.py", source=source, details=True))

    crash = report.outcomes[0].crash
    assert crash
    assert crash.exception == "LookupError"
    assert report.passed_ids == frozenset()


def test_names_that_no_test_has_are_not_green(harness: Harness) -> None:
    missing = ("test_shop.py::test_missing",)

    assert not harness.run(Run(missing)).green(missing)


def test_tests_run_in_the_order_asked_for_without_those_to_skip(harness: Harness) -> None:
    report = harness.run(
        Run(
            first=["test_shop.py::test_wrong"],
            skip=["test_shop.py::test_crash"],
            stop_at_first=False,
        )
    )

    names = [o.node_id.partition("::")[2] for o in report.outcomes]
    assert names == ["test_wrong", "test_half", "test_skipped"]


def test_server_that_dies_is_replaced_and_the_run_counts_as_unfinished(harness: Harness) -> None:
    before = harness.restarts
    assert harness._process
    harness._process.kill()

    file = harness.tree / "shop.py"
    lost = harness.run(Run(path="shop.py", source="half = None\n"))
    assert file.read_text(encoding="utf-8") == SHOP
    again = harness.run(Run(("test_shop.py::test_half",)))

    assert not lost.finished
    assert again.green(["test_shop.py::test_half"])
    assert harness.restarts == before + 1
