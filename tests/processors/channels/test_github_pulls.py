"""What becomes of a branch of ours, in a sentence that nobody else wrote."""

from __future__ import annotations

from typing import Any

import pytest

from processors.channels.github_pulls import parse
from schemas.reports import NOTE_CHARS_MAX
from tests.connectors.github_payloads import BRANCH, SHA, check, pull, review, status

OWN = pull()["pull_request"]
FORKED = pull(repo=2)["pull_request"]


@pytest.mark.parametrize(
    ("route", "payload", "note"),
    [
        ("pull_request", pull(), "Pull request #31 was merged."),
        ("pull_request", pull(merged=False), "Pull request #31 was closed without a merge."),
        ("pull_request", pull("reopened"), "Pull request #31 was reopened."),
        ("pull_request_review", review(), "Pull request #31 was approved."),
        (
            "pull_request_review",
            review("changes_requested"),
            "Pull request #31 got a request for changes.",
        ),
        (
            "pull_request_review",
            review("dismissed", "dismissed"),
            "Pull request #31 lost a review, which was dismissed.",
        ),
        (
            "check_run",
            check("check_run", "failure"),
            f"A check failed on commit {SHA[:12]} of branch {BRANCH}.",
        ),
        (
            "check_suite",
            check("check_suite", "success", pulls=[OWN]),
            f"The checks of an app passed on commit {SHA[:12]} of branch {BRANCH}.",
        ),
        (
            "check_suite",
            check("check_suite", "timed_out"),
            f"The checks of an app failed on commit {SHA[:12]} of branch {BRANCH}.",
        ),
        (
            "check_suite",
            check("check_suite", "failure", app={"slug": "github-actions"}),
            f"The checks of the app github-actions failed on commit {SHA[:12]} of branch {BRANCH}.",
        ),
        (
            "check_suite",
            check("check_suite", "failure", app={"slug": "Of @everyone"}),
            f"The checks of an app failed on commit {SHA[:12]} of branch {BRANCH}.",
        ),
        ("status", status("error"), f"A check failed on commit {SHA[:12]} of branch {BRANCH}."),
        ("status", status("success"), f"A check passed on commit {SHA[:12]} of branch {BRANCH}."),
    ],
)
def test_what_is_news_is_a_note_on_the_bug(route: str, payload: Any, note: str) -> None:
    said = parse(f"github/{route}", payload)

    assert said is not None
    assert (said.note, said.bug, said.comment) == (note, "BUG-2026-7F3K2", True)
    assert said.text.startswith(note[:20])


@pytest.mark.parametrize(
    ("route", "payload"),
    [
        ("pull_request", pull("synchronize")),
        ("pull_request", pull("opened")),
        ("pull_request", pull(branch="main")),
        ("pull_request", pull(repo=2)),
        ("pull_request", pull() | {"pull_request": None}),
        ("pull_request_review", review("commented")),
        ("pull_request_review", review(action="edited")),
        ("check_run", check("check_run", "success")),
        ("check_run", check("check_run", None, action="created")),
        ("check_run", check("check_run", "failure", pulls=[FORKED])),
        ("check_suite", check("check_suite", "cancelled")),
        ("check_suite", check("check_suite", "failure", head_branch=None)),
        ("status", status("pending")),
        ("status", status("failure", branch="main")),
        ("label", pull()),
    ],
)
def test_what_is_none_says_nothing(route: str, payload: Any) -> None:
    assert parse(f"github/{route}", payload) is None


def test_what_we_said_ourselves_is_no_news() -> None:
    own = {"app": {"slug": "acme-bugstream"}}
    for route, payload in (
        ("check_run", check("check_run", "failure", name="bugstream")),
        ("check_suite", check("check_suite", "success", **own)),
        ("status", status("success") | {"context": "bugstream"}),
    ):
        assert parse(f"github/{route}", payload) is None


def test_words_of_others_stand_in_the_text_alone() -> None:
    long = {"login": "x" * 5_000}
    shout = review("changes_requested", body="@everyone look", user=long)
    said = parse("github/pull_request_review", shout)
    failed = parse("github/check_run", check("check_run", "failure", name="a\u202eb" * 500))

    assert said is not None
    assert said.text.endswith("\n\n@everyone look")
    assert "everyone" not in said.note
    assert failed is not None
    assert "\u202e" not in failed.text
    assert max(len(said.note), len(failed.note)) <= NOTE_CHARS_MAX
    assert len(failed.text) < 400
