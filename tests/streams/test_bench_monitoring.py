"""The figures of a folder of samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.bench_monitoring import Kind, measure
from tests.connectors.monitoring.posts import (
    alert,
    group,
    incident,
    logs,
    sentry,
    sentry_issue,
    span,
    traces,
)

TEMPLATES = """ALERTS = {
    "one": {"payload": {"title": "Disk", "labels": {"severity": "info"}}, "parameters": {}},
    "two": {"payload": {"title": "Memory", "labels": {"severity": "page"}}},
}
"""


def write(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")


def test_each_sample_is_counted_with_its_sender_and_its_fate(tmp_path: Path) -> None:
    issue = sentry("issue", "created", issue=sentry_issue()).body.decode()
    write(tmp_path, "sentry/issue.created.json", issue)
    write(tmp_path, "sentry/installation.deleted.json", {"data": {"installation": {}}})
    write(tmp_path, "sentry/error.created.json", {"data": {}, "installation": {}})
    write(tmp_path, "monitoring/am.json", group(alert(), alert(fingerprint="f2")))
    write(tmp_path, "monitoring/pd.jsonl", f"{json.dumps(incident())}\n{json.dumps(incident())}\n")
    write(tmp_path, "monitoring/otlp.json", [traces(span()), logs()])
    write(tmp_path, "monitoring/rules.py.txt", TEMPLATES)
    write(tmp_path, "monitoring/other.json", {"AlarmName": "x"})
    write(tmp_path, "monitoring/broken.json", "{")
    found = measure(tmp_path)

    assert found.crashes == 0
    assert found.crashed == ()
    assert {kind.name: kind for kind in found.kinds} == {
        "alertmanager": Kind("alertmanager", 1, 1, 0, 0),
        "grafana (template)": Kind("grafana (template)", 2, 2, 0, 0),
        "broken": Kind("broken", 1, 0, 0, 1),
        "other": Kind("other", 1, 0, 0, 1),
        "otlp": Kind("otlp", 2, 1, 1, 0),
        "pagerduty": Kind("pagerduty", 2, 2, 0, 0),
        "sentry": Kind("sentry", 3, 1, 1, 0),
    }
    assert {kind.name: kind.share for kind in found.kinds}["sentry"] == 0.5


def test_a_folder_without_samples_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not run"):
        measure(tmp_path)
