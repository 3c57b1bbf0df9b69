"""Watches what a suite runs of the files of a patch, before and after, in trees of its own.

Apart from the runs that judge: watched tests are slower, and what depends on time may fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processors.pytest_runs import Pytest, PytestRun, Reach
from processors.reach import Ran, coverage, dead, losses, said
from schemas.fixes import FileEdit, Oracle, OracleKind
from schemas.target_tests import is_test
from schemas.trees import write_file

ORACLE_WALL_S_MAX = 240.0


@dataclass(frozen=True, slots=True)
class Disuse:
    """What a patch takes out of use; `lost` empty when nothing, or when it is not known."""

    lost: str
    said: str
    """When nothing is lost: what was seen, or why it was not measured."""
    wall_s: float = 0.0


class _UnknownError(Exception):
    """A run gave no whole answer; the text says why."""


@dataclass(slots=True)
class _Side:
    """One tree, and what tests were seen to run of the files in it."""

    pytest: Pytest
    tree: Path
    paths: Sequence[str]
    ran: dict[str, Ran] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)
    disturbed: int = 0
    wall_s: float = 0.0

    def look(self, node_ids: Sequence[str] = (), *, wall_s: float | None = None) -> Reach:
        """Run the suite, or `node_ids`, and add what they ran. Raises `_UnknownError`."""
        run = self.pytest.run(self.tree, node_ids, wall_s=wall_s, watch=self.paths)
        self.wall_s += run.wall_s
        reach = _whole(run)
        for path, ran in reach.ran.items():
            known = self.of(path)
            self.ran[path] = Ran(known.passed | ran.passed, known.some | ran.some)
        self.tests += [name for name in reach.tests if name not in self.tests]
        self.disturbed += reach.disturbed
        return reach

    def of(self, path: str) -> Ran:
        return self.ran.get(path, Ran())


def disuse(
    pytest: Pytest, edits: Sequence[FileEdit], oracle: Oracle, before: Path, after: Path
) -> Disuse:
    """Return what `edits` take out of use; `after` has them, and both trees are changed.

    Seen only where tests run the code in the process of pytest itself. What seems lost is looked
    for once more, in both trees and by every test, before it is said. Raises
    `SandboxUnavailableError`.
    """
    looked = [edit for edit in edits if edit.path.endswith(".py") and not is_test(edit.path)]
    texts = {e.path: (e.before, e.after) for e in looked if e.before and e.after is not None}
    found = [why for path, (old, new) in texts.items() for why in dead(path, old or "", new or "")]
    if found or not texts:
        return Disuse(said(found), "")
    for tree in (before, after):
        for path, text in oracle.files.items():
            write_file(tree, path, text.encode())
    sides = _Side(pytest, before, tuple(texts)), _Side(pytest, after, tuple(texts))
    try:
        lost, seen = _lost(texts, oracle, *sides), _seen(sides[0])
        seen = f"{seen}; {_covered(texts, sides[1])}"
    except _UnknownError as error:
        lost, seen = [], f"not measured whether code fell out of use: {error}"
    return Disuse(said(lost), seen, sum(side.wall_s for side in sides))


def _lost(
    texts: Mapping[str, tuple[str | None, str | None]], oracle: Oracle, old: _Side, new: _Side
) -> list[str]:
    def compared() -> list[str]:
        return [
            why
            for path, (before, after) in texts.items()
            for why in losses(path, before or "", after or "", old.of(path), new.of(path).some)
        ]

    suite = old.look()
    if oracle.kind is not OracleKind.SUITE_TEST:
        old.look(oracle.node_ids, wall_s=ORACLE_WALL_S_MAX)
    # First those tests alone that ran any of it before: mostly they are few, and enough.
    new.look(list(dict.fromkeys((*old.tests, *oracle.node_ids))))
    if not compared():
        return []
    new.look()
    again = old.look()
    for path in texts:
        # What ran once by chance may stay away by chance.
        always = suite.of(path).passed & again.of(path).passed
        old.ran[path] = Ran(always, old.of(path).some)
    found = compared()
    if found and new.disturbed:
        raise _UnknownError("a test traces code itself")
    return found


def _covered(texts: Mapping[str, tuple[str | None, str | None]], new: _Side) -> str:
    found = [
        coverage(before or "", after or "", new.of(path).some)
        for path, (before, after) in texts.items()
    ]
    run, total = sum(one for one, _ in found), sum(two for _, two in found)
    if total == 0:
        return "the patch only takes away"
    return f"coverage of the change: tests run {run} of {total} statement{'s' if total > 1 else ''}"


def _whole(run: PytestRun) -> Reach:
    if not run.whole or run.reach is None:
        raise _UnknownError(run.reason or "the run said nothing of it")
    if run.reach.count < len(run.results):
        raise _UnknownError("the tests run in other processes")
    return run.reach


def _seen(side: _Side) -> str:
    run = [path for path in side.paths if side.of(path).passed]
    if not run:
        return f"but no test that passed runs any of {', '.join(side.paths)}"
    return f"what they ran of {', '.join(run)} is still run"
