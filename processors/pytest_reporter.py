"""Runs pytest inside the sandbox and says what came of each test; given to `python -c` as text.

It runs on the target's interpreter and pytest, whatever their age, and imports nothing of ours.
What it says goes to a copy of standard error, in lines that begin with a mark it was given.
"""

import json
import os
import sys
from typing import Any

TEXT_CHARS_MAX = 4000
FRAMES_MAX = 40


class Reporter:
    """A pytest plugin: one JSON line for each thing that happens."""

    def __init__(self, out: int, mark: str, only: "list[str]") -> None:
        """Write to the descriptor `out`; run nothing but `only`, unless it is empty."""
        self.out = out
        self.mark = mark
        self.only = only

    def say(self, **record: Any) -> None:
        """Write one line, in one piece."""
        line = "\n" + self.mark + json.dumps(record) + "\n"
        rest = line.encode("utf-8", "backslashreplace")
        while rest:
            rest = rest[os.write(self.out, rest) :]

    def pytest_collection_modifyitems(self, config: Any, items: "list[Any]") -> None:
        """Keep only what was asked for; a name without parameters, or a file, stands for all."""
        if not self.only:
            return
        wanted = set(self.only)
        kept = [item for item in items if wanted & _names(item.nodeid)]
        dropped = [item for item in items if item not in kept]
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = kept

    def pytest_collectreport(self, report: Any) -> None:
        """Say what could not be collected."""
        if report.failed:
            self.say(kind="collect", id=report.nodeid, text=_text(report))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Say what came of one phase of one test."""
        record = {
            "id": report.nodeid,
            "when": report.when,
            "outcome": report.outcome,
            "xfail": hasattr(report, "wasxfail"),
            "wall_s": round(getattr(report, "duration", 0.0), 6),
        }
        if report.failed:
            record["text"] = _text(report)
            record["crash"], record["frames"] = _crash(report.longrepr)
        self.say(kind="test", **record)

    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        """Say that the end was reached: without this line nothing counts."""
        self.say(kind="finish", status=int(exitstatus), collected=session.testscollected)


def _names(node_id: str) -> "set[str]":
    return {node_id, node_id.partition("[")[0], node_id.partition("::")[0]}


def _text(report: Any) -> str:
    return str(report.longrepr)[-TEXT_CHARS_MAX:]


def _crash(longrepr: Any) -> "tuple[str, list[Any]]":
    crash = getattr(longrepr, "reprcrash", None)
    message = str(getattr(crash, "message", ""))[:TEXT_CHARS_MAX]
    entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", [])
    places = [getattr(entry, "reprfileloc", None) for entry in entries]
    frames = [[str(p.path), int(p.lineno)] for p in places if p is not None]
    return message, frames[-FRAMES_MAX:]


def main() -> int:
    """Read the plan from standard input, run pytest, and return its exit status."""
    plan = json.loads(sys.stdin.readline())
    out = os.dup(2)
    reporter = Reporter(out, plan["mark"], plan["only"])
    # As `python -m pytest` has it: the tree itself, by its whole path. A tree with its packages in
    # `src` goes before a copy that is installed: it is the tree that is judged.
    root = os.getcwd()  # noqa: PTH109
    source = os.path.join(root, "src")  # noqa: PTH118
    sys.path[:1] = [root, source] if os.path.isdir(source) else [root]  # noqa: PTH112
    try:
        import pytest
    except ImportError as error:
        reporter.say(kind="no_pytest", text=str(error))
        return 1
    return int(pytest.main(plan["args"], plugins=[reporter]))


if __name__ == "__main__":
    sys.exit(main())
