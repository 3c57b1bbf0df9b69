"""Jira's signatures, and what a payload speaks of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Delivery, Post
from connectors.jira import DOORS, read
from tests.connectors.jira_payloads import ANN, comment, encoded, issue, payload, token

ADMIN, OAUTH = DOORS
NOW = datetime(2026, 1, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
NAMES = st.sampled_from(
    [
        *("webhookEvent", "jira:issue_updated", "comment_created", "issue", "comment", "fields"),
        *("key", "self", "id", "summary", "labels", "status", "statusCategory", "author", "name"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.just("user"), inner, max_size=6)
    ),
    max_leaves=30,
)


def said(value: Any, **headers: str) -> tuple[Delivery, ...]:
    return read(Post({k.replace("_", "-"): v for k, v in headers.items()}, encoded(value)))


def test_the_example_of_the_published_documentation_is_genuine() -> None:
    given = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    secret = "It's a Secret to Everybody"

    def refusal(body: bytes, signature: str, *secrets: str) -> str | None:
        return ADMIN.refusal(Post({"x-hub-signature": signature}, body), secrets, NOW)

    assert refusal(b"Hello World!", given, secret) is None
    assert refusal(b"Hello World!", given, "new", secret) is None
    assert refusal(b"Hello World?", given, secret) == "signature"
    assert refusal(b"Hello World!", given) == "signature"
    for wrong in ("", "sha256=", given[7:], f"sha1={given[7:]}", f"={given[7:]}", "sha256=ü"):
        assert refusal(b"Hello World!", wrong, secret) == "signature"


def test_a_token_of_the_app_is_genuine_while_its_time_lasts() -> None:
    def refusal(bearer: str, *secrets: str) -> str | None:
        return OAUTH.refusal(Post({"authorization": f"Bearer {bearer}"}, b"{}"), secrets, NOW)

    fresh = {"iss": "app", "iat": AT - 5, "exp": AT + 60}

    assert refusal(token(fresh), "s") is None
    assert refusal(token(fresh), "new", "s") is None
    assert refusal(token({"exp": AT + 60}), "s") is None
    assert refusal(token({**fresh, "exp": AT - 61}), "s") == "late"
    assert refusal(token({**fresh, "iat": AT + 61}), "s") == "late"
    assert refusal(token(fresh, secret="x"), "s") == "signature"
    assert refusal(token(fresh)) == "signature"


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": ["HS256"]}, [], {}])
def test_a_token_does_not_choose_its_own_method(header: Any) -> None:
    bearer = token({"exp": AT + 60}, header=header)
    post = Post({"authorization": f"Bearer {bearer}"}, b"")

    assert OAUTH.refusal(post, ["s"], NOW) == "signature"
    unsigned = Post({"authorization": f"Bearer {bearer.rpartition('.')[0]}."}, b"")
    assert OAUTH.refusal(unsigned, ["s"], NOW) == "signature"


@pytest.mark.parametrize("exp", [None, "9999999999", True, 1e300, float("nan"), [], 10**400])
def test_a_token_without_an_end_is_none(exp: Any) -> None:
    post = Post({"authorization": f"Bearer {token({'exp': exp})}"}, b"")

    assert OAUTH.refusal(post, ["s"], NOW) == "signature"


@pytest.mark.parametrize("bearer", ["", "a.b.c", "..", "ü.ü.ü", "a" * 9_000 + "..", "e30.e30.e30"])
def test_what_is_no_token_is_refused_and_not_a_failure(bearer: str) -> None:
    post = Post({"authorization": f"Bearer {bearer}"}, b"")

    assert OAUTH.refusal(post, ["s"], NOW) == "signature"


def test_only_what_looks_signed_is_read() -> None:
    assert ADMIN.looks_signed({"x-hub-signature": "sha256=ab"})
    assert not ADMIN.looks_signed({"x-hub-signature": "md5=ab"})
    assert OAUTH.looks_signed({"authorization": "bearer a.b.c"})
    assert not OAUTH.looks_signed({"authorization": "Basic abc"})


def test_an_issue_is_told_apart_by_its_key() -> None:
    (delivery,) = said(payload(), x_atlassian_webhook_identifier="id-1")

    assert delivery.origin.key == "jira:SHOP#SHOP-7"
    assert delivery.origin.url == "https://shop.example/jira/browse/SHOP-7"
    assert (delivery.sender, delivery.author) == ("jira:bob", "jira:5c5f:ann")
    assert (delivery.kind, delivery.delivery_id) == ("issue", "id-1")


def test_without_an_id_the_same_body_is_the_same_delivery() -> None:
    first, again, later = (said(payload(timestamp=t))[0] for t in (1, 1, 2))

    assert first.delivery_id == again.delivery_id != later.delivery_id


def test_what_changes_nothing_for_us_does_not_change_the_meaning() -> None:
    progress = {"name": "Doing", "statusCategory": {"key": "indeterminate"}}
    same = [
        payload(),
        payload("jira:issue_created"),
        payload(issue=issue(updated="later", customfield_1="Sprint 2", watches={"watchCount": 3})),
        # Asked for, a text has other ends of lines, and an empty one is none.
        payload(issue=issue(description="\r\nIt says *3*.\r\n", environment="")),
        payload(issue=issue(status=progress), changelog={"items": [{"field": "status"}]}),
    ]

    assert len({said(one)[0].meaning for one in same}) == 1


def test_every_change_that_counts_changes_the_meaning() -> None:
    done = {"name": "Done", "statusCategory": {"key": "done"}}
    changed = [
        payload(),
        payload(issue=issue(summary="other")),
        payload(issue=issue(description=None)),
        payload(issue=issue(environment="Linux")),
        payload(issue=issue(status=done)),
        payload(issue=issue(status={"name": "Closed"})),
        payload(issue=issue(labels=["p1"])),
        payload(issue=issue(priority={"name": "Low"})),
        payload(issue=issue(assignee=ANN)),
        payload(issue=issue(versions=[{"name": "2.0"}])),
        payload(issue=issue(components=[{"name": "cart"}])),
        payload("jira:issue_deleted"),
    ]

    assert len({said(one)[0].meaning for one in changed}) == len(changed)


def test_a_comment_inside_an_update_is_delivered_beside_the_issue() -> None:
    both = said(payload(comment=comment(), issue_event_type_name="issue_commented"))

    assert [one.kind for one in both] == ["issue", "comment"]
    assert both[0].origin == both[1].origin
    assert both[1].entity == "jira:SHOP#SHOP-7/comment/20001"
    assert both[1].author == "jira:5c5f:ann"


def test_a_comment_is_the_same_however_it_comes() -> None:
    """Old servers put it inside an update; newer ones send an event of its own as well."""
    inside = said(payload(comment=comment()))[1]
    (alone,) = said(payload("comment_created", comment=comment()))
    (edited,) = said(payload("comment_updated", comment=comment("no")))
    (gone,) = said(payload("comment_deleted", comment=comment()))

    assert (inside.entity, inside.meaning) == (alone.entity, alone.meaning)
    assert len({alone.meaning, edited.meaning, gone.meaning}) == 3


def test_a_comment_without_its_issue_is_kept_by_the_number_of_the_issue() -> None:
    value = payload("comment_created", comment=comment())
    del value["issue"]
    (delivery,) = said(value)

    assert delivery.origin.key == "jira:unknown#issue/10001"


def test_what_is_of_no_interest_is_not_kept_and_answered_all_the_same() -> None:
    for event in ("worklog_created", "sprint_started", "jira:version_released", None, 3):
        post = Post({}, encoded(payload(event)))  # type: ignore[arg-type]  # as a stranger sends

        assert ADMIN.read(post) == ()
        assert ADMIN.answer(post, []).status == 202


def test_what_cannot_be_understood_is_an_item_of_its_own() -> None:
    for body in (b"", b"\xff\xfe", b"[]", b"{", b"[" * 100_000):
        (one,), (other,) = (
            read(Post({"x-atlassian-webhook-identifier": name}, body)) for name in ("a", "b")
        )

        assert one.origin.container == "unknown"
        assert one.origin.key != other.origin.key


def test_names_that_are_no_names_do_not_get_through() -> None:
    bad = {**issue(reporter={"name": "a b"}), "key": "../../x-1", "self": "javascript:/rest/api/"}
    (delivery,) = said(payload(issue=bad, user={"accountId": "x" * 999}))

    assert delivery.origin.container == "unknown"
    assert delivery.origin.url is None
    assert delivery.sender == delivery.author == "jira:unknown"


def test_a_text_nested_too_deep_does_not_make_reading_fail() -> None:
    deep = '{"type":"doc","content":[' * 900 + "]}" * 900
    body = json.dumps(payload()).replace('"It says *3*."', deep).encode()

    assert read(Post({}, body))[0].meaning


@given(value=JSON, event=st.sampled_from(["jira:issue_updated", "comment_created", ""]))
def test_no_json_at_all_makes_reading_fail(value: Any, event: str) -> None:
    for body in (value, {"webhookEvent": event, "issue": value, "comment": value}):
        for delivery in said(body):
            assert delivery.origin.key.startswith("jira:")
            assert len(delivery.entity) < 500
