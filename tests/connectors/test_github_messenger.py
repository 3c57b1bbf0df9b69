"""A comment is posted once, marked, harmless and whole; a label shows the outcome and no more."""

from __future__ import annotations

import json
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx2
import pytest

from connectors import github_messenger
from connectors.github_client import GitHubClient
from connectors.github_http import GitHubHttp
from connectors.github_messenger import (
    BODY_CHARS_MAX,
    LABEL_COLOUR,
    GitHubMessenger,
    GitHubTracker,
    marked,
)
from connectors.github_sign_in import App, Token
from processors import notify
from processors.quoting import quiet
from schemas.accounts.github import LABELS
from schemas.bugs import NotifyRequested
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.raw import Origin, is_ours, origin_line
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_site import BOT, TOKEN, RefusedError, Site
from tests.processors.test_notify import requested

ORIGIN = Origin(channel="github", container="acme/shop", item="1")
KEY = UUID(int=7)
Reply = tuple[int, dict[str, str], Any]


@pytest.fixture
def site() -> Site:
    site = Site(page_items=2)
    site.add_repo("acme/shop")
    site.add_issue("acme/shop", "The total is wrong")
    return site


def client_of(site: Site, token: str = TOKEN) -> GitHubClient:
    return GitHubClient(GitHubHttp(site.base_url, transport=site.transport()), Token(token))


@pytest.fixture
def messenger(site: Site) -> GitHubMessenger:
    return GitHubMessenger(client_of(site), quiet)


def bodies(site: Site) -> list[str]:
    return [one["body"] for one in site.repos["acme/shop"].comments[1]]


# --- comments ---


def test_a_comment_is_posted_once_and_found_among_others(
    site: Site, messenger: GitHubMessenger
) -> None:
    for number in range(4):
        site.say("acme/shop", 1, f"comment {number}")
    assert messenger.find(ORIGIN, KEY) is None

    receipt = messenger.post(ORIGIN, "**Fixed.**\n", KEY)
    site.say("acme/shop", 1, "thanks")

    assert messenger.find(ORIGIN, KEY) == receipt
    assert messenger.post(ORIGIN, "**Fixed.** In other words.", KEY) == receipt
    assert bodies(site)[4] == f"**Fixed.**\n\n<!-- bugstream-origin:{KEY} -->"
    assert len(bodies(site)) == 6
    assert is_ours(bodies(site)[4], KEY)
    assert messenger.find(ORIGIN, uuid4()) is None


def test_a_line_that_somebody_copied_is_not_ours(site: Site, messenger: GitHubMessenger) -> None:
    site.say("acme/shop", 1, f"me too\n<!-- {origin_line(KEY)} -->", by="mallory")
    receipt = messenger.post(ORIGIN, "Fixed.", KEY)

    assert len(bodies(site)) == 2
    assert messenger.find(ORIGIN, KEY) == receipt


def test_a_person_who_quotes_us_is_a_person(site: Site, messenger: GitHubMessenger) -> None:
    site.say("acme/shop", 1, f"> <!-- {origin_line(KEY)} -->\n\nIt still fails.", by=BOT)

    assert messenger.find(ORIGIN, KEY) is None


def test_a_token_that_may_not_ask_who_it_is_still_finds_its_comment(site: Site) -> None:
    site.tokens["ghs_workflow"] = "github-actions[bot]"
    site.say("acme/shop", 1, f"me too\n<!-- {origin_line(KEY)} -->", by="mallory")
    messenger = GitHubMessenger(client_of(site, "ghs_workflow"), quiet)
    receipt = messenger.post(ORIGIN, "Fixed.", KEY)

    assert messenger.post(ORIGIN, "Fixed.", KEY) == receipt
    assert len(bodies(site)) == 2


def test_an_app_knows_its_own_comments(site: Site) -> None:
    site.app_key, site.installations = public_key(), {"acme/shop": 7}
    http = GitHubHttp(site.base_url, transport=site.transport())
    client = GitHubClient(http, App(http, app_id="123", private_key=pem()))
    site.say("acme/shop", 1, f"<!-- {origin_line(KEY)} -->", by="bugstream")
    messenger = GitHubMessenger(client, quiet)
    receipt = messenger.post(ORIGIN, "Fixed.", KEY)

    assert messenger.find(ORIGIN, KEY) == receipt
    assert site.repos["acme/shop"].comments[1][1]["user"]["login"] == "bugstream[bot]"


class Lost(httpx2.BaseTransport):
    """The comment gets there, its answer does not get back."""

    def __init__(self, site: Site) -> None:
        self._inner = site.transport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._inner.handle_request(request)
        if request.method == "POST":
            raise httpx2.ReadTimeout("lost")
        return response


def test_a_comment_whose_answer_was_lost_is_not_posted_again(
    site: Site, messenger: GitHubMessenger
) -> None:
    client = GitHubClient(GitHubHttp(site.base_url, transport=Lost(site)), Token(TOKEN))
    with pytest.raises(TransientError):
        GitHubMessenger(client, quiet).post(ORIGIN, "Fixed.", KEY)

    assert messenger.post(ORIGIN, "Fixed.", KEY) == messenger.find(ORIGIN, KEY)
    assert len(bodies(site)) == 1


@pytest.mark.parametrize("length", [10, BODY_CHARS_MAX - 1, BODY_CHARS_MAX, 500_000])
def test_a_long_text_is_cut_and_its_marker_never(
    site: Site, messenger: GitHubMessenger, length: int
) -> None:
    messenger.post(ORIGIN, "é" * length, KEY)

    assert len(bodies(site)[0]) == min(BODY_CHARS_MAX, length + len(marked("", KEY)))
    assert is_ours(bodies(site)[0], KEY)
    assert ("…" in bodies(site)[0]) == (length > 100)


def test_a_locked_issue_and_a_lost_one_are_said_in_words(
    site: Site, messenger: GitHubMessenger
) -> None:
    site.repos["acme/shop"].issues[1]["locked"] = True
    with pytest.raises(PoisonError, match="issue is locked"):
        messenger.post(ORIGIN, "Fixed.", KEY)
    site.repos["acme/shop"].gone.add(1)
    with pytest.raises(PoisonError, match="gone"):
        messenger.post(ORIGIN, "Fixed.", KEY)
    with pytest.raises(PoisonError, match="no such thing"):
        messenger.post(ORIGIN.model_copy(update={"item": "99"}), "Fixed.", KEY)
    with pytest.raises(PoisonError, match="no number"):
        messenger.post(ORIGIN.model_copy(update={"item": "delivery/1"}), "Fixed.", KEY)


def test_a_limit_is_passed_on(site: Site, messenger: GitHubMessenger) -> None:
    said = "You have exceeded a secondary rate limit and have been temporarily blocked"
    answer = RefusedError(403, said).answer
    site.troubles = [(answer[0], {"Retry-After": "30"}, answer[2])]
    with pytest.raises(LimitedError) as caught:
        messenger.find(ORIGIN, KEY)

    assert caught.value.retry_after_s == 30


HOSTILE = "thanks @ann and @acme/team, fixes #12, closes acme/other#3, resolves GH-4, Fixes: #5"


def test_nobody_is_mentioned_and_nothing_is_closed(site: Site, messenger: GitHubMessenger) -> None:
    messenger.post(ORIGIN, HOSTILE, KEY)
    (body,) = bodies(site)

    for acts in ("@a", "#1", "#3", "GH-4", "#5"):
        assert acts not in body
    assert body.replace("\u200b", "").startswith(HOSTILE)


@pytest.mark.parametrize("outcome", get_args(NotifyRequested.model_fields["outcome"].annotation))
def test_our_own_comment_survives_whole(
    site: Site, messenger: GitHubMessenger, outcome: str
) -> None:
    text = notify.comment(requested(outcome=outcome))
    messenger.post(ORIGIN, text, KEY)

    assert bodies(site) == [f"{text.rstrip()}\n\n<!-- {origin_line(KEY)} -->"]


# --- labels ---


@pytest.fixture
def tracker(site: Site) -> GitHubTracker:
    return GitHubTracker(client_of(site), LABELS, prefix="bugstream:")


def labels(site: Site) -> list[str]:
    return [one["name"] for one in site.repos["acme/shop"].issues[1]["labels"]]


def wrote(site: Site) -> list[str]:
    return [method for method, _, _ in site.calls if method != "GET"]


def label(site: Site, *names: str) -> None:
    body = json.dumps({"labels": names}).encode()
    headers = {"authorization": "Bearer ghp_ann"}
    site.handle("POST", "/api/v3/repos/acme/shop/issues/1/labels", headers, body)
    site.calls.clear()


def test_an_outcome_is_shown_and_the_one_before_is_not(site: Site, tracker: GitHubTracker) -> None:
    label(site, "bug", "fixed", "help wanted")

    assert tracker.mark(ORIGIN, "could_not") == "bugstream:could-not-fix"
    assert labels(site) == ["bug", "fixed", "help wanted", "bugstream:could-not-fix"]
    assert tracker.mark(ORIGIN, "fixed") == "bugstream:fix-ready"
    assert labels(site) == ["bug", "fixed", "help wanted", "bugstream:fix-ready"]


def test_marking_again_writes_nothing(site: Site, tracker: GitHubTracker) -> None:
    tracker.mark(ORIGIN, "fixed")
    site.calls.clear()

    assert tracker.mark(ORIGIN, "fixed") == "bugstream:fix-ready"
    assert wrote(site) == []


def test_the_label_is_made_once_with_its_colour(site: Site, tracker: GitHubTracker) -> None:
    tracker.mark(ORIGIN, "fixed")
    site.add_issue("acme/shop", "Another")
    tracker.mark(ORIGIN.model_copy(update={"item": "2"}), "fixed")

    assert site.repos["acme/shop"].labels["bugstream:fix-ready"]["color"] == LABEL_COLOUR
    assert wrote(site) == ["POST", "POST", "POST"]


def test_a_label_that_is_there_keeps_its_colour(site: Site, tracker: GitHubTracker) -> None:
    label(site, "Bugstream:Fix-Ready")

    assert tracker.mark(ORIGIN, "fixed") == "bugstream:fix-ready"
    assert wrote(site) == []
    assert labels(site) == ["Bugstream:Fix-Ready"]


def test_an_older_label_of_ours_is_taken_away_by_its_beginning(
    site: Site, tracker: GitHubTracker
) -> None:
    label(site, "bugstream:some old/name")
    tracker.mark(ORIGIN, "fixed")

    assert labels(site) == ["bugstream:fix-ready"]


def test_without_a_beginning_only_the_labels_that_are_set_are_ours(site: Site) -> None:
    label(site, "bugstream:other", "no")
    tracker = GitHubTracker(client_of(site), {"fixed": "yes", "could_not": "no"})
    tracker.mark(ORIGIN, "fixed")

    assert labels(site) == ["bugstream:other", "yes"]


def test_an_outcome_without_a_label_asks_nothing(site: Site, tracker: GitHubTracker) -> None:
    assert tracker.mark(ORIGIN, "received") is None
    assert site.calls == []


class Racing(httpx2.BaseTransport):
    """Somebody else makes the label, and takes one away, between our question and our step."""

    def __init__(self, site: Site) -> None:
        self._site, self._inner = site, site.transport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        issue = self._site.repos["acme/shop"].issues[1]
        if request.method == "POST" and not request.url.path.endswith("/1/labels"):
            label(self._site, "bugstream:fix-ready")
        if request.method == "DELETE":
            issue["labels"] = [one for one in issue["labels"] if "stopped" not in one["name"]]
        return self._inner.handle_request(request)


def test_somebody_who_is_faster_is_no_trouble(site: Site) -> None:
    label(site, "bugstream:stopped")
    client = GitHubClient(GitHubHttp(site.base_url, transport=Racing(site)), Token(TOKEN))
    GitHubTracker(client, LABELS).mark(ORIGIN, "fixed")

    assert labels(site) == ["bugstream:fix-ready"]


def test_other_refusals_are_passed_on(site: Site, tracker: GitHubTracker) -> None:
    site.troubles = [(200, {}, []), RefusedError(403, "Resource not accessible").answer]
    with pytest.raises(PoisonError, match="does not let our account"):
        tracker.mark(ORIGIN, "fixed")
    site.troubles = [
        (200, {}, []),
        RefusedError(404, "Not Found").answer,
        RefusedError(403, "No").answer,
    ]
    with pytest.raises(PoisonError, match="No"):
        tracker.mark(ORIGIN, "fixed")
    label(site, "bugstream:stopped", "bugstream:fix-ready")
    site.troubles = [
        (200, {}, site.repos["acme/shop"].issues[1]["labels"]),
        RefusedError(403, "Never").answer,
    ]
    with pytest.raises(PoisonError, match="Never"):
        tracker.mark(ORIGIN, "fixed")


def test_which_labels_are_known_is_forgotten_before_it_is_too_much(
    site: Site, tracker: GitHubTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_messenger, "KNOWN_LABELS_MAX", 1)
    tracker.mark(ORIGIN, "fixed")
    tracker.mark(ORIGIN, "could_not")

    assert tracker._known == {("acme/shop", "bugstream:could-not-fix")}
