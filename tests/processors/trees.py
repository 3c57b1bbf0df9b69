"""Small repositories for tests, a sandbox that plays pytest from a script, and reports on them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processors.ports import SandboxProcess, SandboxResult, SandboxSpec
from processors.snippets import find_snippets
from processors.traces import find_traces
from schemas.projects import Project
from schemas.reports import BugReport
from tests.factories import ORIGIN

COMMIT = "a" * 40
_PLUGINS = ("hypothesispytest", "xdist", "xdist.looponfail", "timeout", "anyio")
OPTIONS = tuple(f"-pno:{name}" for name in _PLUGINS)
"""Without our own plugins, which take seconds to import; a target would not have them."""
COMMAND = ("-m", "pytest", *OPTIONS)
CALC = {
    "calc/__init__.py": "",
    "calc/mean.py": (
        "def mean(numbers):\n"
        '    """Return the mean; 0.0 of nothing."""\n'
        "    return sum(numbers) / len(numbers)\n\n\n"
        "def double(number):\n"
        "    return number * 2\n"
    ),
    "tests/test_mean.py": (
        "from calc.mean import double, mean\n\n\n"
        "def test_mean_of_two():\n    assert mean([1, 3]) == 2\n\n\n"
        "def test_double():\n    assert double(2) == 4\n"
    ),
    "conftest.py": "",
}
MEND = (
    "    return sum(numbers) / len(numbers)\n",
    "    return sum(numbers) / len(numbers) if numbers else 0.0\n",
)
"""The line of CALC at fault, and the line that mends it."""


def report(text: str, title: str = "mean fails") -> BugReport:
    """Return a report as normalize would make it of `text`."""
    return BugReport(
        report_id=ORIGIN.report_id,
        origin=ORIGIN,
        title=title,
        description=text,
        stack_traces=find_traces(text),
        snippets=find_snippets(text),
    )


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `files` into `folder` and return it."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


class FolderCheckouts:
    """`Checkouts` of one tree that stands in a dict."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def base_commit(self, project: Project) -> str:
        return COMMIT

    @contextmanager
    def work_copy(self, project: Project, commit: str) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="bugstream-test-"))
        try:
            yield write(folder, self._files)
        finally:
            shutil.rmtree(folder)

    def files(self, project: Project, commit: str) -> Mapping[str, bytes]:
        return {path: text.encode() for path, text in self._files.items()}


Play = Callable[[Path, tuple[str, ...], int], Mapping[str, str] | SandboxResult]
"""Tree, wanted node ids, number of the call -> node id -> outcome, or how it ended."""


class ScriptedSandbox:
    """Plays the part of pytest under our reporter: says what `play` says, runs nothing."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.calls = 0

    def check(self) -> str:
        return "runs nothing"

    def run(self, spec: SandboxSpec) -> SandboxResult:
        plan: dict[str, Any] = json.loads(spec.stdin)
        self.calls += 1
        outcomes = self._play(spec.workdir, tuple(plan["only"]), self.calls)
        if isinstance(outcomes, SandboxResult):
            return outcomes
        lines = [_said(plan["mark"], name, outcome) for name, outcome in outcomes.items()]
        ran = [outcome for outcome in outcomes.values() if not outcome.startswith("uncollected")]
        status = 5 if not outcomes else int(len(ran) < len(outcomes) or _red(ran))
        lines.append(
            plan["mark"] + json.dumps({"kind": "finish", "status": status, "collected": len(ran)})
        )
        return SandboxResult(status, "exited", b"played", "\n".join(lines).encode(), 0.1, 0.1)

    @contextmanager
    def start(self, spec: SandboxSpec) -> Iterator[SandboxProcess]:
        raise NotImplementedError
        yield


def _red(outcomes: list[str]) -> bool:
    return any(outcome.startswith("failed") for outcome in outcomes)


def _said(mark: str, name: str, played: str) -> str:
    """Return the reporter's line; `played`: "passed", "failed", or "failed CRASH at PATH:9"."""
    outcome, _, crash = played.partition(" ")
    if outcome == "uncollected":
        return mark + json.dumps({"kind": "collect", "id": name, "text": f"E   {crash}"})
    record = {"kind": "test", "id": name, "when": "call", "outcome": outcome, "xfail": False}
    if outcome == "failed":
        died, _, place = crash.partition(" at ")
        frames = [[path, int(line)] for path, _, line in [place.partition(":")] if line]
        record |= {"crash": died or "ValueError: no", "text": "it failed", "frames": frames}
    return mark + json.dumps({**record, "wall_s": 0.01})


TIMED_OUT = SandboxResult(None, "wall_timeout", b"", b"", 600.0, 1.0)
SHOP = Project(id="shop", git_url="file:///srv/shop.git", python=Path("/usr/bin/python3"))
