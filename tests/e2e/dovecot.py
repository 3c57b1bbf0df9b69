"""A real Dovecot on a free port, with a folder of its own and one user."""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.connectors.mail_servers import ADDRESS, PASSWORD, free_port

STEP_S_MAX = 60.0
NOBODY = "nobody"
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = {ssl}
{certificates}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{folder}/mail
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
passdb {{
  driver = passwd-file
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user_group} home={folder}/mail
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(slots=True)
class Dovecot:
    """The server. It can be stopped, killed and started again on the same port."""

    folder: Path
    port: int
    tls_port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [program(), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(self.answers)

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as found:
                return found.recv(10).startswith(b"* OK")
        except OSError:
            return False

    def stop(self) -> None:
        """End it as an administrator does: it says BYE to everybody."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(STEP_S_MAX)
            self.process = None
            wait_until(lambda: not self.answers())

    def kill(self) -> None:
        """End it and all its workers at once, as a power failure does."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STEP_S_MAX)
            self.process = None
            wait_until(lambda: not self.answers())

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """Yield a client of the tests' own, signed in."""
        client = IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=STEP_S_MAX)
        try:
            client.login(ADDRESS, PASSWORD)
            yield client
        finally:
            with suppress(Exception):
                client.logout()

    def append(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Lay mails down, as a delivery would."""
        with self.client() as client:
            for mail in mails:
                client.append(folder, mail)

    def number_anew(self) -> None:
        """Let the inbox have the same mails under another UIDVALIDITY."""
        with self.client() as client:
            before = client.select_folder("INBOX", readonly=True)[b"UIDVALIDITY"]
            uids = client.search("ALL")
            mails = [client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] for uid in uids]
        # It takes the time, in seconds, for the number.
        wait_until(lambda: int(time.time()) > before)
        for path in (self.folder / "mail").glob("dovecot*"):
            path.unlink()
        for name in ("cur", "new"):
            for path in (self.folder / "mail" / name).iterdir():
                path.unlink()
        self.append(*mails)


def program() -> str:
    found = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("not run: no Dovecot here; apt-get install dovecot-imapd")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    if not said.startswith("2.3"):
        pytest.skip(f"not run: these settings are for Dovecot 2.3, here is {said[:20].strip()}")
    return found


@contextmanager
def dovecot(*, certificates: tuple[Path, Path] | None = None) -> Iterator[Dovecot]:
    """Yield a running one; a machine without it is told that this was not run."""
    program()
    # Not below pytest's folder: that is closed to the user whose mail it is.
    folder = Path(tempfile.mkdtemp(prefix="bugstream-dovecot-"))
    port, tls_port = free_port(), free_port() if certificates else 0
    made = Dovecot(folder, port, tls_port)
    try:
        _prepare(folder, port, tls_port, certificates)
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(
    folder: Path, port: int, tls_port: int, certificates: tuple[Path, Path] | None
) -> None:
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    (folder / "users").write_text(f"{ADDRESS}:{PASSWORD}\n", encoding="utf-8")
    me = getpass.getuser()
    group = _group_of(me)
    who = {"internal": me, "group": group, "login": me, "user": me, "user_group": group}
    if os.geteuid() == 0:
        # Dovecot gives no mail to root, and has users of its own to run as.
        nobody = pwd.getpwnam(NOBODY)
        os.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
        who = {
            "internal": "dovecot",
            "group": "dovecot",
            "login": "dovenull",
            "user": NOBODY,
            "user_group": _group_of(NOBODY),
        }
    text = CONFIG.format(
        folder=folder,
        port=port,
        tls_port=tls_port,
        ssl="yes" if certificates else "no",
        certificates=(
            f"ssl_cert = <{certificates[0]}\nssl_key = <{certificates[1]}" if certificates else ""
        ),
        **who,
    )
    (folder / "dovecot.conf").write_text(text, encoding="utf-8")


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def wait_until(is_so: Callable[[], bool], s_max: float = STEP_S_MAX) -> None:
    deadline = time.monotonic() + s_max
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {s_max} s"
        time.sleep(0.05)
