"""What did not get through is asked for again, within limits; the rest is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.github_client import GitHubClient
from connectors.github_http import GitHubHttp
from connectors.github_redeliveries import (
    BACK_DAYS_MAX,
    SETTLE_S,
    TRIES_MAX,
    GitHubRedeliveries,
)
from connectors.github_sign_in import App, SignIn, Token
from schemas.errors import LimitedError, UserError
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_site import TOKEN, Site

OURS = "http://127.0.0.1:9/webhooks/github"
"""Nobody listens there."""


@pytest.fixture
def site() -> Site:
    site = Site()
    repo = site.add_repo("acme/shop")
    site.hooks.add(site, repo, OURS, "s", "*")
    return site


def poller(
    site: Site, repository: str | None = "acme/shop", sign_in: SignIn | None = None
) -> GitHubRedeliveries:
    http = GitHubHttp(site.base_url, transport=site.transport())
    client = GitHubClient(http, sign_in or Token(TOKEN))
    return GitHubRedeliveries(client, repository, url=f"{OURS}/", now=lambda: site.now)


def ask(poller: GitHubRedeliveries, site: Site, *, after_s: int = 2 * SETTLE_S) -> int:
    site.now += timedelta(seconds=after_s)
    [batch] = poller.poll(None)
    assert batch.items == ()
    asked: int = batch.cursor["asked_for"]
    return asked


def tries(site: Site) -> list[str]:
    return [one.item["guid"] for one in site.hooks.deliveries]


def test_what_could_not_connect_is_asked_for_again_and_again_but_not_for_ever(site: Site) -> None:
    site.add_issue("acme/shop", "Total is wrong")
    asking = poller(site)

    assert site.hooks.deliveries[0].item["status_code"] == 0
    assert [ask(asking, site) for _ in range(TRIES_MAX + 2)] == [1] * (TRIES_MAX - 1) + [0] * 3
    assert len(set(tries(site))) == 1
    assert len(tries(site)) == TRIES_MAX


def test_what_got_through_at_any_try_is_left_alone(site: Site) -> None:
    site.add_issue("acme/shop", "Total is wrong")
    asking = poller(site)
    ask(asking, site)
    site.hooks.deliveries[-1].item["status_code"] = 202

    assert ask(asking, site) == 0
    site.hooks.deliveries[-1].item["status_code"] = 503
    assert ask(asking, site) == 1


def test_the_oldest_is_asked_for_first(site: Site) -> None:
    for title in ("One", "Two", "Three"):
        site.add_issue("acme/shop", title)
    site.page_items = 2

    assert ask(poller(site), site) == 3
    assert tries(site)[:3] == tries(site)[3:]


@pytest.mark.parametrize(
    "change",
    [
        {"event": "push"},
        {"delivered_at": "2025-12-30T00:00:00Z"},
        {"status_code": 202},
    ],
)
def test_what_is_of_no_interest_or_too_old_is_left_alone(
    site: Site, change: dict[str, Any]
) -> None:
    assert site.now.year == 2026
    site.add_issue("acme/shop", "Total is wrong")
    site.hooks.deliveries[0].item |= change
    site.now += timedelta(days=BACK_DAYS_MAX - 1)

    assert ask(poller(site), site) == 0


def test_a_try_that_may_be_under_way_is_waited_for(site: Site) -> None:
    site.add_issue("acme/shop", "Total is wrong")

    assert ask(poller(site), site, after_s=SETTLE_S - 10) == 0
    assert ask(poller(site), site, after_s=20) == 1


def test_hooks_that_lead_elsewhere_are_left_alone(site: Site) -> None:
    for hook in site.hooks.hooks.values():
        hook["config"] = {**hook["config"], "url": "https://elsewhere.example/webhooks/github"}
    site.add_issue("acme/shop", "Total is wrong")
    site.hooks.deliveries[0].item["status_code"] = 500

    assert ask(poller(site), site) == 0


def test_one_that_github_refuses_to_send_again_keeps_no_other_waiting(site: Site) -> None:
    site.add_issue("acme/shop", "One")
    site.add_issue("acme/shop", "Two")
    hooks, deliveries = poller(site), site.hooks.deliveries
    ask_for = site.hooks.answer

    def refuse_the_first(*call: Any) -> Any:
        if call[2] == "POST" and str(deliveries[0].item["id"]) in call[3]:
            return 422, {}, {"message": "too old"}
        return ask_for(*call)

    site.hooks.answer = refuse_the_first  # type: ignore[method-assign]

    assert ask(hooks, site) == 1
    assert tries(site)[1] == tries(site)[2]


@pytest.mark.parametrize("status", [403, 404])
def test_missing_rights_are_named_with_the_permission(site: Site, status: int) -> None:
    site.troubles.append((status, {}, {"message": "Resource not accessible"}))
    with pytest.raises(UserError, match=r"acme/shop.*Webhooks: read and write.*webhook_url"):
        ask(poller(site), site)


def test_a_limit_is_no_missing_right(site: Site) -> None:
    site.troubles.append((403, {"Retry-After": "30"}, {"message": "secondary rate limit"}))
    with pytest.raises(LimitedError):
        ask(poller(site), site)


def test_the_webhook_of_an_app_is_looked_after_as_well(site: Site) -> None:
    site.app_key = public_key()
    site.hooks.hooks.clear()
    site.hooks.repo_of.clear()
    site.hooks.add(site, None, OURS, "s", "*")
    site.add_issue("acme/shop", "Total is wrong")
    http = GitHubHttp(site.base_url, transport=site.transport())
    app = App(http, app_id=site.app_id, private_key=pem())

    assert ask(poller(site, None, app), site) == 1
    assert poller(site, None, app).name == "github/app/redeliveries"
