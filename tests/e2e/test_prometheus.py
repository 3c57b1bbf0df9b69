"""A real Prometheus watches us and a real Alertmanager tells us: one bug, opened, updated, closed.

And the answer to it stands in that Alertmanager and does not come back as a report.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.alertmanager_messenger import AlertmanagerMessenger
from schemas.raw import Origin
from tests.e2e.test_alertmanager import (
    Alertmanager,
    Gateway,
    gateway,
    is_ready,
    repeats,
    tell,
    wait_until,
)
from tests.streams.monitored import bugs_of, kept

__all__ = ["gateway"]  # A fixture.
KEY = UUID(int=7)
CONFIG = """
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [{rules}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["{alertmanager}"]}}]
scrape_configs:
  - job_name: bugstream
    metrics_path: /metrics
    static_configs: [{{targets: ["{bugstream}"]}}]
"""
RULES = """
groups:
  - name: bugstream
    rules:
      - alert: InboxNearlyEmpty
        expr: bugstream_inbox_waiting{job="bugstream"} < 2
        labels: {severity: warning}
        annotations: {summary: "{{ $value }} waiting"}
"""


@contextmanager
def prometheus(folder: Path, *, alertmanager: str, bugstream: str) -> Iterator[str]:
    """Yield the address of one that watches us; its rules are in `rules.yml`."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("not run: no Prometheus here; apt-get install prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "rules.yml").write_text(RULES, encoding="utf-8")
    config, hosts = folder / "prometheus.yml", [urllib.parse.urlsplit(alertmanager).netloc]
    hosts.append(urllib.parse.urlsplit(bugstream).netloc)
    config.write_text(
        CONFIG.format(rules=folder / "rules.yml", alertmanager=hosts[0], bugstream=hosts[1]),
        encoding="utf-8",
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: is_ready(f"http://{address}"))
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def value_of(url: str, query: str) -> list[str]:
    said = ask(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
    return [one["value"][1] for one in said["data"]["result"]]


def test_what_prometheus_sees_of_us_becomes_one_bug_that_is_closed_when_it_is_over(
    tmp_path: Path, gateway: Gateway
) -> None:
    with (
        Alertmanager(tmp_path).running(gateway.url) as alertmanager,
        prometheus(tmp_path, alertmanager=alertmanager, bugstream=gateway.url) as url,
    ):
        wait_until(lambda: len(kept(gateway.inbox)) == 1 and repeats(gateway.inbox) >= 2)
        wait_until(lambda: value_of(url, "bugstream_inbox_waiting") == ["1"])
        [fired] = kept(gateway.inbox)
        answered = answer(alertmanager, fired.origin)
        tell(alertmanager)  # Another alert waits, too: the first one is over.
        wait_until(lambda: len(kept(gateway.inbox)) == 3)
        before = repeats(gateway.inbox)
        wait_until(lambda: repeats(gateway.inbox) > before + 1)
        assert len(kept(gateway.inbox)) == 3
    bugs = bugs_of(gateway.inbox, gateway.blobs)
    watched = [(kind, report) for kind, report in bugs if "InboxNearlyEmpty" in report.title]

    assert [kind for kind, _ in watched] == ["bug.opened", "report.updated"]
    assert [report.status for _, report in watched] == ["open", "closed"]
    assert [kind for kind, _ in bugs].count("bug.opened") == 2
    assert answered["labels"]["alertname"] == "BugstreamAnswer"
    assert answered["labels"]["bug"] == "BUG-2026-7F3K2"
    assert answered["labels"]["answers"] == fired.origin.item


def answer(alertmanager: str, origin: Origin) -> Any:
    """Answer the alert where it came from, and return the alert that says so."""
    api = AlertmanagerApi(alertmanager)
    for _ in range(2):  # Once more, as after a crash.
        AlertmanagerMessenger(api).post(origin, "**BUG-2026-7F3K2: fixed.**", KEY)
    api.close()
    wanted = urllib.parse.urlencode({"filter": f'bugstream_origin="{KEY}"'})
    [made] = ask(f"{alertmanager}/api/v2/alerts?{wanted}")
    return made
