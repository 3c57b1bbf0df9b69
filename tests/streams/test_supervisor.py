"""Real child processes: restarted, drained, killed; each sees its own secrets only."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams import exit_codes
from streams.supervisor import Child, ChildEvent, Supervisor, What

WAIT_S_MAX = 20.0
SLEEPER = "import time; time.sleep(60)"
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
ORDERLY = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.3)
    pathlib.Path(sys.argv[1]).write_text(str(time.monotonic()))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[2]).touch()
time.sleep(60)
"""


class Running:
    """A supervisor in a thread of its own, and what it told."""

    def __init__(self, children: list[Child], folder: Path, drain_s_max: float) -> None:
        self.events: list[ChildEvent] = []
        self.stop = threading.Event()
        self.status: int | None = None
        self._supervisor = Supervisor(children, folder, drain_s_max, self.events.append)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.status = self._supervisor.run(self.stop)

    def wait_for(self, name: str, what: What, count: int = 1) -> ChildEvent:
        def found() -> list[ChildEvent]:
            return [e for e in self.events if (e.name, e.what) == (name, what)]

        wait_until(lambda: len(found()) >= count)
        return found()[count - 1]

    def end(self) -> int | None:
        self.stop.set()
        self._thread.join(WAIT_S_MAX)
        assert not self._thread.is_alive()
        return self.status


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


@contextmanager
def running(*children: Child, folder: Path, drain_s_max: float = 10.0) -> Iterator[Running]:
    run = Running(list(children), folder, drain_s_max)
    try:
        yield run
    finally:
        run.end()


def python(name: str, code: str, *arguments: object, **more: object) -> Child:
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    return Child(name, argv, **more)  # type: ignore[arg-type]


def test_a_killed_child_is_started_again_and_the_others_run_on(tmp_path: Path) -> None:
    with running(python("a", SLEEPER), python("b", SLEEPER), folder=tmp_path) as run:
        first = run.wait_for("a", "started").pid
        other = run.wait_for("b", "started").pid
        os.kill(first, signal.SIGKILL)

        crash = run.wait_for("a", "crashed")
        second = run.wait_for("a", "started", 2).pid

        assert (crash.pid, crash.status, crash.again_in_s) == (first, -signal.SIGKILL, 0.5)
        assert second != first
        os.kill(other, 0)
        assert run.end() == exit_codes.OK
        assert [e.what for e in run.events if e.name == "b"] == ["started", "drained"]


def test_the_pause_between_crashes_grows_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.supervisor.RESTART_FIRST_S", 0.01)
    monkeypatch.setattr("streams.supervisor.RESTART_S_MAX", 0.04)
    with running(python("a", "raise SystemExit(3)"), folder=tmp_path) as run:
        run.wait_for("a", "crashed", 5)

    crashes = [e for e in run.events if e.what == "crashed"][:5]
    assert [e.again_in_s for e in crashes] == [0.01, 0.02, 0.04, 0.04, 0.04]
    assert {e.status for e in crashes} == {3}


def test_a_child_that_ran_long_counts_its_crashes_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.supervisor.STEADY_S", 0.0)
    monkeypatch.setattr("streams.supervisor.RESTART_FIRST_S", 0.01)
    with running(python("a", "raise SystemExit(3)"), folder=tmp_path) as run:
        run.wait_for("a", "crashed", 3)

    assert {e.again_in_s for e in run.events if e.what == "crashed"} == {0.01}


def test_a_fenced_child_is_not_started_again_and_that_is_a_failure(tmp_path: Path) -> None:
    code = f"raise SystemExit({exit_codes.FENCED})"
    with running(python("a", code), python("b", SLEEPER), folder=tmp_path) as run:
        run.wait_for("b", "started")
        assert run.wait_for("a", "fenced").again_in_s is None
        time.sleep(0.7)

        assert [e.what for e in run.events if e.name == "a"] == ["started", "fenced"]
        assert run.end() == exit_codes.FAILED


def test_the_supervisor_ends_when_no_child_is_left(tmp_path: Path) -> None:
    with running(python("a", f"raise SystemExit({exit_codes.FENCED})"), folder=tmp_path) as run:
        wait_until(lambda: run.status is not None)

        assert run.status == exit_codes.FAILED
        assert not run.stop.is_set()


def test_unreachable_kafka_is_waited_for_without_a_growing_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.supervisor.UNREACHABLE_PAUSE_S", 0.01)
    code = f"raise SystemExit({exit_codes.UNREACHABLE})"
    with running(python("a", code), folder=tmp_path) as run:
        run.wait_for("a", "waiting", 4)

    assert {e.again_in_s for e in run.events if e.what == "waiting"} == {0.01}
    assert not [e for e in run.events if e.what == "crashed"]


def test_those_needed_by_others_end_last(tmp_path: Path) -> None:
    ends = [tmp_path / name for name in ("kafka", "stage")]
    ready = [tmp_path / f"{name}.ready" for name in ("kafka", "stage")]
    kafka = python("kafka", ORDERLY, ends[0], ready[0], needed_by_others=True)
    stage = python("stage", ORDERLY, ends[1], ready[1])
    with running(kafka, stage, folder=tmp_path) as run:
        wait_until(lambda: all(path.exists() for path in ready))

        assert run.end() == exit_codes.OK

    assert float(ends[1].read_text()) + 0.3 <= float(ends[0].read_text())
    assert [(e.name, e.what) for e in run.events[-2:]] == [
        ("stage", "drained"),
        ("kafka", "drained"),
    ]


def test_who_does_not_drain_in_time_is_killed_with_all_it_started(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    parent = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:3]]);"
        "exec(sys.argv[1].replace('touch()', 'exists()'), {})"
    )
    child = python("a", parent, STUBBORN, ready)
    with running(child, folder=tmp_path, drain_s_max=0.5) as run:
        wait_until(ready.exists)
        group = run.wait_for("a", "started").pid
        begun = time.monotonic()

        assert run.end() == exit_codes.FAILED
        assert time.monotonic() - begun < 5
        assert run.wait_for("a", "killed").status == -signal.SIGKILL
    wait_until(lambda: not _alive_in(group))


def test_a_child_sees_its_own_secrets_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUGSTREAM_API_TOKENS", "canary")
    code = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(str(dict(os.environ)))"
    code += "; import time; time.sleep(60)"
    seen = {name: tmp_path / name for name in ("fix", "gateway")}
    children = [
        python("fix", code, seen["fix"], env={"MODEL_KEY": "sk-model"}),
        python("gateway", code, seen["gateway"], env={"HOOK_SECRET": "s3cret"}),
    ]
    with running(*children, folder=tmp_path):
        wait_until(lambda: all(p.exists() and p.read_text() for p in seen.values()))

    fix, gateway = (seen[name].read_text() for name in ("fix", "gateway"))
    assert "canary" not in fix + gateway
    assert "sk-model" in fix
    assert "s3cret" in gateway
    assert "s3cret" not in fix
    assert "sk-model" not in gateway
    assert str(tmp_path / "metrics") in fix


def test_modules_in_the_current_folder_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "streams").mkdir()
    (tmp_path / "streams" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with running(python("a", "raise SystemExit(3)"), folder=tmp_path) as run:
        assert run.wait_for("a", "crashed").status == 3


def test_sigterm_to_the_supervisor_drains_its_children(tmp_path: Path) -> None:
    """The whole of it, as `bugstream up` runs: one process, a signal, an orderly end."""
    import subprocess

    done, ready = tmp_path / "done", tmp_path / "ready"
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from streams.signals import stop_on_signals\n"
        "from streams.supervisor import Child, Supervisor\n"
        "child = Child('a', [sys.executable, '-c', *sys.argv[2:]])\n"
        "with stop_on_signals() as stop:\n"
        "    sys.exit(Supervisor([child], Path(sys.argv[1]), 10, lambda e: None).run(stop))\n"
    )
    command = [
        sys.executable,
        "-c",
        program,
        str(tmp_path / "data"),
        ORDERLY,
        str(done),
        str(ready),
    ]
    with subprocess.Popen(command) as process:
        wait_until(ready.exists)
        process.terminate()

        assert process.wait(WAIT_S_MAX) == exit_codes.OK
    assert done.exists()


def _alive_in(group: int) -> bool:
    """Return whether a process of the group still runs; those dead but not reaped do not count."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its_group) == group and state != "Z":
            return True
    return False
