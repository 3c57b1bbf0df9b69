"""GitHub's signature, and what a payload speaks of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Post
from connectors.github import DOOR, EVENTS, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "action",
                    "issue",
                    "comment",
                    "number",
                    "id",
                    "title",
                    "body",
                    "labels",
                    "name",
                    "user",
                    "sender",
                    "login",
                    "repository",
                    "full_name",
                    "html_url",
                    "assignee",
                    "state",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


def issue(**changes: Any) -> dict[str, Any]:
    return {
        "number": 7,
        "title": "Total is wrong",
        "body": "1 + 1 = 3",
        "state": "open",
        "labels": [],
        "user": {"login": "ann"},
        "html_url": "https://github.example/acme/shop/issues/7",
        **changes,
    }


def payload(action: str = "opened", **changes: Any) -> bytes:
    return json.dumps(
        {
            "action": action,
            "issue": issue(),
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "bob"},
            **changes,
        }
    ).encode()


def test_the_example_of_the_published_documentation_is_genuine() -> None:
    given = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    assert _is_signed(b"Hello, World!", given, ["It's a Secret to Everybody"])
    assert _is_signed(b"Hello, World!", given, ["new", "It's a Secret to Everybody"])
    assert not _is_signed(b"Hello, World?", given, ["It's a Secret to Everybody"])
    assert not _is_signed(b"Hello, World!", given, ["another"])
    assert not _is_signed(b"Hello, World!", given, [])
    assert not _is_signed(b"Hello, World!", given.removeprefix("sha256="), ["It's a Secret"])
    assert not _is_signed(b"Hello, World!", "sha256=düster", ["It's a Secret to Everybody"])


def test_an_issue_is_told_apart_by_repository_and_number() -> None:
    delivery = read("issues", payload(), delivery_id="d")

    assert delivery.origin.key == "github:acme/shop#7"
    assert delivery.origin.url == "https://github.example/acme/shop/issues/7"
    assert (delivery.sender, delivery.author) == ("github:bob", "github:ann")


def test_a_comment_keeps_order_with_its_issue_and_has_a_meaning_of_its_own() -> None:
    def comment(number: int) -> bytes:
        return payload("created", comment={"id": number, "body": "+1", "user": {"login": "cy"}})

    first, second = (read("issue_comment", comment(n), delivery_id="d") for n in (1, 2))

    assert first.origin.key == second.origin.key == "github:acme/shop#7"
    assert first.entity != second.entity
    assert first.author == "github:cy"


def test_what_only_accompanies_an_issue_does_not_change_its_meaning() -> None:
    """GitHub sends `opened` and `labeled` for one issue made from a template."""
    labels = [{"name": "bug"}]
    opened = read("issues", payload(issue=issue(labels=labels)), delivery_id="1")
    labeled = read(
        "issues",
        payload("labeled", issue=issue(labels=labels, updated_at="later"), label=labels[0]),
        delivery_id="2",
    )

    assert opened.meaning == labeled.meaning


def test_what_the_author_is_to_the_repository_is_no_news() -> None:
    """Webhooks and the API differ in it where membership is private."""
    one, other = (
        read("issues", payload(issue=issue(author_association=said)), delivery_id="d")
        for said in ("NONE", "MEMBER")
    )

    assert one.meaning == other.meaning


def test_an_assignee_is_found_where_newer_versions_of_the_api_have_it() -> None:
    one, other = (
        read("issues", payload(issue=issue(**said)), delivery_id="d")
        for said in (
            {"assignee": {"login": "ann"}, "assignees": [{"login": "ann"}]},
            {"assignee": None, "assignees": [{"login": "ann"}, {"login": "bob"}]},
        )
    )

    assert one.meaning == other.meaning


def test_every_change_a_person_makes_changes_the_meaning() -> None:
    changed = [
        payload(),
        payload(issue=issue(title="other")),
        payload(issue=issue(body=None)),
        payload(issue=issue(body="")),
        payload(issue=issue(state="closed")),
        payload(issue=issue(labels=[{"name": "p1"}])),
        payload(issue=issue(assignee={"login": "ann"})),
        payload("deleted"),
    ]

    assert len({read("issues", body, delivery_id="d").meaning for body in changed}) == len(changed)


def test_what_cannot_be_understood_is_an_item_of_its_own() -> None:
    for body in (b"", b"\xff\xfe", b"[]", b"{", b"[" * 100_000, b'{"issue": {"number": true}}'):
        one, other = (read("issues", body, delivery_id=d) for d in ("a", "b"))

        assert one.origin.container == "unknown"
        assert one.origin.key != other.origin.key


def test_names_that_are_no_names_do_not_get_through() -> None:
    body = payload(
        repository={"full_name": "../../etc"}, sender={"login": "x" * 5000}, issue=issue(html_url=3)
    )
    delivery = read("issues", body, delivery_id="d")

    assert delivery.origin.container == "unknown"
    assert delivery.origin.url is None
    assert delivery.sender == "github:ghost"


@given(event=st.sampled_from(EVENTS), value=JSON)
def test_no_json_at_all_makes_reading_fail(event: Any, value: Any) -> None:
    delivery = read(event, json.dumps(value).encode(), delivery_id="d")

    assert delivery.origin.key.startswith("github:")
    assert len(delivery.entity) < 500


def _is_signed(body: bytes, signature: str, secrets: list[str]) -> bool:
    post = Post({"x-hub-signature-256": signature}, body)
    return DOOR.refusal(post, secrets, datetime.now(UTC)) is None
