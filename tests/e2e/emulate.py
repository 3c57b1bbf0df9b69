"""Starts `emulate` (npm, vercel-labs): GitHub and Slack as others understand them, with a memory.

It is installed by `.ci/run` into a cache outside the tree; where it is missing, tests that need it
skip and say so. It would listen on every interface, so it is made to listen on loopback alone.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

VERSION = "0.8.0"
"""Newer ones want a newer Node; the tag `latest` belongs to somebody else's package."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = CACHE / "bugstream" / f"emulate-{VERSION}"
START_S_MAX = 30.0
_SCRIPT = """
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port) { return listen.call(this, port, '127.0.0.1'); };
const [, , entry, options, slack, url] = process.argv;
if (url) {
  const { slackPlugin } = await import(slack);
  const register = slackPlugin.register;
  slackPlugin.register = (app, store, webhooks, ...rest) => {
    webhooks.register({ url, events: ['*'], active: true, owner: 'slack' });
    return register.call(slackPlugin, app, store, webhooks, ...rest);
  };
}
const { createEmulator } = await import(entry);
await createEmulator(JSON.parse(options));
"""


def program() -> Path | None:
    """Return what is to be imported, if it can be run here."""
    entry = FOLDER / "node_modules" / "emulate" / "dist" / "api.js"
    return entry if shutil.which("node") and entry.is_file() else None


needed = pytest.mark.skipif(
    program() is None,
    reason=f"not run: needs node and `npm install --prefix {FOLDER} emulate@{VERSION}`",
)


@contextmanager
def running(
    service: Literal["github", "slack"], seed: Mapping[str, Any], *, events_url: str = ""
) -> Iterator[str]:
    """Yield the URL of a new one that knows what `seed` says, and end it afterwards.

    Slack's events are posted to `events_url`: this release has them, and no way to ask for them.
    """
    entry = program()
    if entry is None:
        pytest.skip("not run: emulate is not installed")
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    options = {"service": service, "port": port, "baseUrl": url, "seed": dict(seed)}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "start.mjs"
        script.write_text(_SCRIPT)
        log = Path(folder) / "log"
        with log.open("wb") as out:
            command = ["node", str(script), entry.as_uri(), json.dumps(options)]
            if events_url:
                command += [_slack_plugin(entry).as_uri(), events_url]
            child = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            _wait(child, url, log)
            yield url
        finally:
            child.terminate()
            child.wait(10)


def _slack_plugin(entry: Path) -> Path:
    """Return the file that Slack's part is in: its name is a hash."""
    [found] = [
        path
        for path in entry.parent.glob("dist-*.js")
        if "slackPlugin" in path.read_text(encoding="utf-8")
    ]
    return found


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until it answers anything at all. Fails with its last words."""
    until = time.monotonic() + START_S_MAX
    while time.monotonic() < until:
        if child.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"emulate did not start: {log.read_text(errors='replace')[-2000:]}")
