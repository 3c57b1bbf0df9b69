"""Runs pytest inside the sandbox and says what came of each test; given to `python -c` as text.

It runs on the target's interpreter and pytest, whatever their age, and imports nothing of ours.
What it says goes to a copy of standard error, in lines that begin with a mark it was given.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from typing import Any

TEXT_CHARS_MAX = 4000
FRAMES_MAX = 40
TOOK_LONGER = "took longer than"
AGAIN_S = 5.0
"""After this a test that swallowed its first interruption gets another one."""


class TooLong:
    """Ends what waits for ever: each phase of a test, and the import of each file of tests.

    By wall time, since a sleep takes no processor time. What catches everything for ever, or
    waits in code that lets no signal through, is left to the limit of the whole run.
    """

    def __init__(self, wall_s: float) -> None:
        """Allow `wall_s` for each phase."""
        self.wall_s = wall_s

    @contextlib.contextmanager
    def limit(self) -> Any:
        """Fail what runs inside when it takes too long; an alarm of the project's own stays set."""
        handler = signal.signal(signal.SIGALRM, self._ring)
        began_s = time.monotonic()
        left_s, again_s = signal.setitimer(signal.ITIMER_REAL, self.wall_s, AGAIN_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
            if left_s:
                left_s = max(0.001, left_s - (time.monotonic() - began_s))
                signal.setitimer(signal.ITIMER_REAL, left_s, again_s)

    def _ring(self, number: Any, frame: Any) -> None:
        del number, frame
        __tracebackhide__ = True  # Where the test stood is what is to be seen.
        import pytest

        pytest.fail(f"{TOOK_LONGER} {self.wall_s:g} s")

    def pytest_runtest_setup(self) -> Any:
        """Limit the fixtures."""
        with self.limit():
            yield

    def pytest_runtest_call(self) -> Any:
        """Limit the test."""
        with self.limit():
            yield

    def pytest_runtest_teardown(self) -> Any:
        """Limit the end of the fixtures."""
        with self.limit():
            yield

    def pytest_make_collect_report(self) -> Any:
        """Limit the import."""
        with self.limit():
            yield


class Watch:
    """Notes which lines of some files the tests run, apart for those that pass.

    Line by line only in those files; in the rest each call costs one look at its file name. Needs
    one process: xdist is told to make no workers, and pytest-cov, which traces too, to be quiet.
    """

    def __init__(self, root: str, files: "list[str]") -> None:
        """Watch `files`, relative to `root`."""
        self.files = {os.path.join(root, path): path for path in files}  # noqa: PTH118
        self.names: dict[str, str | None] = {}
        self.ran: set[tuple[str, int]] = set()
        self.passed: set[tuple[str, int]] = set()
        self.some: set[tuple[str, int]] = set()
        self.outcome = ""
        self.tests: list[str] = []
        self.count = 0
        self.disturbed = 0

    def pytest_load_initial_conftests(self, early_config: Any) -> Any:
        """Tell pytest-cov, before it starts, to measure nothing."""
        early_config.known_args_namespace.no_cov = True
        yield

    def pytest_configure(self, config: Any) -> None:
        """Tell pytest-xdist, before it makes its workers, to make none."""
        config.option.dist, config.option.tx = "no", []

    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Watch one test, its fixtures included."""
        self.ran, self.outcome = set(), ""
        before = sys.gettrace()
        threading.settrace(self._call)
        sys.settrace(self._call)
        yield
        self.disturbed += sys.gettrace() != self._call
        sys.settrace(before)
        threading.settrace(before)
        ran = set(self.ran)
        self.count += 1
        self.some |= ran
        if self.outcome == "passed":
            self.passed |= ran
        if ran:
            self.tests.append(item.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Fold the phases into one outcome."""
        if report.failed or report.skipped:
            self.outcome = report.outcome
        elif report.when == "call" and not self.outcome:
            self.outcome = "passed"

    def seen(self) -> "dict[str, Any]":
        """Return everything, for the report."""
        return {
            "passed": self._by_file(self.passed),
            "some": self._by_file(self.some),
            "tests": self.tests,
            "count": self.count,
            "disturbed": self.disturbed,
        }

    def _by_file(self, lines: "set[tuple[str, int]]") -> "dict[str, list[int]]":
        found: dict[str, list[int]] = {path: [] for path in self.files.values()}
        for path, line in sorted(lines):
            found[path].append(line)
        return found

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        del event, arg
        return self._line if self._path(frame.f_code.co_filename) else None

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        del arg
        path = self._path(frame.f_code.co_filename)
        if event == "line" and path:
            self.ran.add((path, frame.f_lineno))
        return self._line

    def _path(self, name: str) -> "str | None":
        if name not in self.names:
            self.names[name] = self.files.get(os.path.realpath(name))
        return self.names[name]


class Reporter:
    """A pytest plugin: one JSON line for each thing that happens."""

    def __init__(
        self, out: int, mark: str, only: "list[str]", watch: "Watch | None" = None
    ) -> None:
        """Write to the descriptor `out`; run nothing but `only`, unless it is empty."""
        self.out = out
        self.mark = mark
        self.only = only
        self.watch = watch

    def say(self, **record: Any) -> None:
        """Write one line, in one piece."""
        line = "\n" + self.mark + json.dumps(record) + "\n"
        rest = line.encode("utf-8", "backslashreplace")
        while rest:
            rest = rest[os.write(self.out, rest) :]

    def pytest_collection_modifyitems(self, config: Any, items: "list[Any]") -> None:
        """Keep only what was asked for; a name without parameters, or a file, stands for all.

        Each once: older releases collect twice what stands in two arguments.
        """
        if not self.only:
            return
        wanted = set(self.only)
        fitting: dict[str, Any] = {}
        dropped = []
        for item in items:
            if item.nodeid in fitting or not wanted & _names(item.nodeid):
                dropped.append(item)
            else:
                fitting[item.nodeid] = item
        kept = list(fitting.values())
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
        """Say what was seen, and that the end was reached: without that line nothing counts."""
        if self.watch:
            self.say(kind="reach", **self.watch.seen())
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
    # As `python -m pytest` has it: the tree itself, by its whole path. A tree with its packages in
    # `src` goes before a copy that is installed: it is the tree that is judged.
    root = os.getcwd()  # noqa: PTH109
    source = os.path.join(root, "src")  # noqa: PTH118
    sys.path[:1] = [root, source] if os.path.isdir(source) else [root]  # noqa: PTH112
    watch = Watch(os.path.realpath(root), plan["watch"]) if plan["watch"] else None
    reporter = Reporter(out, plan["mark"], plan["only"], watch)
    try:
        import pytest
    except ImportError as error:
        reporter.say(kind="no_pytest", text=str(error))
        return 1
    _mark(pytest.hookimpl)
    plugins = [reporter, TooLong(plan["test_wall_s"]), *([watch] if watch else [])]
    return int(pytest.main(plan["args"], plugins=plugins))


def _mark(hookimpl: Any) -> None:
    """Say which hooks surround others; not where they stand, since pytest is imported late."""
    around = hookimpl(hookwrapper=True)
    # Innermost, so that nothing but the test itself is interrupted.
    innermost = hookimpl(hookwrapper=True, trylast=True)
    for name in ("setup", "call", "teardown"):
        innermost(getattr(TooLong, "pytest_runtest_" + name))
    innermost(TooLong.pytest_make_collect_report)
    around(Watch.pytest_runtest_protocol)
    around(Watch.pytest_load_initial_conftests)
    hookimpl(tryfirst=True)(Watch.pytest_configure)


if __name__ == "__main__":
    sys.exit(main())
