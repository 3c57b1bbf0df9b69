"""What can be typed after `/bug`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Outcome
from connectors.chat_commands import (
    HELP,
    Told,
    Unclear,
    Wish,
    bug_name,
    report_id,
    said,
    understood,
)
from schemas.raw import Origin


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("approve BUG-2026-7F3K2", Wish("approve", "BUG-2026-7F3K2", "")),
        ("  Reject `bug-2026-7f3k2`  not a bug ", Wish("reject", "BUG-2026-7F3K2", "not a bug")),
        ("retry *BUG-2026-7F3K2*.", Wish("retry", "BUG-2026-7F3K2", "")),
        (
            "abandon 0f8fad5b-d9cb-469f-a165-70867728950e twice\nover",
            Wish("abandon", "0F8FAD5B-D9CB-469F-A165-70867728950E", "twice\nover"),
        ),
        (
            "merge BUG-2026-9QZ4M into `BUG-2026-7F3K2`, same trace",
            Wish("merge", "BUG-2026-9QZ4M", "same trace", "BUG-2026-7F3K2"),
        ),
        (
            "merge BUG-2026-9QZ4M bug-2026-7f3k2",
            Wish("merge", "BUG-2026-9QZ4M", "", "BUG-2026-7F3K2"),
        ),
        (
            "keep apart BUG-2026-9QZ4M from BUG-2026-7F3K2 keep apart: other page",
            Wish("keep-apart", "BUG-2026-9QZ4M", "keep apart: other page", "BUG-2026-7F3K2"),
        ),
        (
            "Keep-Apart bug-2026-9qz4m `BUG-2026-7F3K2`",
            Wish("keep-apart", "BUG-2026-9QZ4M", "", "BUG-2026-7F3K2"),
        ),
        (
            "split BUG-2026-9QZ4M report `github:acme/shop#12` it is the tax",
            Wish("split", "BUG-2026-9QZ4M", "it is the tax", "github:acme/shop#12"),
        ),
        (
            "split BUG-2026-9QZ4M 0f8fad5b-d9cb-469f-a165-70867728950e",
            Wish("split", "BUG-2026-9QZ4M", "", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ),
    ],
)
def test_a_verb_before_the_name_of_a_bug_is_a_wish(typed: str, wish: Wish) -> None:
    assert understood(typed) == wish


@pytest.mark.parametrize(
    "typed",
    [
        "The total is wrong",
        "retry button is dead",
        "BUG-2026-7F3K2 is back",
        "help me",
        "keep apart the two buttons, please",
        "keep aparts are broken",
        "split screen is black",
    ],
)
def test_other_words_are_a_report(typed: str) -> None:
    assert understood(typed) == Told(typed)


@pytest.mark.parametrize("typed", ["", "  ", "help", "?", "HELP"])
def test_nothing_and_help_show_what_can_be_typed(typed: str) -> None:
    assert understood(typed) == Unclear(HELP)


@pytest.mark.parametrize("typed", ["approve", "approve it", "reject BUG_2026"])
def test_a_wish_without_a_bug_is_asked_back_and_opens_no_report(typed: str) -> None:
    what = understood(typed)

    assert isinstance(what, Unclear)
    assert what.text.startswith("Which bug?")


@pytest.mark.parametrize(
    "typed",
    [
        "merge",
        "merge BUG-2026-9QZ4M",
        "merge BUG-2026-9QZ4M into it",
        "keep apart",
        "keep apart BUG-2026-9QZ4M",
        "keep-apart BUG-2026-9QZ4M from it",
    ],
)
def test_a_merge_and_keeping_apart_want_two_bugs(typed: str) -> None:
    what = understood(typed)

    assert isinstance(what, Unclear)
    assert what.text.startswith("Which bugs?")


@pytest.mark.parametrize(
    "typed",
    ["split BUG-2026-9QZ4M", "split BUG-2026-9QZ4M report 12", "split BUG-2026-9QZ4M report a:b"],
)
def test_a_split_wants_a_report(typed: str) -> None:
    what = understood(typed)

    assert isinstance(what, Unclear)
    assert what.text.startswith("Which report?")


@pytest.mark.parametrize(
    "named", ["", "12", "github:acme/shop", "#12", "a b:c#d", f"x:{'y' * 300}#1", "github:\n#1"]
)
def test_what_is_no_report_has_no_id(named: str) -> None:
    assert report_id(named) is None


def test_a_report_is_named_by_its_place_or_its_id() -> None:
    origin = Origin(channel="github", container="acme/shop", item="12")

    assert report_id("github:acme/shop#12") == report_id(str(origin.report_id)) == origin.report_id


@given(st.text(max_size=60))
def test_a_name_is_harmless_to_repeat(word: str) -> None:
    name = bug_name(f"BUG-{word}")

    assert name is None or name.replace("-", "").isalnum()


@given(st.text(max_size=200))
def test_whatever_is_typed_is_understood_somehow(typed: str) -> None:
    assert isinstance(understood(typed), Wish | Told | Unclear)


def test_what_is_said_reads_well() -> None:
    report = {"report_id": "r-1", "event_id": "e"}

    assert said([]) == HELP
    assert said([Outcome("accepted", "Received.", report)]) == (
        "Thank you, the report is kept. Its id is `r-1`."
    )
    assert "before" in said([Outcome("duplicate", "Received.", report)])
    assert said([Outcome("unknown_bug", "No bug is called BUG-1.")]).startswith(
        "No bug is called BUG-1. Nothing was changed"
    )
    assert said([Outcome("not_allowed", "Only members decide.")]) == (
        "Only members decide. Nothing was changed."
    )
    assert said([Outcome("accepted", "Asked to retry X.", {"command_id": "c"})]) == (
        "Asked to retry X."
    )
