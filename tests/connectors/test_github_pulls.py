"""What happens on our own branches is kept, and nothing of other branches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.github_pulls import EVENTS, Event, read
from tests.connectors.github_payloads import SHA, check, pull, review, status
from tests.connectors.test_github import JSON


def said(event: Event, payload: Any) -> Any:
    return read(event, json.dumps(payload).encode(), delivery_id="d")


def test_a_pull_request_of_ours_is_told_apart_by_its_number() -> None:
    found = said("pull_request", pull())

    assert found.origin.key == "github:acme/shop#31"
    assert found.origin.url == "https://github.example/acme/shop/pull/31"
    assert (found.kind, found.sender, found.author) == ("pull_request", "github:bob", "github:bob")


def test_a_review_is_its_authors_text() -> None:
    found = said("pull_request_review", review(body="Nice"))

    assert (found.sender, found.author) == ("github:bob", "github:cy")
    assert found.entity == "github:acme/shop#31/pull_request_review/70"


@pytest.mark.parametrize(
    ("event", "payload", "item"),
    [
        ("check_run", check("check_run", "failure"), f"commit/{SHA}"),
        ("check_suite", check("check_suite", "success"), f"commit/{SHA}"),
        ("check_suite", check("check_suite", "success", pulls=[{"number": 31}]), "31"),
        ("status", status("failure"), f"commit/{SHA}"),
    ],
)
def test_a_check_belongs_to_its_pull_request_or_its_commit(
    event: Event, payload: Any, item: str
) -> None:
    assert said(event, payload).origin.item == item


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", pull(branch="main")),
        ("check_run", check("check_run", "failure", check_suite={"head_branch": "main"})),
        ("status", status("failure", branch="bugstream/other")),
    ],
)
def test_nothing_is_kept_of_a_branch_that_is_not_ours(event: Event, payload: Any) -> None:
    assert said(event, payload) is None


def test_every_step_has_a_meaning_of_its_own() -> None:
    steps = [
        said("check_run", check("check_run", None, action="created")),
        said("check_run", check("check_run", "failure")),
        said("check_run", check("check_run", "success")),
        said("pull_request", pull()),
        said("pull_request", pull(merged=False)),
        said("pull_request", pull("reopened", merged=False, state="open")),
    ]

    assert len({step.meaning for step in steps}) == len(steps)


@given(event=st.sampled_from(EVENTS), value=JSON)
def test_no_json_at_all_makes_reading_fail(event: Event, value: Any) -> None:
    body = json.dumps([value, "bugstream/bug-2026-7f3k2/a1"]).encode()
    for named in (body, json.dumps({event: value, "x": "bugstream/bug-2026-7f3k2/a1"}).encode()):
        found = read(event, named, delivery_id="d")

        assert found is not None
        assert found.origin.key.startswith("github:")
