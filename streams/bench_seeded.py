"""`bugstream bench seeded`: faults of our own, seeded into small programs with tests."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from connectors.sandbox import find_sandbox
from processors.ports import Progress, Sandbox
from streams.bench_quixbugs import COLUMNS, row, summary
from streams.figures import Figures, machine
from streams.repair_trial import Bench, Case, run_all

PROGRAM_FILE = "program.py"
NOTES = (
    "The hold-out beside QuixBugs: programs, tests and faults were written for it, after the"
    " templates but not from their list; among them are faults that no template reaches.",
    "The same people wrote both, so it is no measure of bugs in the wild, where only about one in"
    " twenty developer fixes lies within such templates.",
    "Same: equal to the program before the fault was seeded, as a syntax tree.",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One seeded fault: the program with it, without it, and the tests that tell."""

    name: str
    kind: str
    broken: str
    sound: str
    tests: str


def faults() -> list[Fault]:
    """Return every fault of the corpus."""
    text = files("streams").joinpath("seeded.toml").read_text(encoding="utf-8")
    found = []
    for program in tomllib.loads(text)["program"]:
        for number, fault in enumerate(program["fault"], start=1):
            found.append(
                Fault(
                    name=f"{program['name']}-{number:02}",
                    kind=fault["kind"],
                    broken=program["code"].replace(fault["old"], fault["new"], 1),
                    sound=program["code"],
                    tests=program["tests"],
                )
            )
    return found


def bench(
    *,
    names: Sequence[str] | None = None,
    wall_s_per_program: float = 60.0,
    sandbox: Sandbox | None = None,
    progress: Progress | None = None,
) -> Figures:
    """Repair every seeded fault and return what came of each. It claims nothing: it measures.

    Raises `SandboxUnavailableError`.
    """
    chosen = [fault for fault in faults() if names is None or fault.name in names]
    setting = Bench(sandbox or find_sandbox(), Path(sys.executable), wall_s_per_program)
    trials = run_all(setting, [_case(fault) for fault in chosen], progress)
    kinds = {fault.name: fault.kind for fault in chosen}
    return Figures(
        name="seeded",
        claim=f"Seeded faults that get a patch which passes all tests:"
        f" {sum(t.patched for t in trials)} of {len(trials)},"
        f" {sum(t.same for t in trials)} of them restore the program as it was",
        measured_on=machine()
        | {"wall_s_per_program": wall_s_per_program, "workers": setting.workers},
        columns=("fault", "kind", *COLUMNS[1:]),
        rows=[(trial.name, kinds[trial.name], *row(trial)[1:]) for trial in trials],
        holds=None,
        notes=NOTES,
        detail=summary(trials),
    )


def _case(fault: Fault) -> Case:
    return Case(fault.name, partial(_write, fault), PROGRAM_FILE, fault.sound)


def _write(fault: Fault, tree: Path) -> None:
    (tree / PROGRAM_FILE).write_text(fault.broken, encoding="utf-8")
    (tree / "test_program.py").write_text(fault.tests, encoding="utf-8")
