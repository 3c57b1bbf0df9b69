from __future__ import annotations

import json
from pathlib import Path

from streams.bench_report_text import measure, texts_of


def test_it_counts_what_the_texts_of_payloads_hold(tmp_path: Path) -> None:
    (tmp_path / "github" / "issues").mkdir(parents=True)
    (tmp_path / "jira").mkdir()
    body = "### Steps to reproduce\n1. Open it\n### Expected\nIt opens <!-- x -->\nmacOS 14.2"
    issue = {"issue": {"title": "T", "body": body}, "comment": {"body": "Thanks"}}
    (tmp_path / "github" / "issues" / "opened.json").write_text(json.dumps(issue))
    (tmp_path / "github" / "broken.json").write_text("{")
    described = {"issue": {"fields": {"description": "Actual: it stays shut"}}}
    (tmp_path / "jira" / "a.json").write_text(json.dumps(described))

    found = measure(tmp_path)

    assert (found.payloads, found.texts, found.crashes) == (3, 3, 0)
    assert (found.steps, found.expected, found.actual) == (1, 1, 1)
    assert (found.environment, found.hidden) == (1, 1)
    assert found.share(found.steps) == 1 / 3


def test_a_folder_without_samples_has_no_shares(tmp_path: Path) -> None:
    found = measure(tmp_path)

    assert found.payloads == 0
    assert found.share(found.steps) is None


def test_a_document_of_jira_is_read_as_its_text() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}
    comment = {"comment": {"body": {"type": "doc", "content": [paragraph, "odd", None]}}}

    assert list(texts_of(comment)) == ["Hello"]
    assert list(texts_of([])) == []
