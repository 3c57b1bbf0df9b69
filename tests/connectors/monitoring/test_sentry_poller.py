"""What is asked of Sentry means what its webhook would have said.

Against a Sentry in memory alone, not run against a real one. Its own description, of August 2026,
has the call with these parameters and fields; its licence keeps it out of this tree.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Delivery
from connectors.monitoring.sentry import DOOR
from connectors.monitoring.sentry_poller import PAGES_MAX, SentryPoller
from connectors.poll_window import end_at
from processors.channels.monitoring import sentry as sentry_text
from schemas.errors import LimitedError, TransientError
from tests.connectors.monitoring.posts import deliveries, sentry, sentry_issue

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Sentry:
    """Gives `issues`, `page` at a time, or the next of `faults`."""

    def __init__(self, *issues: Any, page: int = 100) -> None:
        self.issues = issues
        self.page = page
        self.faults: list[httpx2.Response] = []
        self.asked: list[httpx2.URL] = []

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer s"
        self.asked.append(request.url)
        if self.faults:
            return self.faults.pop(0)
        start = int(request.url.params.get("cursor", "0:0").split(":")[1])
        end = start + self.page
        more = str(end < len(self.issues)).lower()
        link = (
            f'<{request.url}>; rel="previous"; results="false"; cursor="0:0:1",'
            f' <{request.url}>; rel="next"; results="{more}"; cursor="0:{end}:0"'
        )
        return httpx2.Response(200, headers={"link": link}, json=self.issues[start:end])

    def poller(self) -> SentryPoller:
        transport = httpx2.MockTransport(self.handle)
        return SentryPoller(
            "https://sentry.example",
            "acme",
            "s",
            {"sentry/shop"}.__contains__,
            every_s=60,
            now=lambda: NOW,
            transport=transport,
        )

    def found(self, cursor: Any = None) -> list[Delivery]:
        return [one for batch in self.poller().poll(cursor) for one in batch.items]


@given(
    status=st.sampled_from(["unresolved", "resolved", "ignored"]),
    level=st.sampled_from(["fatal", "error", "warning"]),
    substatus=st.sampled_from([None, "new", "regressed", "ongoing"]),
    count=st.integers(0, 999),
)
def test_pulled_and_pushed_the_same_issue_means_the_same(count: int, **fields: Any) -> None:
    issue = sentry_issue(**fields)
    pushed = deliveries(DOOR, sentry("issue", "created", issue=issue))
    pulled = Sentry({**issue, "count": str(count), "lastSeen": "2026-11-26T11:59:00Z"}).found()

    assert [
        (one.origin, one.kind, one.entity, one.meaning, one.author, one.sender) for one in pushed
    ] == [(one.origin, one.kind, one.entity, one.meaning, one.author, one.sender) for one in pulled]
    body = json.dumps({"data": {"issue": issue}}).encode()
    assert sentry_text.parse("issue", body) == sentry_text.parse("issue", pulled[0].body or b"")


def test_the_same_state_is_the_same_find_however_often_it_was_seen() -> None:
    first, again = (Sentry(sentry_issue(count=n, lastSeen=f"{n}")).found()[0] for n in (1, 2))
    (other,) = Sentry(sentry_issue(status="resolved")).found()

    assert (first.delivery_id, first.body) == (again.delivery_id, again.body)
    assert other.delivery_id != first.delivery_id


def test_what_was_seen_since_is_asked_for_page_by_page() -> None:
    issues = [sentry_issue(id=str(number)) for number in range(5)]
    fake = Sentry(*issues, page=2)
    batches = list(fake.poller().poll(end_at(NOW - timedelta(hours=2))))

    assert [[one.origin.item for one in batch.items] for batch in batches] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
    ]
    # Whoever breaks off before the end begins anew: the oldest come last.
    assert [batch.cursor for batch in batches] == [end_at(NOW - timedelta(hours=2))] * 2 + [
        end_at(NOW)
    ]
    assert fake.asked[0].path == "/api/0/organizations/acme/issues/"
    assert dict(fake.asked[0].params) == {
        "query": "lastSeen:>=2026-11-26T09:45:00",
        "sort": "date",
        "limit": "100",
    }


def test_issues_of_other_projects_and_what_is_no_issue_are_left_alone() -> None:
    other = sentry_issue(project={"slug": "till"})

    assert Sentry(other, 3, {}, {"id": None, "project": 7}).found() == []


def test_a_refusal_names_the_settings_and_a_limit_its_time() -> None:
    fake = Sentry()
    fake.faults = [httpx2.Response(403, json={"detail": "no"})]
    with pytest.raises(TransientError, match=r"sentry\.token"):
        fake.found()
    fake.faults = [httpx2.Response(429, headers={"retry-after": "7"})]
    with pytest.raises(LimitedError, match="7 s"):
        fake.found()


def test_a_list_without_an_end_is_given_up() -> None:
    fake = Sentry(*[sentry_issue()] * (PAGES_MAX + 2), page=1)
    with pytest.raises(TransientError, match="ask more often"):
        fake.found()
