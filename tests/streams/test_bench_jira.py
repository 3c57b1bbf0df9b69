"""Every payload is counted once."""

from __future__ import annotations

from pathlib import Path

from streams.bench_jira import measure
from tests.connectors.jira_payloads import comment, encoded, payload


def test_payloads_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    alone = payload("comment_created", comment=comment())
    del alone["issue"]
    for name, body in {
        "both": encoded(payload(comment=comment())),
        "issue": encoded(payload()),
        "alone": encoded(alone),
        "broken": b"{",
    }.items():
        (tmp_path / f"{name}.json").write_bytes(body)
    figures = measure(tmp_path)

    assert (figures.payloads, figures.understood, figures.passed, figures.failed) == (4, 2, 1, 1)
    assert (figures.reports, figures.comments, figures.crashes) == (2, 1, 0)
    assert figures.troubles == ["broken.json: the body is not JSON"]
    assert figures.kinds["jira:issue_updated"] == 2
