"""What a Jira payload says."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Post
from connectors.jira import read
from processors.channels.jira import parse
from processors.channels.parsed import Parsed
from processors.severity import severity_of
from schemas.errors import PoisonError
from schemas.raw import RawReceived, origin_line
from schemas.reports import Severity
from tests.connectors.jira_payloads import ANN, BOB, comment, encoded, issue, payload
from tests.factories import raw_github

ADF = {
    "type": "doc",
    "version": 1,
    "content": [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "It "},
                {"type": "text", "text": "fails", "marks": [{"type": "strong"}]},
            ],
        }
    ],
}


def raws(value: Any) -> list[tuple[RawReceived, bytes]]:
    body = encoded(value)
    return [
        (
            raw_github().model_copy(
                update={"origin": one.origin, "route": f"jira/{one.kind}", "body": body.decode()}
            ),
            body,
        )
        for one in read(Post({}, body))
    ]


def said(value: Any) -> list[Parsed | None]:
    return [parse(raw, body) for raw, body in raws(value)]


def test_an_issue_says_its_title_text_and_author() -> None:
    (found,) = said(payload(issue=issue(labels=["cart"], assignee=BOB)))

    assert found is not None
    assert (found.title, found.text) == ("Total is wrong", "It says **3**.")
    assert (found.account, found.assignee) == ("jira:5c5f:ann", "jira:bob")
    assert found.labels == ("priority: High", "cart")
    assert found.url == "https://shop.example/jira/browse/SHOP-7"
    assert found.created_at == "2026-01-02T03:04:05.678000-08:00"
    assert not found.closed


def test_a_description_may_be_wiki_markup_adf_or_nothing() -> None:
    texts = [said(payload(issue=issue(description=one)))[0] for one in ("h1. A", ADF, None, 3)]

    assert [one.text for one in texts if one] == ["# A", "It **fails**", "", ""]


def test_the_category_of_the_status_closes_it_whatever_the_status_is_called() -> None:
    def closed(**fields: Any) -> bool:
        (found,) = said(payload(issue=issue(**fields)))
        assert found is not None
        return found.closed

    assert closed(status={"name": "Shipped!", "statusCategory": {"key": "done"}})
    assert not closed(status={"name": "Done", "statusCategory": {"key": "new"}})
    assert closed(status={"name": "Closed"})
    assert closed(status={"name": "Old"}, resolution={"name": "Fixed"})
    assert not closed(status={"name": "Open"}, resolution=None)
    (gone,) = said(payload("jira:issue_deleted"))
    assert gone is not None
    assert gone.closed


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("Highest", Severity.CRITICAL),
        ("Blocker", Severity.CRITICAL),
        ("High", Severity.HIGH),
        ("Minor", Severity.LOW),
        ("Lowest", Severity.LOW),
        ("Medium", Severity.MEDIUM),  # By the title: nobody chose this priority.
    ],
)
def test_a_priority_that_somebody_chose_decides_the_severity(name: str, severity: Severity) -> None:
    (found,) = said(payload(issue=issue(priority={"name": name})))

    assert found is not None
    verdict, reason = severity_of(found.title, found.text, found.labels, has_trace=False)
    assert verdict is severity
    assert reason == ("title says 'wrong'" if name == "Medium" else f"label 'priority: {name}'")


def test_the_environment_is_read_as_pairs_or_as_one() -> None:
    def environment(said_there: Any, **more: Any) -> dict[str, str]:
        (found,) = said(payload(issue=issue(environment=said_there, **more)))
        assert found is not None
        return dict(found.environment)

    assert environment("* OS: Debian 12\n* Python = 3.12") == {"OS": "Debian 12", "Python": "3.12"}
    assert environment("Debian 12, Python 3.12") == {"environment": "Debian 12, Python 3.12"}
    assert environment(None, versions=[{"name": "2.0"}, {"name": "2.1"}]) == {
        "affected versions": "2.0, 2.1"
    }


def test_a_comment_is_a_comment_on_its_issue() -> None:
    whole, found = said(payload(comment=comment()))

    assert whole is not None
    assert found is not None
    assert found.comment
    assert (found.text, found.account) == ("Me **too**", "jira:5c5f:ann")


def test_deleted_comments_comments_of_nowhere_and_our_own_say_nothing() -> None:
    alone = payload("comment_created", comment=comment())
    del alone["issue"]
    ours = comment(f"*A fix is ready.*\n\n{origin_line(uuid4())}")

    assert said(payload("comment_deleted", comment=comment())) == [None]
    assert said(alone) == [None]
    assert said(payload("comment_created", comment=ours)) == [None]


def test_who_quotes_us_is_heard() -> None:
    quoting = comment(f"{{quote}}A fix is ready.\n{origin_line(uuid4())}{{quote}}\nIt is not!")
    (found,) = said(payload("comment_created", comment=quoting))

    assert found is not None
    assert found.text.endswith("It is not!")


@pytest.mark.parametrize("time", ["soon", "2026-01-02T03:04:05", None, 7, "0000-00-00T00:00:00Z"])
def test_a_time_that_is_none_is_left_out(time: Any) -> None:
    (found,) = said(payload(issue=issue(created=time)))

    assert found is not None
    assert found.created_at is None


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"issue": {"key": "A-1"}}'])
def test_what_is_no_payload_is_poison(body: bytes) -> None:
    raw = raw_github().model_copy(update={"route": "jira/issue"})

    with pytest.raises(PoisonError):
        parse(raw, body)


VALUES = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none() | st.text(max_size=3))


@given(
    fields=st.dictionaries(
        st.sampled_from(sorted(issue()["fields"])), VALUES | st.just({"name": []}) | st.just(ANN)
    ),
    body=VALUES,
)
def test_fields_of_any_kind_are_read(fields: Any, body: Any) -> None:
    whole, *_ = said(payload(issue=issue(**fields), comment=comment(body)))

    assert whole is not None
