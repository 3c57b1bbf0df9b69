from __future__ import annotations

import sys
import time
from itertools import groupby
from pathlib import Path

import pytest

from processors.repair.harness import Harness, Run
from streams.bench_seeded import Fault, cases, faults
from tests.processors.repair.local_sandbox import LocalSandbox
from tests.processors.trees import OPTIONS

BY_PROGRAM = {
    name: list(group) for name, group in groupby(faults(), lambda fault: fault.name.split("-")[0])
}


@pytest.mark.parametrize("name", BY_PROGRAM)
def test_program_is_green_and_every_fault_of_it_is_red(name: str, tmp_path: Path) -> None:
    seeded = BY_PROGRAM[name]
    tree = tmp_path / "work"
    tree.mkdir()
    (tree / "program.py").write_text(seeded[0].sound, encoding="utf-8")
    (tree / "test_program.py").write_text(seeded[0].tests, encoding="utf-8")

    until_s = time.monotonic() + 60
    with Harness(LocalSandbox(), Path(sys.executable), tree, until_s, OPTIONS) as harness:
        sound = harness.run(Run(stop_at_first=False))
        green = [fault.name for fault in seeded if _passes(harness, fault)]

    assert sound.finished
    assert sound.first_failed_id is None
    assert green == []


def _passes(harness: Harness, fault: Fault) -> bool:
    assert fault.broken != fault.sound
    run = Run(path="program.py", source=fault.broken, cpu_s_per_test=0.5)
    report = harness.run(run)
    return report.finished and report.first_failed_id is None


def test_there_are_a_few_dozen_of_many_kinds() -> None:
    assert len(faults()) >= 50
    assert len({fault.kind for fault in faults()}) >= 25


def test_cases_can_be_chosen_and_are_written_broken(tmp_path: Path) -> None:
    (case,) = cases(["pricing-02"])

    case.write(tmp_path)

    assert case.name == "pricing-02 boundary"
    assert "amount > 100" in (tmp_path / "program.py").read_text(encoding="utf-8")
    assert "amount >= 100" in case.known
