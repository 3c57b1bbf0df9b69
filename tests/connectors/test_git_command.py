"""Nothing but what we pass reaches git; and its failures are sorted by what helps."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.git_command import Git, GitError, TooMuchPrintedError, checked_url, shown
from schemas.errors import PoisonError, TransientError
from tests.connectors.repositories import ENVIRONMENT


@pytest.fixture
def git(tmp_path: Path) -> Git:
    git = Git(tmp_path / "mirror.git", ENVIRONMENT)
    git("init", "--quiet", "--bare", "--template=", str(git.git_dir))
    return git


def test_output_and_input_are_bytes_as_they_are(git: Git) -> None:
    blob = git.line("hash-object", "-w", "--stdin", stdin=b"a\r\n\xff")

    assert git("cat-file", "blob", blob) == b"a\r\n\xff"


def test_a_failure_keeps_what_git_said(git: Git) -> None:
    with pytest.raises(GitError) as failure:
        git("rev-parse", "--verify", "no-such-thing")

    assert failure.value.code == 128
    assert "fatal" in failure.value.stderr


def test_variables_left_over_from_a_calling_hook_lead_nowhere(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "GIT_DIR": "/nonexistent", "GIT_OBJECT_DIRECTORY": "/nonexistent"}
    git = Git(tmp_path / "mirror.git", environment)
    git("init", "--quiet", "--bare", str(git.git_dir))

    assert git.line("hash-object", "-w", "--stdin", stdin=b"x")


def test_hooks_of_the_repository_do_not_run(git: Git, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hooks = git.git_dir / "hooks"
    hooks.mkdir()
    hook = hooks / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    git("update-ref", "refs/notes/x", git.line("hash-object", "-w", "--stdin", stdin=b"x"))

    assert not ran.exists()


def test_the_ext_transport_is_off(git: Git, tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    with pytest.raises(GitError, match="128"):
        git("fetch", "--", f"ext::touch {ran}")
    assert not ran.exists()


def test_what_a_partial_copy_lacks_is_not_fetched_by_a_program_of_its_choice(
    git: Git, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"file://{git.git_dir}",
        "remote.origin.uploadpack": f"touch {ran};git-upload-pack",
    }.items():
        git("config", name, value)

    with pytest.raises(GitError):
        git("cat-file", "-p", "1" * 40)
    assert not ran.exists()


def test_a_transport_that_the_repository_allows_is_not_used(git: Git, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    git("config", "protocol.ext.allow", "always")

    with pytest.raises(GitError, match="128"):
        git("fetch", "--", f"ext::touch {ran}")
    assert not ran.exists()


def test_git_that_prints_without_end_is_stopped(git: Git) -> None:
    blob = git.line("hash-object", "-w", "--stdin", stdin=b"x" * 100_000)
    small = replace(git, printed_bytes_max=10_000)

    with pytest.raises(TooMuchPrintedError) as refusal:
        small("cat-file", "blob", blob)
    assert isinstance(refusal.value.explained("reading"), PoisonError)


def test_git_and_its_helpers_end_when_time_is_up(tmp_path: Path) -> None:
    slow = Git(tmp_path, ENVIRONMENT, command_s_max=0.3)
    sleeper = f"sleep 321.{os.getpid()}"  # Nobody else's on this machine.
    start = time.monotonic()

    with pytest.raises(TransientError, match=r"took over 0\.3 s"):
        slow("-c", f"alias.wait=!{sleeper}", "wait")

    # A killed process is listed until the kernel has taken it apart.
    while sleeper in subprocess.check_output(["ps", "-eo", "args"], text=True).splitlines():
        assert time.monotonic() - start < 5
        time.sleep(0.05)
    assert time.monotonic() - start < 5


def test_a_descriptor_is_inherited_so_that_a_lock_outlives_us(tmp_path: Path) -> None:
    read, write = os.pipe()
    git = Git(tmp_path, ENVIRONMENT, inherits=(write,))
    git("-c", f"alias.say=!echo kept >/dev/fd/{write}", "say")
    os.close(write)

    assert os.read(read, 100) == b"kept\n"
    os.close(read)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/shop.git",
        "http://127.0.0.1:8000/shop.git",
        "ssh://git@example.org:2222/shop.git",
        "git@example.org:acme/shop.git",
        "file:///srv/shop.git",
        "/srv/shop.git",
    ],
)
def test_file_ssh_and_http_addresses_are_taken_as_they_are(url: str) -> None:
    assert checked_url(url, "shop") == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "not set"),
        ("", "not set"),
        ("ext::sh -c id", "file, ssh, http"),
        ("--upload-pack=touch", "file, ssh, http"),
        ("https://ann:secret@example.org/x", "GIT_ASKPASS"),
        ("https://token@example.org/x", "GIT_ASKPASS"),
        ("ssh://ann:secret@example.org/x", "GIT_ASKPASS"),
        ("git://example.org/x", "scheme 'git'"),
        ("https://example.org/\nx", "file, ssh, http"),
    ],
)
def test_other_addresses_are_refused_and_no_secret_is_repeated(url: str | None, why: str) -> None:
    with pytest.raises(PoisonError, match=why) as refusal:
        checked_url(url, "shop")

    assert "git_url of project shop" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: Could not resolve host: example.org", TransientError),
        (
            "ssh: connect to host x port 22: Connection refused\nfatal: Could not read",
            TransientError,
        ),
        ("fatal: the remote end hung up unexpectedly", TransientError),
        ("error: RPC failed; The requested URL returned error: 503", TransientError),
        ("something nobody has seen before", TransientError),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", PoisonError),
        ("git@x: Permission denied (publickey).", PoisonError),
        ("fatal: '/x' does not appear to be a git repository", PoisonError),
        ("fatal: detected dubious ownership in repository at '/x'", PoisonError),
    ],
)
def test_only_what_a_person_must_mend_is_not_tried_again(said: str, kind: type[Exception]) -> None:
    assert type(GitError(128, said.encode()).explained("fetching")) is kind


def test_what_git_said_is_shown_on_one_short_line() -> None:
    assert shown("a\x1b[31m\nb") == "a [31m b"
    assert len(shown("x" * 10_000)) == 300
