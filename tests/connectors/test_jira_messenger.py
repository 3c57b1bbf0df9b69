"""An answer stands under its issue, once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from connectors.jira_client import JiraClient
from connectors.jira_messenger import JiraMessenger, JiraTracker
from processors.markup import adf_to_markdown, markdown_to_adf
from schemas.errors import TransientError
from schemas.raw import Origin, is_ours
from tests.connectors.fakes.jira_site import TOKEN, Site
from tests.connectors.test_jira_client import URL, Watched

ORIGIN = Origin(channel="jira", container="SHOP", item="SHOP-1")


@pytest.fixture
def site() -> Site:
    site = Site()
    site.add("SHOP-1", "Bug")
    return site


def messenger(site: Site) -> JiraMessenger:
    return JiraMessenger(JiraClient(URL, token=TOKEN, transport=Watched(site)), markdown_to_adf)


def test_an_answer_is_posted_once_and_known_when_it_comes_back(site: Site) -> None:
    key = uuid4()

    assert messenger(site).find(ORIGIN, key) is None
    receipt = messenger(site).post(ORIGIN, "**Fixed** in `main`.", key)
    assert messenger(site).post(ORIGIN, "**Fixed** in `main`.", key) == receipt
    assert messenger(site).find(ORIGIN, key) == receipt
    (comment,) = site.comments["SHOP-1"]
    said = adf_to_markdown(comment["body"])
    assert said.startswith("**Fixed** in `main`.")
    assert is_ours(said, key)


def test_an_answer_whose_receipt_was_lost_is_not_posted_again(site: Site) -> None:
    key = uuid4()
    posted = messenger(site).post(ORIGIN, "Fixed.", key)
    site.troubles = [(500, {}, {})]
    with pytest.raises(TransientError):
        messenger(site).post(ORIGIN, "Fixed.", key)

    assert messenger(site).post(ORIGIN, "Fixed.", key) == posted
    assert len(site.comments["SHOP-1"]) == 1


def test_a_long_answer_is_cut_and_keeps_its_marker(site: Site) -> None:
    key = uuid4()
    messenger(site).post(ORIGIN, "```\n" + "x" * 100_000, key)

    assert is_ours(adf_to_markdown(site.comments["SHOP-1"][0]["body"]), key)
    assert messenger(site).find(ORIGIN, key) is not None


def test_an_outcome_moves_the_issue_as_the_settings_say_and_once(site: Site) -> None:
    client = JiraClient(URL, token=TOKEN, transport=Watched(site))
    tracker = JiraTracker(client, {"fixed": "done"})

    assert tracker.mark(ORIGIN, "could_not") is None
    assert client.category("SHOP-1") != "done"
    assert tracker.mark(ORIGIN, "fixed") == "done"
    assert client.category("SHOP-1") == "done"
    assert tracker.mark(ORIGIN, "fixed") == "done"
