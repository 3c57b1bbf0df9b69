"""The program that runs inside the sandbox, as `python -c TEXT`: one fork per candidate.

It has the target's interpreter and pytest and the standard library, nothing of ours. It reads one
JSON request a line from standard input and answers one JSON line each; the output of tests goes to
nowhere. Every run happens in a forked child with limits on CPU time and memory, so a candidate
that loops, eats memory or exits takes nothing down with it. See `harness.py` for the requests.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import resource
import select
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

POLL_S = 0.02
WALL_GRACE_S = 3.0
MESSAGE_CHARS_MAX = 500
FRAMES_MAX = 40
LOCALS_MAX = 40
MTIME_FIRST_S = 1_000_000_000
"""Each candidate gets a modification time of its own, so that no stale bytecode is ever used."""


class Spectrum:
    """Counts, per line of the project, by how many failed and passed tests it was executed."""

    def __init__(self, root: str, only: str | None = None) -> None:
        """Watch the files below `root`, or no other than `only`."""
        self.root = root + os.sep
        self.only = only and self.root + only
        self.current: set[tuple[str, int]] = set()
        self.counts: dict[str, dict[str, dict[int, int]]] = {"failed": {}, "passed": {}}
        self.kinds: dict[str, dict[str, dict[str, str]]] = {}
        self._wanted: dict[str, bool] = {}

    def start(self) -> None:
        """Begin to watch one test."""
        self.current = set()
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self, outcome: str) -> None:
        """End the watch and count the lines for `outcome`; a skipped test says nothing."""
        sys.settrace(None)
        threading.settrace(None)
        for path, line in self.current if outcome in self.counts else ():
            lines = self.counts[outcome].setdefault(path[len(self.root) :], {})
            lines[line] = lines.get(line, 0) + 1

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        del event, arg
        path = frame.f_code.co_filename
        if path not in self._wanted:
            ours = path.startswith(self.root) and "site-packages" not in path
            self._wanted[path] = ours and self.only in (None, path)
        return self._line if self._wanted[path] else None

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        del arg
        code = frame.f_code
        if event == "line":
            self.current.add((code.co_filename, frame.f_lineno))
        elif event == "return":
            functions = self.kinds.setdefault(code.co_filename[len(self.root) :], {})
            functions.setdefault(code.co_name, {}).update(_kinds(frame.f_locals))
        return self._line


class Recorder:
    """A pytest plugin: orders the tests, limits the time of each, and writes what came out."""

    def __init__(self, request: dict[str, Any], out: IO[str]) -> None:
        """Serve `request`, writing one JSON line per test to `out`."""
        self.order = {node: i for i, node in enumerate(request["tests"])}
        self.skip = set(request["skip"])
        self.red = set(request["red"])
        self.cpu_s = request["cpu_s_per_test"]
        self.limits = (
            (signal.ITIMER_PROF, signal.SIGPROF, (self.cpu_s, 0.1)),
            (signal.ITIMER_REAL, signal.SIGALRM, (request["wall_s_per_test"], 1.0)),
        )
        self.stop_after_s = max(0.5, request["cpu_s_max"] - self.cpu_s)
        self.deadline_s = time.monotonic() + request["wall_s_max"]
        self.details = request["details"]
        self.root = str(Path.cwd().resolve())
        self.spectrum = Spectrum(self.root, request["trace_only"]) if request["trace"] else None
        self.out = out
        self.outcome = "unknown"
        self.crash: dict[str, Any] | None = None
        self.over = self.idle = False

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Run the tests in the order asked for, without those to be skipped."""
        dropped = [item for item in items if item.nodeid in self.skip]
        items[:] = [item for item in items if item.nodeid not in self.skip]
        items.sort(key=self._place)
        if dropped:
            config.hook.pytest_deselected(items=dropped)

    def _place(self, item: Any) -> int:
        file = item.nodeid.partition("::")[0]
        return self.order.get(item.nodeid, self.order.get(file, len(self.order)))

    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Surround one test with its limit and its trace."""
        self.outcome, self.crash = "unknown", None
        self.over = self.idle = False
        cpu, wall = time.process_time(), time.monotonic()
        for timer, number, first_and_again_s in self.limits:
            signal.signal(number, self._too_long)
            signal.setitimer(timer, *first_and_again_s)
        if self.spectrum:
            self.spectrum.start()
        yield
        for timer, number, _ in self.limits:
            signal.setitimer(timer, 0)
            signal.signal(number, signal.SIG_DFL)
        late = self.over or self.idle
        if late or self.outcome == "unknown":  # No report: something broke pytest itself.
            self.outcome = "failed"
        if self.spectrum:
            slowed = late and item.nodeid not in self.red  # By the tracing, not by a fault.
            self.spectrum.stop("skipped" if slowed else self.outcome)
        self._say(item.nodeid, time.process_time() - cpu, time.monotonic() - wall)
        self.out.flush()
        if time.process_time() > self.stop_after_s or time.monotonic() > self.deadline_s:
            item.session.shouldstop = "time is up"  # Killed, it could not hand over its counts.

    def pytest_runtest_makereport(self, call: Any) -> None:
        """Note where and with what an exception was raised."""
        if call.excinfo is not None and self.details and self.crash is None:
            self.crash = _crash(call.excinfo.value, self.root)

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        """Note a file that cannot be imported: none of its tests will run."""
        if self.details and hasattr(report, "result") and call.excinfo is not None:
            self.outcome, self.crash = "failed", _crash(call.excinfo.value, self.root)
            self._say(node.nodeid, 0.0, 0.0)

    def _say(self, node_id: str, cpu_s: float, wall_s: float) -> None:
        told = {"id": node_id, "cpu_s": round(cpu_s, 4), "wall_s": round(wall_s, 4)}
        told |= {"outcome": self.outcome, "over": self.over, "idle": self.idle}
        self.out.write(json.dumps({**told, "crash": self.crash}) + "\n")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Fold the phases of a test into one outcome; a failure in any of them fails it."""
        if report.failed:
            self.outcome = "failed"
        elif report.skipped and self.outcome != "failed":
            self.outcome = "skipped"
        elif report.when == "call" and self.outcome == "unknown":
            self.outcome = "passed"

    def pytest_sessionfinish(self) -> None:
        """Hand over the spectrum and the names of what was imported from outside the tree."""
        end: dict[str, Any] = {"end": True}
        if self.spectrum:
            end["spectrum"] = {**self.spectrum.counts, "kinds": self.spectrum.kinds}
        if self.details:
            end["modules"] = _outside_modules(self.root)
        self.out.write(json.dumps(end) + "\n")
        self.out.flush()
        if not self.details:  # All is said; the summary and the clean-up would double the cost.
            os._exit(0)

    def _too_long(self, number: int, frame: Any) -> None:
        del frame
        self.over = self.over or number == signal.SIGPROF
        self.idle = self.idle or number == signal.SIGALRM
        import pytest

        pytest.fail("over its time", pytrace=False)


def _crash(error: BaseException, root: str) -> dict[str, Any]:
    if type(error).__name__ == "CollectError" and error.__cause__ is not None:
        error = error.__cause__  # pytest wraps what an import raised.
    frames, trace = [], error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        path = os.path.realpath(frame.f_code.co_filename)
        if path.startswith(root + os.sep) and "site-packages" not in path:
            where = path[len(root) + 1 :]
            name = frame.f_code.co_name
            frames.append([where, trace.tb_lineno, name, _kinds(frame.f_locals)])
        trace = trace.tb_next
    message = ""
    with contextlib.suppress(Exception):  # A broken __str__ must not end the run.
        message = str(error)[:MESSAGE_CHARS_MAX]
    name = type(error).__name__
    return {"exception": name, "message": message, "frames": frames[-FRAMES_MAX:]}


def _kinds(variables: dict[str, Any]) -> dict[str, str]:
    return {str(n): type(value).__name__ for n, value in list(variables.items())[:LOCALS_MAX]}


def _outside_modules(root: str) -> list[str]:
    names = []
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None) or ""
        if path and (not path.startswith(root + os.sep) or "site-packages" in path):
            names.append(name)
    return names


def _child(request: dict[str, Any], out: IO[str]) -> int:
    import pytest

    cpu_s = math.ceil(request["cpu_s_max"])
    _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)
    size = request["memory_mb"] * 1024 * 1024
    _limit(resource.RLIMIT_AS, size, size)
    _limit(resource.RLIMIT_CORE, 0, 0)
    plugin = Recorder(request, out)
    # The hook is a wrapper; marked here, because pytest is not there when this text is read.
    mark = pytest.hookimpl(hookwrapper=True)
    Recorder.pytest_runtest_protocol = mark(Recorder.pytest_runtest_protocol)  # type: ignore[method-assign]
    late = pytest.hookimpl(trylast=True)
    Recorder.pytest_collection_modifyitems = late(Recorder.pytest_collection_modifyitems)  # type: ignore[method-assign]
    early = pytest.hookimpl(tryfirst=True)
    Recorder.pytest_runtest_makereport = early(Recorder.pytest_runtest_makereport)  # type: ignore[method-assign]
    _OneProcess.pytest_load_initial_conftests = mark(_OneProcess.pytest_load_initial_conftests)  # type: ignore[method-assign]
    _OneProcess.pytest_configure = early(_OneProcess.pytest_configure)  # type: ignore[method-assign]
    args = [*request["args"], *request["select"]]
    return int(pytest.main(args, plugins=[plugin, _OneProcess()]))


class _OneProcess:
    """Keeps the project's own options from running tests elsewhere, or traced twice.

    By hooks and not by options: those of a plugin that is switched off would end every run.
    """

    def pytest_load_initial_conftests(self, early_config: Any) -> Any:
        """Tell pytest-cov, before it starts, to measure nothing."""
        early_config.known_args_namespace.no_cov = True
        yield

    def pytest_configure(self, config: Any) -> None:
        """Tell pytest-xdist, before it makes its workers, to make none."""
        config.option.dist, config.option.tx = "no", []


def _limit(kind: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


def _fork(request: dict[str, Any]) -> dict[str, Any]:
    """Run `request` in a child and return what it wrote before it ended or was ended."""
    reader, writer = os.pipe()
    gc.collect()
    gc.freeze()  # What is here now is shared with the child; its collector need not walk it.
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            os.close(reader)
            os.dup2(1, 2)  # What tests print goes to nowhere; errors of the server do not.
            with os.fdopen(writer, "w") as out:
                code = _child(request, out)
        except BaseException:  # noqa: BLE001 - the child ends here, whatever a stranger's code raises
            code = 70
        finally:
            os._exit(code)
    os.close(writer)
    began = time.monotonic()
    text, ended, code, cpu_s = _watch(pid, reader, began + request["wall_s_max"])
    os.close(reader)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    answer = _fold(text.decode("utf-8", "replace").splitlines())
    answer.update(
        ended=ended, code=code, cpu_s=round(cpu_s, 4), wall_s=round(time.monotonic() - began, 4)
    )
    return answer


def _watch(pid: int, reader: int, deadline: float) -> tuple[bytes, str, int, float]:
    text, done, ended, status = b"", 0, "exited", 0
    usage: Any = None
    while not done:
        ready, _, _ = select.select([reader], [], [], POLL_S)
        chunk = os.read(reader, 1 << 16) if ready else b""
        text += chunk
        block = bool(ready) and not chunk  # The pipe is closed: the child is about to end.
        if block:
            time.sleep(0.0005)
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if not done and time.monotonic() > deadline:
            # First as if the test were over its CPU time, so that the run can say what it has seen.
            os.kill(pid, signal.SIGKILL if ended == "wall" else signal.SIGPROF)
            ended, deadline = "wall", time.monotonic() + WALL_GRACE_S
    while select.select([reader], [], [], 0)[0]:
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            break
        text += chunk
    if os.WIFSIGNALED(status):
        over = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGPROF)
        name = "cpu" if over else "signal"
        return text, name if ended == "exited" else ended, -1, usage.ru_utime + usage.ru_stime
    return text, ended, os.WEXITSTATUS(status), usage.ru_utime + usage.ru_stime


def _fold(lines: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"results": [], "spectrum": None, "modules": [], "finished": False}
    for line in lines:
        try:
            item = json.loads(line)
        except ValueError:  # The child was killed in the middle of a line.
            continue
        if item.pop("end", False):
            answer.update(item, finished=True)
        else:
            answer["results"].append(item)
    return answer


class Server:
    """Answers requests until standard input ends."""

    def __init__(self) -> None:
        """Count candidates, for their modification times."""
        self.candidates = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what `request` asks for."""
        if request["op"] == "preload":
            return {"loaded": sum(_load(name) for name in request["modules"])}
        path, source = request.get("path"), request.get("source") or ""
        if path is None:
            return _fork(request)
        file = Path(path)
        before, stat = file.read_bytes(), file.stat()
        try:
            self._write(file, source.encode("utf-8"))
            return _fork(request)
        finally:
            self._write(file, before)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def _write(self, file: Path, content: bytes) -> None:
        self.candidates += 1
        file.write_bytes(content)
        os.utime(file, (MTIME_FIRST_S + self.candidates,) * 2)


def _load(name: str) -> bool:
    """Import `name` once, here, so that no child pays for it. A module that refuses is left out."""
    try:
        importlib.import_module(name)
    except BaseException:  # noqa: BLE001 - a stranger's module may raise anything, even SystemExit
        return False
    return True


def main() -> None:
    """Serve requests from standard input; the answers have a pipe that no test can write to."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    root = Path.cwd()
    source = [str(root / "src")] if (root / "src").is_dir() else []
    sys.path[:] = [str(root), *source, *filter(None, sys.path)]
    sys.dont_write_bytecode = False
    with tempfile.TemporaryDirectory(prefix="pyc-") as bytecode:
        sys.pycache_prefix = bytecode
        _serve(requests, answers)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    _load("pytest")
    server = Server()
    for line in requests:
        with contextlib.suppress(BrokenPipeError):
            answers.write(json.dumps(server.answer(json.loads(line))).encode() + b"\n")
            answers.flush()


if __name__ == "__main__":
    main()
