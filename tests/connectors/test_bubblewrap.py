"""The escape suite: what strangers' code tries, and what the host looks like afterwards."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sandbox import ProvenSandbox, find_sandbox
from schemas.trees import read_file
from schemas.values import (
    SANDBOX_WORKDIR,
    SandboxLimits,
    SandboxResult,
    SandboxSpec,
    SandboxUnavailableError,
)

pytestmark = pytest.mark.sandbox

PYTHON = Path(sys.executable)
Run = Callable[..., SandboxResult]


@pytest.fixture(scope="module")
def sandbox() -> ProvenSandbox:
    return find_sandbox()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def python(sandbox: ProvenSandbox, work: Path) -> Run:
    """Run a Python program inside."""

    def run(program: str, **limits: float) -> SandboxResult:
        return sandbox.run(
            SandboxSpec(
                (str(PYTHON), "-c", program),
                work,
                python=PYTHON,
                limits=SandboxLimits(**{"wall_s": 30.0, **limits}),  # type: ignore[arg-type]
            )
        )

    return run


@pytest.fixture
def shell(sandbox: ProvenSandbox, work: Path) -> Run:
    """Run a shell line inside."""

    def run(line: str, **limits: float) -> SandboxResult:
        wanted = SandboxLimits(**{"wall_s": 30.0, **limits})  # type: ignore[arg-type]
        return sandbox.run(SandboxSpec(("/bin/sh", "-c", line), work, limits=wanted))

    return run


def test_the_work_folder_is_read_and_written_and_the_caller_can_read_the_result(
    shell: Run, work: Path
) -> None:
    (work / "in").write_text("given")
    (work / "in").chmod(0o600)

    result = shell("pwd; cat in >out")

    assert result.stdout.decode().strip() == SANDBOX_WORKDIR
    assert result.exit_code == 0
    assert read_file(work, "out") == b"given"


def test_what_it_writes_never_belongs_to_root(shell: Run, work: Path) -> None:
    shell("cp /bin/sh tool; chmod 4777 tool")

    assert (work / "tool").stat().st_uid != 0


def test_network_is_out_of_reach(python: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = python(
            "import socket\n"
            f"for address in (('127.0.0.1', {port}), ('192.0.2.1', 80)):\n"
            "    try: socket.create_connection(address, 1); print('OPEN')\n"
            "    except OSError as error: print('closed')\n"
            "for family in (socket.AF_VSOCK, socket.AF_PACKET):\n"
            "    try: socket.socket(family, socket.SOCK_STREAM); print('OPEN')\n"
            "    except OSError as error: print('closed')\n"
        )

    assert result.stdout.split() == [b"closed"] * 4


def test_host_sockets_by_name_are_out_of_reach(python: Run, tmp_path: Path) -> None:
    path = f"\0bugstream-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        result = python(
            "import socket\n"
            f"try: socket.socket(socket.AF_UNIX).connect({path!r}); print('OPEN')\n"
            "except OSError: print('closed')\n"
        )

    assert result.stdout.split() == [b"closed"]


def test_host_files_are_out_of_sight(shell: Run, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("host secret")
    canary.chmod(0o644)

    result = shell(f"cat /etc/shadow {canary} /proc/1/root{canary}; ls /root/.ssh /home")

    assert result.stdout == b""


def test_nothing_but_the_work_folder_and_tmp_can_be_written(shell: Run, tmp_path: Path) -> None:
    places = f"/x /usr/x /etc/x /dev/x /proc/sys/kernel/core_pattern /var/x {tmp_path}/x"

    result = shell(f'for p in {places}; do sh -c ">$p" && echo OPEN $p; done; >/tmp/x; >x')

    assert result.stdout == b""
    assert not (tmp_path / "x").exists()


def test_a_link_to_a_host_file_leads_nowhere_inside_and_is_refused_outside(
    shell: Run, work: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("host secret")

    result = shell(f"ln -s {canary} result; cat result; echo changed >result")

    assert result.stdout == b""
    assert canary.read_text() == "host secret"
    with pytest.raises(Exception, match="result"):
        read_file(work, "result")


def test_host_processes_are_out_of_sight_and_reach(shell: Run) -> None:
    result = shell(
        f"ls -d /proc/{os.getpid()}; kill -0 {os.getpid()} && echo OPEN; ls /proc | grep -c ^[0-9]"
    )

    assert int(result.stdout) < 10


def test_the_environment_is_ours_alone(
    sandbox: ProvenSandbox, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "leak")

    result = sandbox.run(SandboxSpec(("/usr/bin/env",), work, env={"GIVEN": "yes"}))

    names = {line.split("=")[0] for line in result.stdout.decode().splitlines()}
    assert names == {
        *("PATH", "HOME", "TMPDIR", "USER", "LANG", "GIVEN", "PWD"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONNOUSERSITE"),
    }


def test_no_descriptor_of_ours_is_left_open_inside(shell: Run) -> None:
    assert shell("ls /proc/self/fd | wc -l").stdout.strip() == b"4"


def test_privileges_cannot_be_had_back(python: Run) -> None:
    result = python(
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def refused(what, done): print(what, 'refused' if done == -1 else 'OPEN')\n"
        "refused('userns', libc.unshare(0x10000000))\n"
        "refused('clone', libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))\n"
        "refused('mount', libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
        "refused('ptrace', libc.ptrace(16, 1, 0, 0))\n"
        "refused('keyctl', libc.syscall(250, 0, -3, 0))\n"
        "refused('io_uring', libc.syscall(425, 1, 0))\n"
        "refused('bpf', libc.syscall(321, 0, 0, 0))\n"
        "refused('setuid', libc.setuid(0))\n"
        "print('caps', [line.split()[1] for line in open('/proc/self/status')"
        " if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))])\n"
    )
    lines = result.stdout.decode().splitlines()

    assert [line for line in lines[:-1] if not line.endswith("refused")] == []
    assert lines[-1] == "caps ['0000000000000000', '0000000000000000', '1']"


def test_a_fork_bomb_ends_at_the_limit_of_processes(python: Run) -> None:
    result = python(
        "import os, time\n"
        "made = 0\n"
        "try:\n"
        "    while made < 500:\n"
        "        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "        made += 1\n"
        "except OSError: pass\n"
        "print(made)\n",
        processes=30,
    )

    assert 10 < int(result.stdout) <= 30
    assert result.wall_s < 10


def test_a_memory_hog_ends_at_the_limit(python: Run) -> None:
    result = python("held = bytearray(10**9); print('OPEN', len(held))", memory_mb=200, tmp_mb=16)

    assert b"OPEN" not in result.stdout
    assert result.exit_code != 0


def test_memory_is_limited_for_all_processes_together_where_groups_can_be_made(
    python: Run, sandbox: ProvenSandbox
) -> None:
    result = python(
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        held = bytearray(60_000_000); time.sleep(20); os._exit(0)\n"
        "ended = [os.wait()[1] for _ in range(4)]\n"
        "print(ended)\n",
        memory_mb=200,
        tmp_mb=16,
        wall_s=10.0,
    )

    # Some were killed; else it would sleep until its time is up.
    assert result.wall_s < 9 or "each process" in sandbox.check()


def test_tmp_and_shared_memory_are_limited_in_size(shell: Run) -> None:
    result = shell(
        "for d in /tmp /dev/shm; do head -c 99000000 /dev/zero >$d/a; du -sm $d | cut -f1; done",
        tmp_mb=8,
    )

    assert [int(size) <= 8 for size in result.stdout.split()] == [True, True]


def test_a_large_file_and_a_full_work_folder_end_it(shell: Run) -> None:
    large = shell("head -c 99000000 /dev/zero >large", file_mb=4)
    many = shell(
        "i=0; while :; do i=$((i+1)); head -c 3000000 /dev/urandom >f$i; done",
        file_mb=4,
        disk_mb=40,
    )

    assert large.exit_code != 0
    assert many.ended == "disk_limit"
    assert many.wall_s < 20


def test_a_daemon_does_not_survive(shell: Run, work: Path) -> None:
    shell("(setsid sh -c 'while :; do date +%s%N >beat; sleep 0.05; done' &) ; sleep 0.3")
    before = read_file(work, "beat")
    time.sleep(0.3)

    assert read_file(work, "beat") == before


def test_a_daemon_does_not_survive_a_timeout(shell: Run, work: Path) -> None:
    result = shell(
        "(setsid sh -c 'trap \"\" TERM; while :; do date +%s%N >beat; sleep 0.05; done' &);"
        " sleep 60",
        wall_s=0.7,
    )
    before = read_file(work, "beat")
    time.sleep(0.3)

    assert (result.exit_code, result.ended) == (None, "wall_timeout")
    assert result.wall_s < 3
    assert read_file(work, "beat") == before


def test_processor_time_is_limited_and_counted(python: Run) -> None:
    result = python("while True: pass", cpu_s=1)

    assert (result.exit_code, result.ended) == (None, "signal")
    assert 0.5 < result.cpu_s < 3


def test_output_is_cut_and_said_to_be_cut(shell: Run) -> None:
    result = shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", output_bytes=1000)

    assert (len(result.stdout), len(result.stderr), result.truncated) == (1000, 1000, True)
    assert result.exit_code == 0


def test_large_input_reaches_it_while_output_comes_back(sandbox: ProvenSandbox, work: Path) -> None:
    content = os.urandom(700_000)

    assert sandbox.run(SandboxSpec(("/bin/cat",), work, stdin=content)).stdout == content


def test_exit_codes_and_signals_are_told_apart(shell: Run) -> None:
    assert (shell("exit 3").exit_code, shell("exit 3").ended) == (3, "exited")
    assert (shell("kill -SEGV $$").exit_code, shell("kill -SEGV $$").ended) == (None, "signal")


def test_the_interpreter_keeps_its_own_path_and_packages(python: Run) -> None:
    result = python("import sys, pytest; print(sys.prefix, pytest.__file__, sys.path[0] == '')")

    assert result.stdout.decode().split() == [sys.prefix, pytest.__file__, "True"]


def test_lines_go_in_and_come_out_while_it_runs(sandbox: ProvenSandbox, work: Path) -> None:
    program = "import sys\nfor line in sys.stdin: print(int(line) * 2, flush=True)"
    spec = SandboxSpec((str(PYTHON), "-c", program), work, python=PYTHON)

    with sandbox.start(spec) as process:
        answers = []
        for number in (1, 2, 3):
            process.send(str(number).encode())
            answers.append(process.receive(10))
        process.send(b"no number")
        after_crash = process.receive(10)
        tail = process.stderr_tail()

    assert answers == [b"2", b"4", b"6"]
    assert after_crash is None
    assert b"ValueError" in tail


def test_a_line_process_is_killed_at_its_time_even_when_nobody_asks(
    sandbox: ProvenSandbox, work: Path
) -> None:
    argv = ("/bin/sh", "-c", "while :; do date +%s%N >beat; sleep 0.05; done")

    with sandbox.start(SandboxSpec(argv, work, limits=SandboxLimits(wall_s=0.6))) as process:
        time.sleep(1.2)
        before = read_file(work, "beat")
        time.sleep(0.3)

        assert read_file(work, "beat") == before
        assert process.receive(1.0) is None
        process.kill()


def test_a_line_without_end_ends_the_process(sandbox: ProvenSandbox, work: Path) -> None:
    spec = SandboxSpec(("/bin/cat", "/dev/zero"), work, limits=SandboxLimits(output_bytes=100_000))

    with sandbox.start(spec) as process:
        assert process.receive(20) is None


def test_runs_side_by_side_do_not_disturb_each_other(
    sandbox: ProvenSandbox, tmp_path: Path
) -> None:
    results: list[SandboxResult] = []

    def one(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        argv = ("/bin/sh", "-c", f"sleep 0.3; echo {number}; ls /proc | grep -c ^[0-9]")
        results.append(sandbox.run(SandboxSpec(argv, folder)))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(r.stdout.split()[0]) for r in results) == [0, 1, 2, 3]
    assert all(int(r.stdout.split()[1]) < 10 for r in results)


def test_an_interpreter_under_the_work_path_is_refused(
    sandbox: ProvenSandbox, work: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "no" / "python"

    with pytest.raises(SandboxUnavailableError, match="set the project's `python`"):
        sandbox.run(SandboxSpec(("/bin/true",), work, python=missing))
