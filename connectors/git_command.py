"""Run git with an exact argument list and an exact environment, and sort its failures.

Repositories are other people's: no hook, no file-system monitor, no submodule, no `ext::` transport
and no configuration of theirs or of this machine takes part.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from connectors.pipes import TooMuchError, talk
from schemas.errors import FatalError, PoisonError, TransientError

_SAFE_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",  # Nothing a pinned commit needs may vanish under a reader.
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.ssh.allow=always",
    "protocol.http.allow=always",
    "protocol.https.allow=always",
    "push.recurseSubmodules=no",
)
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    # Unlike settings these win over the repository's: a partial copy names programs to fetch by.
    "GIT_ALLOW_PROTOCOL": "file:ssh:http:https",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15",
    "LC_ALL": "C",
}
_SHOWN_CHARS_MAX = 300
PRINTED_BYTES_MAX = 256 * 1024 * 1024
"""By one git. A few kilobytes of trees can name more files than any memory holds."""
_WORD_OF_GIT = re.compile(
    r"could not resolve|connection (refused|reset|timed out)|timed out|early eof|hung up|"
    r"error: 5\d\d|temporarily|too many requests|network is unreachable|no route to host|"
    r"unable to create .*\.lock|cannot lock ref",
    re.IGNORECASE,
)
_WAY_OUT = (
    ("could not read username", "give a credential by GIT_ASKPASS"),
    ("authentication failed", "the credential of GIT_ASKPASS is not accepted"),
    ("permission denied", "the key or account has no access"),
    ("dubious ownership", "the repository belongs to another user: change its owner"),
    ("does not appear to be a git repository", "correct git_url: there is no repository"),
    ("repository not found", "correct git_url: there is no repository"),
    ("not found", "correct git_url: there is no repository"),
    ("does not exist", "correct git_url: there is no repository"),
)


class GitError(Exception):
    """Git ended with another exit status than 0."""

    def __init__(self, code: int, stderr: bytes) -> None:
        """Keep what it said, for `explained` and for callers that know what to expect."""
        super().__init__(f"git ended with {code}")
        self.code = code
        self.stderr = stderr.decode(errors="replace")

    def explained(self, doing: str) -> PoisonError | TransientError:
        """Return the error a stage should raise: again later, or not without a person."""
        said = shown(self.stderr)
        lower = self.stderr.lower()
        if not _WORD_OF_GIT.search(self.stderr):
            for sign, way_out in _WAY_OUT:
                if sign in lower:
                    return PoisonError(f"{doing}: {way_out} (git: {said})")
        return TransientError(f"{doing}: git: {said}")


class TooMuchPrintedError(GitError):
    """Git printed more than is ever read, and was stopped."""

    def __init__(self, bytes_max: int) -> None:
        """Say how much is read at most."""
        super().__init__(-signal.SIGKILL, f"it prints over {bytes_max} bytes".encode())

    def explained(self, doing: str) -> PoisonError:
        """Return the error a stage should raise: it will never be less."""
        return PoisonError(f"{doing}: the repository is too large: git: {self.stderr}")


def shown(text: str) -> str:
    """Return the end of what git said, on one line, without control characters."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[-_SHOWN_CHARS_MAX:]


def checked_url(url: str | None, project_id: str) -> str:
    """Return `url` as git may have it. Raises `PoisonError` naming the field and the way out."""
    where = f"git_url of project {project_id}"
    if not url:
        raise PoisonError(f"{where} is not set: name a repository in its [[project]]")
    if url.startswith("-") or "::" in url or not url.isprintable():
        raise PoisonError(f"{where} is not a file, ssh, http or https URL")
    parts = urlsplit(url)
    if parts.password is not None or (parts.scheme in {"http", "https"} and parts.username):
        raise PoisonError(f"{where} holds a credential: take it out and give it by GIT_ASKPASS")
    if parts.scheme in {"file", "ssh", "http", "https"} or re.match(r"[\w.-]+@[\w.-]+:\S", url):
        return url
    if parts.scheme and "://" in url:
        raise PoisonError(f"{where} has the scheme {parts.scheme!r}; use file, ssh, http or https")
    return str(Path(url).absolute())


@dataclass(frozen=True, slots=True)
class Git:
    """Git on one bare repository."""

    git_dir: Path
    environment: Mapping[str, str] = field(repr=False)
    """All that git sees beside ours: PATH and HOME, and perhaps GIT_ASKPASS or SSH_AUTH_SOCK."""
    command_s_max: float = 300.0
    printed_bytes_max: int = PRINTED_BYTES_MAX
    inherits: Sequence[int] = ()
    """Descriptors kept open by each git, such as a lock that must outlive us if we are killed."""

    def __call__(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        """Return what git printed. Raises `GitError`, and `TransientError` when time is up."""
        process = self._start(*arguments, env=env)
        try:
            out, err = talk(
                process,
                stdin,
                s_max=self.command_s_max,
                printed_bytes_max=self.printed_bytes_max,
            )
        except TimeoutError as error:
            raise TransientError(f"git {arguments[0]} took over {self.command_s_max} s") from error
        except TooMuchError as error:
            raise TooMuchPrintedError(self.printed_bytes_max) from error
        finally:
            _stop(process)
        if process.returncode:
            raise GitError(process.returncode, err)
        return out

    def line(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> str:
        """Return the one line that git printed. Raises like calling it."""
        return self(*arguments, stdin=stdin, env=env).decode().strip()

    def _start(self, *arguments: str, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        config = [part for setting in _SAFE_CONFIG for part in ("-c", setting)]
        given = {
            name: value
            for name, value in self.environment.items()
            # GIT_DIR and its like, left over from a hook that called us, would lead us astray.
            if not name.startswith("GIT_") or name == "GIT_ASKPASS"
        }
        return subprocess.Popen(
            [_program(), f"--git-dir={self.git_dir}", *config, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**given, **_ENVIRONMENT, **(env or {})},
            pass_fds=tuple(self.inherits),
            start_new_session=True,  # So that _stop() reaches ssh and git's other helpers too.
            cwd="/",
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise FatalError("git is not installed: install it, and see `bugstream doctor`")
    return program
