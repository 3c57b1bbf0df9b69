"""What a GitHub payload says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from processors.channels.github import parse
from processors.channels.parsed import Parsed
from schemas.raw import origin_line
from tests.factories import raw_github


def said(action: str = "opened", *, comment: str | None = None, **more: Any) -> Parsed | None:
    raw = raw_github(action, comment=comment)
    assert raw.body is not None
    return parse(raw, json.dumps(json.loads(raw.body) | more).encode())


def test_an_issue_says_its_title_text_and_author() -> None:
    raw = raw_github("opened")
    assert raw.body is not None
    said = parse(raw, raw.body.encode())

    assert said is not None
    assert said.title == json.loads(raw.body)["issue"]["title"]
    assert said.account.startswith("github:")
    assert not said.comment


@pytest.mark.parametrize(
    "action",
    [
        *("opened", "edited", "labeled", "unlabeled", "assigned", "unassigned"),
        *("closed", "reopened", "milestoned", "locked", "an action that does not exist yet"),
    ],
)
def test_whatever_happened_the_issue_is_read_as_it_is_now(action: str) -> None:
    raw = raw_github(
        action, state="closed", labels=[{"name": "p1"}, None], assignee={"login": "cy"}
    )
    assert raw.body is not None
    found = parse(raw, raw.body.encode())

    assert found is not None
    assert (found.closed, found.labels, found.assignee) == (True, ("p1",), "cy")
    assert not found.note


def test_a_label_of_ours_says_nothing_of_the_bug() -> None:
    ours = [
        {"name": "bugstream:fix-ready"},
        {"name": "Bugstream:could-not-fix", "description": None},
        {"name": "bot/stuck", "description": "Set by bugstream, a program"},
    ]
    raw = raw_github("labeled", labels=[{"name": "p1", "description": "soon"}, *ours])
    assert raw.body is not None
    found = parse(raw, raw.body.encode())

    assert found is not None
    assert found.labels == ("p1",)


def test_an_issue_that_is_gone_leaves_a_note_and_changes_nothing() -> None:
    there = {"new_repository": {"full_name": "acme/till"}}
    deleted, moved, lost = (
        said("deleted"),
        said("transferred", changes=there),
        said("transferred", changes=None),
    )

    assert deleted is not None
    assert moved is not None
    assert lost is not None
    assert deleted.comment
    assert deleted.note == deleted.text == "The issue was deleted on GitHub."
    assert moved.note == "The issue was transferred to acme/till."
    assert lost.note == "The issue was transferred."


def test_a_comment_that_is_gone_leaves_a_note() -> None:
    found = said("deleted", comment="I take it back")

    assert found is not None
    assert found.text == found.note == "The comment was deleted on GitHub."


def test_our_own_answers_are_not_heard_whoever_posted_them() -> None:
    signed = f"A fix is ready.\n\n<!-- {origin_line(UUID(int=1))} -->"
    quoted = f"> {signed}\n\nIt does not work."

    assert said("created", comment=signed) is None
    assert said("created", comment=quoted) is not None
    assert said("created", comment="Hello.") is not None
    raw = raw_github("created", comment="Hello.")
    assert raw.body is not None
    by_app = {"body": "Hello.", "user": {"login": "app[bot]", "type": "Bot"}}
    assert parse(raw, json.dumps(json.loads(raw.body) | {"comment": by_app}).encode()) is None
