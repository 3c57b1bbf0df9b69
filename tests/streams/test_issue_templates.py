"""A report is read by the form of its own repository, if that is at hand, and else as ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from connectors.blobs import MemoryBlobs
from connectors.checkouts import GitCheckouts
from processors.normalize import normalize
from schemas.errors import FatalError, TransientError
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport, ReportNormalized
from streams.channels import PARSERS
from streams.issue_templates import AGE_S_MAX, IssueTemplates
from tests.connectors.repositories import ENVIRONMENT, make_remote
from tests.factories import raw_github

SHOP = Project(id="shop", sources=("github:acme/shop",), git_url="https://git.example/shop")
ISSUE = Origin(channel="github", container="acme/shop", item="12")
FORM = """
name: Bug
description: Something is wrong
body:
  - type: textarea
    id: happened
    attributes: {label: What went wrong?}
  - type: textarea
    id: reproduce
    attributes: {label: How do we see it?}
  - type: dropdown
    id: version
    attributes: {label: Which release?, options: ["1.0", "1.1"]}
"""
BODY = """### What went wrong?

The total is wrong.

### How do we see it?

1. Put nothing into the cart
2. Ask for the total

### Which release?

1.1
"""


def report(templates: IssueTemplates | None) -> BugReport:
    more = {} if templates is None else {"templates": templates}
    [said] = normalize(raw_github(body=BODY), MemoryBlobs(), (SHOP,), PARSERS, **more)
    assert isinstance(said, ReportNormalized)
    return said.report


def test_a_report_is_read_by_the_form_it_was_made_with(tmp_path: Path) -> None:
    files = {".github/ISSUE_TEMPLATE/bug.yml": FORM, ".github/workflows/ci.yml": "on: push\n"}
    bare, _ = make_remote(tmp_path, files)
    checkouts = GitCheckouts(tmp_path / "mirrors", environment=ENVIRONMENT)
    shop = SHOP.model_copy(update={"git_url": str(bare)})
    before = IssueTemplates((shop,), checkouts.at_hand)

    assert before(ISSUE) is None  # Nothing was fetched yet, and nothing is.
    checkouts.base_commit(shop)
    templates = IssueTemplates((shop,), checkouts.at_hand)

    assert templates(ISSUE) == {".github/ISSUE_TEMPLATE/bug.yml": FORM}
    assert report(templates).metadata["template"] == ".github/ISSUE_TEMPLATE/bug.yml"
    assert "template" not in report(None).metadata
    assert report(templates).title == report(None).title


class Files:
    """What a mirror holds, and how often it was looked into."""

    def __init__(self, error: Exception | None = None) -> None:
        self.reads = 0
        self.error = error

    def __call__(self, project: Project, places: Sequence[str]) -> Mapping[str, bytes]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {".github/ISSUE_TEMPLATE/bug.yml": FORM.encode()}


def test_it_is_looked_up_once_in_a_while(tmp_path: Path) -> None:
    now_s, files = [0.0], Files()
    templates = IssueTemplates((SHOP,), files, clock=lambda: now_s[0])
    for at_s in (0.0, 1.0, AGE_S_MAX, AGE_S_MAX + 1):
        now_s[0] = at_s
        assert templates(ISSUE)

    assert files.reads == 2


@pytest.mark.parametrize(
    "error", [TransientError("slow"), FatalError("git is not installed"), OSError("no disk")]
)
def test_a_repository_that_cannot_be_read_changes_nothing_and_is_not_tried_each_time(
    error: Exception,
) -> None:
    files = Files(error)
    templates = IssueTemplates((SHOP,), files)

    assert report(templates) == report(None)
    assert templates(ISSUE) is None
    assert files.reads == 1


def test_other_channels_and_projects_without_a_repository_have_none() -> None:
    files = Files()
    bare = SHOP.model_copy(update={"git_url": None})

    assert IssueTemplates((bare,), files)(ISSUE) is None
    assert IssueTemplates((), files)(ISSUE) is None
    assert IssueTemplates((SHOP,), files)(ISSUE.model_copy(update={"channel": "jira"})) is None
    assert files.reads == 0


def test_only_reports_of_github_are_read_by_forms() -> None:
    shop = SHOP.model_copy(update={"sources": ("*",)})
    templates = IssueTemplates((shop,), lambda *_: {".github/ISSUE_TEMPLATE/bug.yml": b"name: Bug"})

    assert templates(ISSUE) is not None
    assert templates(ISSUE.model_copy(update={"channel": "jira"})) is None
