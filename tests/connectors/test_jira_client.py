"""Every call is one that Atlassian describes, and every answer is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from connectors.jira_client import PAGES_MAX, JiraClient, updated_within
from processors.markup import markdown_to_adf
from schemas.errors import LimitedError, PoisonError, TransientError, UserError
from schemas.raw import origin_line
from tests.connectors.fakes.jira_site import EMAIL, ME, TOKEN, Site

SPEC = Path(__file__).parent.parent / "specs" / "jira.openapi.json"
URL = "https://shop.atlassian.example"


@cache
def described() -> OpenAPI:
    value = json.loads(SPEC.read_text(encoding="utf-8"))
    value["servers"] = [{"url": URL}]
    for calls in value["paths"].values():
        for call in calls.values():
            call.pop("security", None)  # Held by the fake; openapi-core knows no OAuth.
    return OpenAPI.from_dict(value)


class Watched(httpx2.BaseTransport):
    """Holds every request, and every answer of the fake, against the description."""

    def __init__(self, site: Site) -> None:
        self._inner = site.transport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        parts = urlsplit(str(request.url))
        asked = MockRequest(
            URL,
            request.method.lower(),
            parts.path,
            args=dict(parse_qsl(parts.query)),
            data=request.read() or None,
            content_type="application/json",
        )
        described().validate_request(asked)
        response = self._inner.handle_request(request)
        given = MockResponse(response.read(), response.status_code, content_type="application/json")
        # The description promises content with 204 as well, where HTTP has none.
        if response.status_code < 300 and response.status_code != 204:
            described().validate_response(asked, given)
        return response


@pytest.fixture
def site() -> Site:
    site = Site()
    for number in range(1, 6):
        site.add(f"SHOP-{number}", f"Bug {number}")
    return site


@pytest.fixture
def client(site: Site) -> Iterator[JiraClient]:
    with JiraClient(URL, email=EMAIL, token=TOKEN, transport=Watched(site)) as client:
        yield client


def test_a_search_goes_on_to_its_last_page_and_names_its_fields(
    client: JiraClient, site: Site
) -> None:
    found = list(client.search(updated_within(["SHOP"], minutes=90)))

    assert [one["key"] for one in found] == [f"SHOP-{number}" for number in range(1, 6)]
    assert found[0]["fields"]["summary"] == "Bug 1"
    assert len(site.calls) == 3
    asked = json.loads(site.calls[0][2])
    assert asked["jql"] == 'project in ("SHOP") AND updated >= -90m ORDER BY updated ASC'


def test_a_search_that_does_not_end_is_given_up(site: Site) -> None:
    pages = [{"issues": [], "nextPageToken": str(n)} for n in range(PAGES_MAX)]
    site.troubles = [(200, {}, page) for page in pages]
    client = JiraClient(URL, token=TOKEN, transport=site.transport())
    with client, pytest.raises(TransientError, match="pages"):
        list(client.search("project = SHOP"))


def test_a_page_that_leads_to_itself_is_the_last(site: Site) -> None:
    site.troubles = [(200, {}, {"issues": [], "nextPageToken": "a"})] * 2
    with JiraClient(URL, token=TOKEN, transport=site.transport()) as client:
        assert list(client.search("project = SHOP")) == []


def test_an_issue_is_read_with_the_fields_that_were_asked_for(client: JiraClient) -> None:
    assert client.issue("SHOP-1", fields=("summary",))["fields"] == {"summary": "Bug 1"}


def test_a_comment_is_posted_and_found_again(client: JiraClient, site: Site) -> None:
    key = uuid4()
    for number in range(5):
        site.say("SHOP-1", markdown_to_adf(f"comment {number}"))

    assert client.find_comment("SHOP-1", key) is None
    posted = client.add_comment("SHOP-1", markdown_to_adf(f"**Fixed.**\n\n{origin_line(key)}"))
    site.say("SHOP-1", markdown_to_adf("thanks"))

    assert client.find_comment("SHOP-1", key) == posted
    assert client.find_comment("SHOP-1", uuid4()) is None
    assert len(list(client.comments("SHOP-1"))) == 7


def test_a_line_that_somebody_copied_is_not_ours(client: JiraClient, site: Site) -> None:
    key = uuid4()
    site.say("SHOP-1", markdown_to_adf(origin_line(key)))

    assert client.find_comment("SHOP-1", key) is None
    site.say("SHOP-1", markdown_to_adf(origin_line(key)), ME)
    assert client.find_comment("SHOP-1", key) is not None


def test_the_fake_refuses_what_jira_refuses(client: JiraClient) -> None:
    with pytest.raises(PoisonError, match="INVALID_INPUT"):
        client.add_comment("SHOP-1", {"type": "doc", "version": 1, "content": [{"type": "text"}]})


def test_an_issue_is_moved_by_the_category_of_the_status(client: JiraClient, site: Site) -> None:
    assert client.move("SHOP-1", "done") == "moved"
    assert site.issues["SHOP-1"]["fields"]["status"]["name"] == "Shipped"
    assert client.move("SHOP-1", "done") == "already"
    assert client.category("SHOP-1") == "done"


def test_a_way_that_wants_a_person_is_not_gone(client: JiraClient, site: Site) -> None:
    site.asks_for = "Shipped"

    assert client.move("SHOP-1", "done") == "impossible"


class Racing(Watched):
    """Somebody moves the issue between our question and our step."""

    def __init__(self, site: Site, status: str) -> None:
        super().__init__(site)
        self._site, self._status = site, status

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            self._site.issues["SHOP-1"]["fields"]["status"] = {
                "name": self._status,
                "statusCategory": {"key": "done" if self._status == "Shipped" else "new"},
            }
            self._site.troubles = [(400, {}, {"errorMessages": ["not valid"]})]
        return super().handle_request(request)


@pytest.mark.parametrize(("status", "moved"), [("Shipped", "already"), ("To Do", "impossible")])
def test_a_step_that_is_refused_is_looked_at_again(site: Site, status: str, moved: str) -> None:
    with JiraClient(URL, token=TOKEN, transport=Racing(site, status)) as client:
        assert client.move("SHOP-1", "done") == moved


@pytest.mark.parametrize(
    ("headers", "wait_s", "reason"),
    [
        ({"Retry-After": "7", "RateLimit-Reason": "jira-burst-based"}, 7, "jira-burst-based"),
        ({"Retry-After": "9999999"}, 3_700, ""),
        ({"Retry-After": "soon"}, 60, ""),
        ({}, 60, ""),
    ],
)
def test_a_limit_says_how_long_to_wait_and_which_it_was(
    client: JiraClient, site: Site, headers: dict[str, str], wait_s: float, reason: str
) -> None:
    site.troubles = [(429, headers, {})]
    with pytest.raises(LimitedError) as caught:
        client.issue("SHOP-1")

    assert (caught.value.retry_after_s, caught.value.reason) == (wait_s, reason)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, PoisonError),
        (401, TransientError),
        (403, PoisonError),
        (404, PoisonError),
        (409, TransientError),
        (410, PoisonError),
        (413, PoisonError),
        (302, TransientError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_each_status_is_raised_by_how_to_go_on(
    client: JiraClient, site: Site, status: int, error: type[Exception]
) -> None:
    site.troubles = [(status, {}, {"errorMessages": ["no"], "errors": {"body": "secret"}})]
    with pytest.raises(error) as caught:
        client.issue("SHOP-1")

    assert "secret" not in str(caught.value)
    assert ("jira.token in the settings" in str(caught.value)) is (status == 401)


@pytest.mark.parametrize("said", [b"<html>", b"[" * 100_000, b" " * (16 * 1024 * 1024 + 1)])
def test_an_answer_that_is_none_may_be_one_later(said: bytes) -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=said))
    with JiraClient(URL, token=TOKEN, transport=transport) as client, pytest.raises(TransientError):
        client.issue("SHOP-1")


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"issues": {}, "comments": 3}'])
def test_what_cannot_be_read_is_not_nothing(said: bytes) -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=said))
    with JiraClient(URL, token=TOKEN, transport=transport) as client:
        for asked in (
            lambda: client.search_page("project = SHOP"),
            lambda: list(client.comments("SHOP-1")),
            lambda: client.find_comment("SHOP-1", UUID(int=1)),
        ):
            with pytest.raises(TransientError, match="Jira"):
                asked()


@pytest.mark.parametrize("key", ["", "../myself", "SHOP-1/comment", "SHOP-", "shop 1", "SHOP-1\n"])
def test_a_key_never_becomes_another_path(client: JiraClient, site: Site, key: str) -> None:
    with pytest.raises(PoisonError):
        client.issue(key)

    assert site.calls == []


@pytest.mark.parametrize("projects", [[], ['SHOP") OR ("a" = "a'], ["SHOP", ""]])
def test_a_project_is_named_by_its_key(projects: list[str]) -> None:
    with pytest.raises(UserError):
        updated_within(projects, minutes=1)


def test_no_call_of_ours_is_on_its_way_out(client: JiraClient, site: Site) -> None:
    value = json.loads(SPEC.read_text(encoding="utf-8"))
    old = [
        path
        for path, calls in value["paths"].items()
        for call in calls.values()
        if call.get("deprecated")
    ]

    assert old == []
    assert "/rest/api/3/search" not in value["paths"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/rest/api/3/search?jql=a", None),
        ("POST", "/rest/api/3/search/jql", {"jql": 3}),
        ("GET", "/rest/api/3/issue/SHOP-1/comment?startAt=first", None),
    ],
)
def test_the_description_does_find_a_wrong_call(
    site: Site, method: str, path: str, body: Any
) -> None:
    client = httpx2.Client(base_url=URL, transport=Watched(site))
    with client, pytest.raises(OpenAPIError):
        client.request(method, path, json=body)


def test_what_another_client_writes_and_ours_reads_is_the_same(site: Site) -> None:
    """The `jira` package was written by others: the fake is not marked by its own author alone."""
    jira = pytest.importorskip("jira")
    with site.serve() as url, JiraClient(url, token=TOKEN) as ours:
        options = {"rest_api_version": "3", "server": url}
        theirs: Any = jira.JIRA(
            options=options, basic_auth=(EMAIL, TOKEN), get_server_info=False, max_retries=0
        )
        key = uuid4()
        theirs.add_comment("SHOP-2", markdown_to_adf(f"Hello\n\n{origin_line(key)}"))

        assert ours.find_comment("SHOP-2", key) is not None
        theirs.transition_issue("SHOP-2", "3")
        assert ours.category("SHOP-2") == "done"
        assert [one["id"] for one in theirs.transitions("SHOP-2")] == ["1", "2"]
        theirs.close()
