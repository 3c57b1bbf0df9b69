"""`bugstream bench quixbugs PATH`: how many of the 40 programs get a patch from the templates."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from connectors.sandbox import find_sandbox
from processors.ports import Progress, Sandbox
from schemas.errors import UserError
from streams import bench_seeded
from streams.figures import Figures, machine
from streams.repair_trial import COLUMNS, Bench, Case, counted, row, run_all, summary

PROGRAMS = 40
PATCHED_MIN = 25
FOLDERS = ("python_programs", "correct_python_programs", "python_testcases")
NOTES = (
    "The list of templates was written with knowledge of these 40 bugs, so the figure says what"
    " the search finds, not how it does on bugs it has never seen: the hold-out is for those.",
    "Patched: all tests of the program pass. Same: equal to the known fix as a syntax tree;"
    " others may be right too, or may only satisfy the tests.",
)


def bench(
    path: Path,
    *,
    programs: Sequence[str] | None = None,
    cpu_s_per_program: float = 60.0,
    wall_s_per_program: float = 600.0,
    hold_out: Sequence[str] | None = None,
    sandbox: Sandbox | None = None,
    progress: Progress | None = None,
) -> Figures:
    """Repair the programs of the QuixBugs checkout at `path`, and our own seeded faults beside.

    `programs` and `hold_out` name those to repair; neither: all of both. Raises `UserError`
    ("not run: ...") where `path` is no such checkout, and `SandboxUnavailableError`.
    """
    cases = [_case(path, name) for name in _names(path, programs)]
    if programs is not None and hold_out is None:
        hold_out = ()  # Some programs were asked for, not the benchmark.
    seeded = bench_seeded.cases(hold_out)
    setting = Bench(
        sandbox or find_sandbox(),
        Path(sys.executable),
        cpu_s_per_program=cpu_s_per_program,
        wall_s_per_program=wall_s_per_program,
    )
    trials = run_all(setting, [*cases, *seeded], progress)
    ours, theirs = trials[len(cases) :], trials[: len(cases)]
    complete = len(theirs) == PROGRAMS
    return Figures(
        name="quixbugs",
        claim=f"At least {PATCHED_MIN} of the {PROGRAMS} QuixBugs programs get a patch that"
        f" passes their tests. QuixBugs: {counted(theirs)}. Hold-out: {counted(ours)}",
        measured_on=machine()
        | {"cpu_s_per_program": cpu_s_per_program, "workers": setting.workers},
        columns=("set", *COLUMNS),
        rows=[
            *(("quixbugs", *row(trial)) for trial in theirs),
            *(("hold-out", *row(trial)) for trial in ours),
        ],
        holds=sum(t.patched for t in theirs) >= PATCHED_MIN if complete else None,
        notes=(*NOTES, *bench_seeded.NOTES),
        detail={"quixbugs": summary(theirs), "hold_out": summary(ours)},
    )


def _names(path: Path, programs: Sequence[str] | None) -> list[str]:
    missing = [folder for folder in FOLDERS if not (path / folder).is_dir()]
    if missing:
        raise UserError(
            f"not run: {path} is no checkout of QuixBugs, {missing[0]} is missing;"
            " fetch it with `git clone https://github.com/jkoppel/QuixBugs` and give its path"
        )
    known = sorted(test.stem[5:] for test in (path / "python_testcases").glob("test_*.py"))
    unknown = sorted(set(programs or ()) - set(known))
    if unknown:
        raise UserError(f"not run: QuixBugs has no program {unknown[0]!r}")
    return [name for name in known if programs is None or name in programs]


def _case(path: Path, name: str) -> Case:
    correct = path / "correct_python_programs" / f"{name}.py"
    return Case(
        name=name,
        write=partial(_write, path, name),
        path=f"python_programs/{name}.py",
        known=correct.read_text(encoding="utf-8"),
        tests=(f"python_testcases/test_{name}.py",),
    )


def _write(path: Path, name: str, tree: Path) -> None:
    """Copy one program, its tests and their data; never the correct versions."""
    for folder, names in (
        ("python_programs", ("__init__.py", "node.py", f"{name}.py")),
        ("python_testcases", ("load_testdata.py", "node.py", f"test_{name}.py")),
        ("json_testcases", (f"{name}.json",)),
        (".", ("conftest.py",)),
    ):
        (tree / folder).mkdir(exist_ok=True)
        for file in names:
            if (path / folder / file).is_file():
                shutil.copyfile(path / folder / file, tree / folder / file)
