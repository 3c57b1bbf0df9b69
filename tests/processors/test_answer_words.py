"""Plain and honest words, whatever there is to tell."""

from __future__ import annotations

import pytest

from processors.answer_words import comment
from schemas.fixes import Verdict
from schemas.places import Location
from tests.processors.test_notify import CHECKS, ORIGIN, OUTCOMES, PLACES, requested


def test_a_fix_says_where_it_is_how_it_was_checked_and_that_it_is_not_merged() -> None:
    text = comment(requested())

    assert text.startswith("**BUG-2026-1X7K2: a fix is ready for review.**\n")
    assert "commit `cccccccccccc` on branch `bugstream/bug-2026-1x7k2/a1`" in text
    assert "Nothing has been merged" in text
    assert "| reproduction | passed (3 runs) | red before, green after |" in text
    assert "| tests | passed | 31 of 31 passed |" in text


def test_could_not_says_why_what_failed_and_where_we_looked() -> None:
    failed = CHECKS[0].model_copy(update={"verdict": Verdict.FAILED, "runs": 1})
    text = comment(
        requested(outcome="could_not", reason="no template fits", checks=(failed,), branch=None)
    )

    assert "no fix was found" in text
    assert "No template fits. Nothing was changed in the repository." in text
    assert "| reproduction | **failed** |" in text
    assert "- `shop/cart.py:7`, in `total`: frame 1" in text


def test_not_verified_says_so_first_and_asks_for_what_would_help() -> None:
    text = comment(requested(outcome="not_verified", reason="nothing to run", checks=()))

    assert text.startswith("**BUG-2026-1X7K2: not verified, for want of a reproduction.**")
    assert "Nothing to run." in text
    assert "a test that fails" in text
    assert "fix is" not in text


def test_a_pull_request_is_named_where_there_is_one() -> None:
    url = "https://github.example/acme/shop/pull/3"

    assert f"/a1`, offered at {url}. Nothing has been merged" in comment(requested(url=url))


ENDED = {"could_not", "not_verified", "abandoned", "rejected"}


@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - {"fixed"}))
def test_only_a_fix_is_called_one(outcome: str) -> None:
    text = comment(requested(outcome=outcome)).lower()

    assert "ready for review" not in text
    assert ("nothing was changed" in text) == (outcome in ENDED)


def test_who_reports_is_told_its_name_and_whether_anybody_has_to_agree() -> None:
    member = comment(requested(outcome="received", reason=""))
    stranger = comment(requested(outcome="received", reason="a member has to approve work on it"))

    assert member.startswith("**BUG-2026-1X7K2: received.**\n\nWhat comes of it, a verified fix")
    assert "\n\nA member has to approve work on it. What comes of it" in stranger


def test_who_has_to_decide_is_told_about_what_and_how() -> None:
    url = "https://github.example/acme/shop/issues/12"
    origin = ORIGIN.model_copy(update={"url": url})
    text = comment(requested(outcome="approval", reason="the fix waits", origin=origin))

    assert "The fix waits. It is about `github:acme/shop" in text
    assert "issues/12" in text
    assert "`bugstream bug approve BUG-2026-1X7K2`" in text


def test_a_verification_report_has_every_check() -> None:
    text = comment(requested(outcome="verified"))

    assert text.startswith("**BUG-2026-1X7K2: a patch passed every check.**")
    assert all(f"| {check.name} | passed" in text for check in CHECKS)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_text_from_elsewhere_stays_text(outcome: str) -> None:
    evil = "ping @octocat, closes #1 [x](javascript:1) <img src=x> | a `b`\n\n# title"
    text = comment(
        requested(
            outcome=outcome,
            reason=evil,
            branch=evil,
            checks=(CHECKS[0].model_copy(update={"name": evil, "summary": evil}),),
            locations=(Location(path=evil, symbol=evil, score=1, reasons=(evil,)),),
        )
    )

    assert "@octocat" not in text
    assert "#1" not in text
    assert "\n# title" not in text
    assert not any(
        "<img" in line.replace("\\<", "") and "`" not in line for line in text.split("\n")
    )
    assert all(line.count(" | ") == 2 for line in text.splitlines() if line.startswith("| "))


def test_long_lists_are_cut_and_say_so() -> None:
    text = comment(requested(checks=CHECKS[:1] * 30, locations=PLACES * 30))

    assert "| and 10 more | | |" in text
    assert len(text) < 4000
