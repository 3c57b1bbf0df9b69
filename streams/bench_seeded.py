"""The hold-out of `bench quixbugs`: faults of our own in small programs with tests."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from streams.repair_trial import Case

PROGRAM_FILE = "program.py"
NOTES = (
    "Hold-out: programs, tests and faults were written for it, after the"
    " templates but not from their list; among them are faults that no template reaches.",
    "The same people wrote both, so it is no measure of bugs in the wild, where only about one in"
    " twenty developer fixes lies within such templates.",
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


def cases(names: Sequence[str] | None = None) -> list[Case]:
    """Return the faults called `names`, or all, as cases for a benchmark."""
    return [_case(fault) for fault in faults() if names is None or fault.name in names]


def _case(fault: Fault) -> Case:
    return Case(f"{fault.name} {fault.kind}", partial(_write, fault), PROGRAM_FILE, fault.sound)


def _write(fault: Fault, tree: Path) -> None:
    (tree / PROGRAM_FILE).write_text(fault.broken, encoding="utf-8")
    (tree / "test_program.py").write_text(fault.tests, encoding="utf-8")
