"""What GitHub's webhooks lost is found, and looks as the webhook would have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from connectors.channel import Delivery
from connectors.github import Event, read
from connectors.github_client import GitHubClient, Page
from connectors.github_http import GitHubHttp
from connectors.github_poller import OVERLAP_S, PAGES_PER_ROUND_MAX, GitHubPoller
from connectors.github_sign_in import Token
from connectors.poller import Cursor
from schemas.errors import LimitedError, PoisonError
from tests.connectors.fakes.github_hooks import Hooks
from tests.connectors.fakes.github_site import TOKEN, Repo, Site


class Wire(Hooks):
    """What webhooks would bring, in the order in which it happened."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[Event, str, bytes]] = []

    def tell(self, site: Site, repo: Repo, event: str, payload: dict[str, Any]) -> None:
        if event in ("issues", "issue_comment"):
            self.sent.append((event, str(uuid4()), json.dumps(payload).encode()))  # type: ignore[arg-type]


@pytest.fixture
def site() -> Site:
    site = Site(hooks=Wire())
    site.add_repo("Acme/shop")
    return site


def poller(site: Site, repository: str = "acme/shop", **more: Any) -> GitHubPoller:
    client = GitHubClient(GitHubHttp(site.base_url, transport=site.transport()), Token(TOKEN))
    known: dict[str, Any] = {"every_s": 1.0, "backfill_days": 1, "now": lambda: site.now}
    return GitHubPoller(client, repository, **{**known, **more})


def found(poller: GitHubPoller, cursor: Cursor | None = None) -> tuple[list[Delivery], Cursor]:
    items: list[Delivery] = []
    for batch in poller.poll(cursor):
        items += batch.items
        cursor = batch.cursor
    assert cursor is not None
    return items, cursor


def said(deliveries: list[Delivery]) -> list[tuple[str, str]]:
    return [(one.entity, one.meaning) for one in deliveries]


def pushed(site: Site) -> list[Delivery]:
    assert isinstance(site.hooks, Wire)
    return [read(event, body, delivery_id=guid) for event, guid, body in site.hooks.sent]


def test_what_is_found_has_the_entity_and_the_meaning_of_the_webhook(site: Site) -> None:
    number = site.add_issue("acme/shop", "Total is wrong", "1 + 1 = 3")
    site.say("acme/shop", number, "Me too")
    site.add_issue("acme/shop", "Another", "Fails")
    items, _ = found(poller(site))

    assert sorted(said(items)) == sorted(said(pushed(site)))
    assert {one.origin.container for one in items} == {"Acme/shop"}
    assert {one.kind for one in items} == {"issues", "issue_comment"}
    assert all(one.body and one.delivery_id.startswith("poll/") for one in items)


def test_the_same_content_is_the_same_delivery_and_other_content_another(site: Site) -> None:
    number = site.add_issue("acme/shop", "Total is wrong")
    first, cursor = found(poller(site))
    site.repos["acme/shop"].issues[number]["comments"] = 3
    again, _ = found(poller(site), cursor)
    site.repos["acme/shop"].issues[number] |= {"title": "Wrong", "updated_at": site.tick()}
    edited, _ = found(poller(site), cursor)

    assert [(one.delivery_id, one.body) for one in again] == [
        (one.delivery_id, one.body) for one in first
    ]
    assert edited[0].delivery_id != first[0].delivery_id
    assert edited[0].entity == first[0].entity


def test_pull_requests_and_what_is_said_there_are_left_out(site: Site) -> None:
    number = site.add_issue("acme/shop", "A pull request")
    site.repos["acme/shop"].issues[number] |= {
        "pull_request": {"url": None, "html_url": None, "diff_url": None, "patch_url": None},
        "html_url": f"https://github.example/Acme/shop/pull/{number}",
    }
    site.say("acme/shop", number, "LGTM")

    assert found(poller(site))[0] == []


def test_the_first_round_looks_back_some_days_and_the_next_where_it_ended(site: Site) -> None:
    site.add_issue("acme/shop", "Long ago")
    site.now += timedelta(days=3)
    site.add_issue("acme/shop", "Today")
    items, cursor = found(poller(site))
    site.now += timedelta(days=30)
    site.add_issue("acme/shop", "After a month")
    later, _ = found(poller(site), cursor)

    assert [one.origin.item for one in items] == ["2"]
    assert [one.origin.item for one in later] == ["2", "3"]
    site.now += timedelta(seconds=OVERLAP_S)
    assert [one.origin.item for one in found(poller(site, backfill_days=60))[0]] == ["1", "2", "3"]


def test_what_a_list_shows_late_is_found_all_the_same(site: Site) -> None:
    early = f"{site.now:%Y-%m-%dT%H:%M:%SZ}"
    site.now += timedelta(seconds=OVERLAP_S - 1)
    site.add_issue("acme/shop", "Shown at once")
    asking = poller(site)
    _, cursor = found(asking)
    late = site.add_issue("acme/shop", "Shown late")
    site.repos["acme/shop"].issues[late] |= {"created_at": early, "updated_at": early}

    assert {one.origin.item for one in found(asking, cursor)[0]} == {"1", "2"}


def test_what_was_over_before_we_came_is_not_brought_in(site: Site) -> None:
    before, then = f"{site.now:%Y-%m-%dT%H:%M:%SZ}", site.now
    site.now += timedelta(days=5)
    for title in ("Closed long ago", "Closed today"):
        site.add_issue("acme/shop", title)
    issues = site.repos["acme/shop"].issues
    issues[1] |= {"state": "closed", "closed_at": before}
    issues[2] |= {"state": "closed", "closed_at": f"{site.now:%Y-%m-%dT%H:%M:%SZ}"}
    items, cursor = found(poller(site))
    site.say("acme/shop", 1, "It is back")
    later, _ = found(poller(site, now=lambda: then), cursor)

    assert [one.origin.item for one in items] == ["2"]
    assert [(one.kind, one.origin.item) for one in later] == [
        ("issues", "2"),
        ("issue_comment", "1"),
    ]
    issues[1] |= {"state": "open", "closed_at": None}
    assert {one.origin.item for one in found(poller(site), cursor)[0]} == {"1", "2"}


def test_where_the_first_round_began_stands_although_it_fails(site: Site) -> None:
    site.add_issue("acme/shop", "Total is wrong")
    site.troubles.append((429, {"Retry-After": "7"}, {"message": "slow down"}))
    round_ = poller(site).poll(None)
    cursor = next(round_).cursor
    with pytest.raises(LimitedError):
        next(round_)
    site.now += timedelta(days=9)

    assert [one.origin.item for one in found(poller(site), cursor)[0]] == ["1"]


def test_nothing_is_passed_over_while_the_list_moves(site: Site) -> None:
    """What is edited goes to the end, and the rest moves up, past whoever turns the page."""
    site.page_items = 2
    for number in range(1, 8):
        site.add_issue("acme/shop", f"Issue {number}")
    seen: set[str] = set()
    for turn, batch in enumerate(poller(site).poll(None)):
        seen |= {one.entity for one in batch.items}
        if turn in (1, 2, 3):
            site.repos["acme/shop"].issues[turn] |= {"title": "New", "updated_at": site.tick()}

    assert len(seen) == 7


def test_many_items_of_one_second_are_all_found(site: Site) -> None:
    site.page_items = 2
    for number in range(1, 8):
        site.add_issue("acme/shop", f"Issue {number}")
    for issue in site.repos["acme/shop"].issues.values():
        issue["updated_at"] = f"{site.now:%Y-%m-%dT%H:%M:%SZ}"

    assert len({one.entity for one in found(poller(site))[0]}) == 7


def test_a_round_that_is_too_long_goes_on_in_the_next(site: Site) -> None:
    site.page_items = 2
    for number in range(PAGES_PER_ROUND_MAX + 20):
        site.add_issue("acme/shop", f"Issue {number}")
    asking = poller(site)
    items, cursor = found(asking)
    more, _ = found(asking, cursor)

    assert len({one.entity for one in items}) < PAGES_PER_ROUND_MAX + 20
    assert len({one.entity for one in (*items, *more)}) == PAGES_PER_ROUND_MAX + 20


def test_a_batch_that_was_not_kept_is_found_again(site: Site) -> None:
    site.add_issue("acme/shop", "Total is wrong")
    asking = poller(site)
    cursor = next(asking.poll(None)).cursor
    broken = asking.poll(cursor)
    assert len(next(broken).items) == 1
    del broken  # The inbox could not take it.

    assert len(found(asking, cursor)[0]) == len(found(asking, cursor)[0]) == 1


def test_a_repository_that_may_not_be_seen_is_named(site: Site) -> None:
    with pytest.raises(PoisonError, match="404"):
        found(poller(site, "acme/none"))
    with pytest.raises(PoisonError, match="no repository"):
        found(poller(site, "acme"))


def test_a_closed_poller_asks_no_further(site: Site) -> None:
    site.page_items = 1
    for number in range(3):
        site.add_issue("acme/shop", f"Issue {number}")
    asking = poller(site)
    batches: Iterator[Any] = asking.poll(None)
    next(batches)
    next(batches)
    asking.close()

    assert list(batches) == []


def test_a_time_to_come_is_no_reason_to_skip_what_is_until_then(site: Site) -> None:
    site.add_issue("acme/shop", "from the future", "")
    ahead = site.now + timedelta(days=3_650)
    future = poller(site)
    page = future._page

    def dated(*asked: Any) -> Page:
        found = page(*asked)
        return replace(
            found, items=tuple({**one, "updated_at": f"{ahead:%FT%TZ}"} for one in found.items)
        )

    future._page = dated  # type: ignore[method-assign, assignment]
    _, cursor = found(future)
    site.add_issue("acme/shop", "later", "")

    assert [one.origin.item for one in found(poller(site), cursor)[0]] == ["1", "2"]


@pytest.mark.parametrize("kept", ["0001-01-01T00:00:00+00:00", "x", 3, None])
def test_a_cursor_that_cannot_be_is_none(site: Site, kept: object) -> None:
    site.add_issue("acme/shop", "x", "")
    cursor = dict.fromkeys(("began", "issues", "issue_comment"), kept)

    assert [one.origin.item for one in found(poller(site), cursor)[0]] == ["1"]
