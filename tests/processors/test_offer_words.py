"""What people read before they merge: what was seen, who wrote it, and nothing that acts."""

from __future__ import annotations

from typing import Any

import pytest

from processors.offer_words import TITLE_CHARS_MAX, offer_of
from schemas.fixes import CheckResult, FileEdit, Verdict
from schemas.projects import Project
from schemas.raw import Origin
from tests.processors.test_release import PROPOSAL, World

SHOP = Project(id="shop", git_url="/srv/shop.git", sources=("github:acme/shop", "email:b@x.y"))


def check(name: str, verdict: Verdict) -> CheckResult:
    return CheckResult(name=name, verdict=verdict, summary="31 of 31", command="pytest")


PASSED, SKIPPED = check("tests", Verdict.PASSED), check("coverage", Verdict.NOT_RUN)


def origin(channel: Any, container: str, item: str) -> Origin:
    return Origin(channel=channel, container=container, item=item)


def test_it_says_what_was_seen_and_who_wrote_it() -> None:
    offer = offer_of(World().requested(checks=(PASSED, SKIPPED)), PROPOSAL, SHOP)

    assert offer.title == "Fix BUG-2026-1X7K2 in shop/cart.py"
    assert (offer.conclusion, offer.summary) == ("success", "Checks: 1 passed, 1 not run")
    assert "| tests | passed | 31 of 31 |" in offer.body
    assert "| coverage | not run | 31 of 31 |" in offer.body
    assert "repair template `off-by-one`, no language model" in offer.body
    assert "Changed \\< to \\<=" in offer.body


def test_what_the_program_said_neither_mentions_nor_closes() -> None:
    body = offer_of(World().requested(), PROPOSAL, SHOP).body

    assert "@octocat" not in body
    assert "closes #7" not in body


@pytest.mark.parametrize(
    ("checks", "conclusion"),
    [
        ((), "neutral"),
        ((PASSED,), "success"),
        ((PASSED, check("style", Verdict.FAILED)), "failure"),
    ],
)
def test_what_was_not_seen_is_not_a_success(
    checks: tuple[CheckResult, ...], conclusion: str
) -> None:
    offer = offer_of(World().requested(checks=checks), PROPOSAL, SHOP)

    assert offer.conclusion == conclusion


def test_only_reports_of_the_same_repository_are_named() -> None:
    reports = (
        origin("github", "Acme/shop", "12"),
        origin("github", "acme/secret", "3"),
        origin("email", "b@x.y", "<m@x.y>"),
        origin("github", "acme/shop", "delivery/5"),
        origin("email", "b@x.y", "<n@x.y>"),
    )
    body = offer_of(World().requested(reports=reports), PROPOSAL, SHOP).body

    assert "Reports: Acme/shop#12, 2 by email, 2 by github." in body
    assert "secret" not in body
    assert "m@x.y" not in body


def test_a_long_path_does_not_make_a_long_title() -> None:
    edits = (FileEdit(path="x" * 200, before=None, after="y"),)
    offer = offer_of(World().requested(), PROPOSAL.model_copy(update={"edits": edits}), SHOP)

    assert len(offer.title) == TITLE_CHARS_MAX
    many = PROPOSAL.model_copy(update={"edits": edits * 2})
    assert offer_of(World().requested(), many, SHOP).title.endswith("in 2 files")
