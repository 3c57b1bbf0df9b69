"""Every payload is counted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streams.bench_github import measure
from tests.connectors.github_payloads import pull
from tests.connectors.test_github import payload


def test_payloads_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    samples: dict[str, Any] = {
        "issues/opened": json.loads(payload()),
        "issues/alone": {"action": "opened"},
        "pull_request/ours": pull(),
        "pull_request/other": pull(branch="main"),
        "push/any": {},
    }
    for name, content in samples.items():
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    (tmp_path / "issue_comment").mkdir()
    (tmp_path / "issue_comment" / "broken.json").write_bytes(b"{")
    figures = measure(tmp_path)

    assert (figures.payloads, figures.understood, figures.passed, figures.failed) == (6, 2, 2, 2)
    assert figures.crashes == 0
    assert figures.troubles == [
        "issue_comment/broken.json: the body is not JSON",
        "issues/alone.json: 'issue' is not a JSON object",
    ]
