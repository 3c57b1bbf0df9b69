"""What is asked of Jira means what its webhook would have said, and comes in once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery, Post
from connectors.inbox import Inbox
from connectors.jira import DOORS
from connectors.jira_client import JiraClient
from connectors.jira_poller import JiraPoller
from connectors.poll_cursors import PollCursors
from connectors.poll_window import end_at
from processors.markup import adf_to_markdown, markdown_to_adf, markdown_to_wiki
from schemas.errors import LimitedError, PoisonError, TransientError
from streams.polling import Polling
from streams.receiving import accept, inbound_of
from tests.connectors.fakes.jira_site import ANN, ME, TOKEN, Site
from tests.connectors.jira_payloads import BOB
from tests.connectors.test_jira_client import URL, Watched
from tests.streams.monitored import bugs_of, kept

NOW = datetime(2026, 1, 3, 12, tzinfo=UTC)
TEXTS = st.sampled_from(
    ["", "It says *3*.", "line\n\n- one\n- two", "```\nfor x in y:\n    z\n```", "a_b_c {x} [y]"]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
STATUS = st.sampled_from(["To Do", "Doing", "Shipped"])
NAMED = st.sampled_from([None, {"name": "High"}, {"name": "Medium"}])


def poller(site: Site, *, now: datetime = NOW) -> JiraPoller:
    client = JiraClient(URL, token=TOKEN, transport=site.transport())
    return JiraPoller(client, ["SHOP"], every_s=60, now=lambda: now)


def found(site: Site, cursor: Any = None) -> list[Delivery]:
    return [one for batch in poller(site).poll(cursor) for one in batch.items]


def change(site: Site, key: str, **fields: Any) -> None:
    site.issues[key]["fields"] |= {"updated": "2026-01-03T11:59:00.000+0000", **fields}


def webhook(site: Site, key: str, **more: Any) -> bytes:
    """Return what Jira posts of the issue as it is now: texts in wiki markup, and a lot besides."""
    issue = json.loads(json.dumps(site.issues[key]))
    for name, value in issue["fields"].items():
        if isinstance(value, dict) and value.get("type") == "doc":
            issue["fields"][name] = markdown_to_wiki(adf_to_markdown(value)).strip()
    issue["fields"] |= {"customfield_1": "Sprint 2", "watches": {"watchCount": 3}}
    value = {"webhookEvent": "jira:issue_updated", "timestamp": 7, "user": BOB, "issue": issue}
    return json.dumps(value | more).encode()


def said(body: bytes) -> tuple[Delivery, ...]:
    read = DOORS[0].read(Post({"x-atlassian-webhook-identifier": "w-1"}, body))
    return tuple(one for one in read if isinstance(one, Delivery))


@given(
    summary=st.text(max_size=30),
    description=TEXTS,
    environment=TEXTS,
    status=STATUS,
    priority=NAMED,
    labels=st.lists(st.sampled_from("abc"), unique=True),
    assignee=st.sampled_from([None, ANN, ME]),
    names=st.lists(st.sampled_from(["1.0", "2.0"]), unique=True),
)
def test_pulled_and_pushed_the_same_state_means_the_same(
    summary: str, description: str, environment: str, status: str, names: list[str], **fields: Any
) -> None:
    site = Site()
    site.add("SHOP-1", summary, status)
    listed = {name: [{"name": one} for one in names] for name in ("versions", "components")}
    texts = {"description": description, "environment": environment}
    documents = {name: markdown_to_adf(value) for name, value in texts.items() if value}
    change(site, "SHOP-1", reporter=ANN, **documents, **listed, **fields)
    site.say("SHOP-1", markdown_to_adf(description or "Me too"))
    comment = site.comments["SHOP-1"][0]
    body = markdown_to_wiki(adf_to_markdown(comment["body"])).strip()
    pushed = said(webhook(site, "SHOP-1", comment={**comment, "body": body}))
    pulled = found(site, end_at(NOW - timedelta(days=2)))

    assert [(one.origin.key, one.kind, one.entity, one.meaning) for one in pulled] == [
        (one.origin.key, one.kind, one.entity, one.meaning) for one in pushed
    ]
    assert [one.author for one in pulled] == [one.author for one in pushed]


def test_a_find_is_read_as_the_webhook_is(tmp_path: Path) -> None:
    site = Site()
    site.add("SHOP-1", "Total is wrong")
    document = markdown_to_adf("It says **3**:\n\n```\ntotal(2)\n```")
    change(site, "SHOP-1", description=document, reporter=ANN, labels=["p1"])
    reports = []
    for name, bodies in (("pushed", None), ("pulled", found(site))):
        inbox, blobs = Inbox.open(tmp_path / f"{name}.sqlite"), MemoryBlobs()
        body = webhook(site, "SHOP-1")
        for one in said(body) if bodies is None else bodies:
            accept(inbox, blobs, inbound_of(one, route="jira", body=body))
        ((_, report),) = bugs_of(inbox, blobs)
        reports.append(report.model_copy(update={"received_at": None}))
        inbox.close()

    assert reports[0].title == "Total is wrong"
    assert reports[0] == reports[1]


def test_what_a_webhook_told_is_not_kept_again_and_what_was_lost_is(tmp_path: Path) -> None:
    site = Site()
    for number in (1, 2, 3):
        site.add(f"SHOP-{number}", f"Bug {number}")
        change(site, f"SHOP-{number}", reporter=ANN)
    site.say("SHOP-2", markdown_to_adf("Me too"))
    site.comments["SHOP-2"][0]["created"] = "2026-01-03T11:58:00.000+0000"
    inbox, blobs = Inbox.open(tmp_path / "inbox.sqlite"), MemoryBlobs()
    body = webhook(site, "SHOP-1")
    for one in said(body):
        accept(inbox, blobs, inbound_of(one, route="jira", body=body))
    asking = poller(site)
    polling = Polling([asking], inbox, blobs, PollCursors(inbox.engine))
    pauses = [polling.round(asking) for _ in range(3)]
    change(site, "SHOP-3", status=site.issues["SHOP-3"]["fields"]["status"], summary="Bug 3, again")
    polling.round(asking)

    told = [(event.origin.item, event.route) for event in kept(inbox)]
    assert pauses == [None, None, None]
    assert told[0] == ("SHOP-1", "jira/issue")
    assert sorted(told[1:]) == [
        ("SHOP-2", "jira/comment"),
        ("SHOP-2", "jira/issue"),
        ("SHOP-3", "jira/issue"),
        ("SHOP-3", "jira/issue"),
    ]
    inbox.close()


def test_only_what_changed_since_the_last_round_and_a_little_before_is_asked_for() -> None:
    site = Site()
    for number, at in ((1, "09:00"), (2, "11:25"), (3, "11:55")):
        site.add(f"SHOP-{number}", "x")
        change(site, f"SHOP-{number}", updated=f"2026-01-03T{at}:00.000+0000")
    cursor = end_at(NOW - timedelta(minutes=20))

    assert [one.origin.item for one in found(site, cursor)] == ["SHOP-2", "SHOP-3"]
    asked = json.loads(site.calls[0][2])
    assert asked["jql"] == 'project in ("SHOP") AND updated >= -40m ORDER BY updated ASC'


def test_an_old_comment_is_not_brought_again_and_an_edited_one_is() -> None:
    site = Site()
    site.add("SHOP-1", "x")
    change(site, "SHOP-1")
    for text, at in (("old", "08:00"), ("edited", "08:00"), ("new", "11:50")):
        one = site.say("SHOP-1", markdown_to_adf(text))
        one["created"] = one["updated"] = f"2026-01-03T{at}:00.000+0000"
    site.comments["SHOP-1"][1]["updated"] = "2026-01-03T11:40:00.000+0000"
    bodies = [json.loads(one.body or b"") for one in found(site, end_at(NOW))]

    assert [body["comment"]["body"] for body in bodies if "comment" in body] == ["edited", "new"]


def test_a_round_that_breaks_off_goes_on_at_the_page_where_it_was() -> None:
    site = Site(page_items=1)
    for number in (1, 2, 3):
        site.add(f"SHOP-{number}", "x")
        change(site, f"SHOP-{number}", updated=f"2026-01-03T11:{number}0:00.000+0000")
    batches = poller(site).poll(end_at(NOW - timedelta(hours=1)))
    first = next(batches)
    site.troubles = [(429, {"Retry-After": "77"}, {})]

    with pytest.raises(LimitedError) as limited:
        list(batches)
    assert limited.value.retry_after_s == 77
    assert first.cursor == end_at(datetime(2026, 1, 3, 11, 10, tzinfo=UTC))


def test_an_issue_that_went_meanwhile_breaks_nothing_and_a_refused_search_is_told() -> None:
    site = Site()
    site.add("SHOP-1", "x")
    page = {"issues": [{"key": "SHOP-9", "fields": {"summary": "x"}}], "isLast": True}
    site.troubles = [(200, {}, page)]

    assert [one.origin.item for one in found(site)] == ["SHOP-9"]
    site.troubles = [(400, {}, {"errorMessages": ["The value 'SHOP' does not exist."]})]
    with pytest.raises(PoisonError, match="does not exist"):
        found(site)


def test_a_search_without_an_end_is_given_up() -> None:
    site = Site()
    site.troubles = [(200, {}, {"issues": [], "nextPageToken": str(n)}) for n in range(500)]

    with pytest.raises(TransientError, match="ask more often"):
        found(site)


def test_every_call_is_one_that_is_described_but_for_the_number_of_the_version() -> None:
    """Version 2 has the same calls; the trimmed description has version 3 alone."""

    class Renamed(Watched):
        def handle_request(self, request: Any) -> Any:
            request.url = request.url.copy_with(
                raw_path=request.url.raw_path.replace(b"/api/2/", b"/api/3/")
            )
            return super().handle_request(request)

    site = Site()
    site.add("SHOP-1", "x")
    change(site, "SHOP-1")
    site.say("SHOP-1", markdown_to_adf("y"))
    client = JiraClient(URL, token=TOKEN, transport=Renamed(site))
    (batch,) = JiraPoller(client, ["SHOP"], every_s=60, now=lambda: NOW).poll(None)

    assert len(batch.items) == 1
    assert {target.split("?")[0] for _, target, _ in site.calls} == {
        "/rest/api/3/search/jql",
        "/rest/api/3/issue/SHOP-1/comment",
    }
