"""Jira's REST API, version 3: the few calls that are needed to answer an issue and to catch up.

Every call is held against Atlassian's own description in the tests.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self
from uuid import UUID

import httpx2

from connectors.channel import child, listed, objects, plain, text
from connectors.http_caller import Caller
from schemas.errors import PoisonError, TransientError, UserError
from schemas.raw import is_ours

PAGES_MAX = 200
PAGE_ITEMS = 100
FIELDS = (
    *("summary", "description", "environment", "priority", "status", "resolution", "labels"),
    *("reporter", "creator", "assignee", "versions", "components", "created", "updated"),
)
"""What is asked for: without a list the search gives ids and nothing else."""
_PROJECT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}", re.ASCII)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}-\d{1,12}", re.ASCII)
_LATER = {401: "; see jira.email and jira.token in the settings", 409: ""}
"""And the way out. A token that is being changed is our trouble, not the issue's."""

Texts = Literal["adf", "wiki"]
"""How texts come: the same calls, in version 3 of the API or in version 2. Webhooks have wiki."""
_ROOT: Mapping[Texts, str] = {"adf": "/rest/api/3", "wiki": "/rest/api/2"}
Category = Literal["new", "indeterminate", "done"]
Moved = Literal["moved", "already", "impossible"]


@dataclass(frozen=True, slots=True)
class Transition:
    """A way out of the status an issue has now."""

    id: str
    name: str
    category: str
    """Of the status it leads to. Names differ from project to project, these do not."""
    asks: bool
    """Whether it wants a field that only a person can fill in."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what a search found, and how to ask for more."""

    issues: tuple[dict[str, Any], ...]
    next_token: str | None


class JiraClient:
    """One site of Jira Cloud, as one account."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str,
        email: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """With an `email` the token is an API token of that account, without one a bearer token."""
        basic = base64.b64encode(f"{email}:{token}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {basic}" if email else f"Bearer {token}",
        }
        self._caller = Caller("Jira", base_url, headers, transport=transport)

    def __enter__(self) -> Self:
        """Return itself; leaving closes the connections."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()

    def search_page(
        self,
        jql: str,
        *,
        fields: Sequence[str] = FIELDS,
        token: str | None = None,
        texts: Texts = "adf",
    ) -> Page:
        """Return one page of the issues that `jql` finds, with `fields` of each."""
        asked: dict[str, Any] = {"jql": jql, "fields": [*fields], "maxResults": PAGE_ITEMS}
        if token:
            asked["nextPageToken"] = token
        said = self._call("POST", f"{_ROOT[texts]}/search/jql", body=asked)
        following = text(said.get("nextPageToken"))
        is_last = said.get("isLast") is True or not following or following == token
        return Page(tuple(listed(said, "issues", "Jira")), None if is_last else following)

    def search(self, jql: str, *, fields: Sequence[str] = FIELDS) -> Iterator[dict[str, Any]]:
        """Yield the issues that `jql` finds. Raises `TransientError` where it does not end."""
        token: str | None = None
        for _ in range(PAGES_MAX):
            page = self.search_page(jql, fields=fields, token=token)
            yield from page.issues
            token = page.next_token
            if token is None:
                return
        raise TransientError(f"the search has more than {PAGES_MAX} pages: ask for less")

    def issue(self, key: str, *, fields: Sequence[str] = FIELDS) -> dict[str, Any]:
        """Return the issue with `fields`. Its texts are ADF."""
        return self._call("GET", _path(key), query={"fields": ",".join(fields)})

    def comments(self, key: str, *, texts: Texts = "adf") -> Iterator[dict[str, Any]]:
        """Yield the comments under an issue, the newest first."""
        seen = 0
        for _ in range(PAGES_MAX):
            query = {"startAt": str(seen), "maxResults": str(PAGE_ITEMS), "orderBy": "-created"}
            said = self._call("GET", f"{_path(key, texts)}/comment", query=query)
            found = listed(said, "comments", "Jira")
            yield from found
            seen += len(found)
            total = said.get("total")
            if not found or not isinstance(total, int) or seen >= total:
                return

    def find_comment(self, key: str, message: UUID) -> str | None:
        """Return the id of our comment with the idempotency key `message`, if it is there.

        Only of comments by this very account: anybody can copy a line.
        """
        me = text(self._call("GET", "/rest/api/3/myself").get("accountId"))
        if not me:
            # Without it nothing of ours would be known again, and all of it posted twice.
            raise TransientError("Jira does not say which account the token is of")
        for comment in self.comments(key):
            is_mine = text(child(comment, "author").get("accountId")) == me
            if is_mine and is_ours(_last_line(comment.get("body")), message):
                return plain(comment.get("id"))
        return None

    def add_comment(self, key: str, document: Mapping[str, Any]) -> str:
        """Post an ADF document and return the comment's id.

        Raises `TransientError` also where it is not known whether it got through.
        """
        said = self._call("POST", f"{_path(key)}/comment", body={"body": dict(document)})
        return plain(said.get("id")) or "unknown"

    def category(self, key: str) -> str:
        """Return the category of the status that the issue has."""
        fields = child(self.issue(key, fields=("status",)), "fields")
        return text(child(fields, "status", "statusCategory").get("key"))

    def transitions(self, key: str) -> tuple[Transition, ...]:
        """Return the ways out of the status the issue has now, as this account may go them."""
        query = {"expand": "transitions.fields"}
        said = self._call("GET", f"{_path(key)}/transitions", query=query)
        return tuple(
            Transition(
                id=text(one.get("id")),
                name=text(one.get("name")),
                category=text(child(one, "to", "statusCategory").get("key")),
                asks=any(
                    isinstance(field, dict)
                    and field.get("required") is True
                    and field.get("hasDefaultValue") is not True
                    for field in child(one, "fields").values()
                ),
            )
            for one in objects(said, "transitions")
        )

    def move(self, key: str, category: Category) -> Moved:
        """Bring the issue to a status of `category`, unless it is there.

        `impossible` where no way leads there that a program can go.
        """
        if self.category(key) == category:
            return "already"
        ways = [way for way in self.transitions(key) if way.category == category and not way.asks]
        if not ways:
            return "impossible"
        body = {"transition": {"id": ways[0].id}}
        try:
            self._call("POST", f"{_path(key)}/transitions", body=body)
        except PoisonError:
            # Somebody else may have moved it between the question and the step.
            return "already" if self.category(key) == category else "impossible"
        return "moved"

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        answer = self._caller.call(method, path, params=query, body=body)
        if answer.status in _LATER:
            raise TransientError(f"Jira answered {answer.status}{_LATER[answer.status]}")
        if not answer.is_ok:
            said = _complaint(answer.value)
            raise PoisonError(f"Jira refused the call with {answer.status}{said}")
        if answer.is_garbled:
            raise TransientError("Jira's answer is not JSON")
        return answer.value if isinstance(answer.value, dict) else {}


def updated_within(projects: Sequence[str], *, minutes: int) -> str:
    """Return the JQL for what changed in `projects` in the last `minutes`, the oldest first.

    In minutes, not by a time of day: that would be read in the time zone of the account.
    """
    if not projects or not all(_PROJECT.fullmatch(name) for name in projects):
        raise UserError("the Jira projects must be named by their keys, such as SHOP")
    listed = ", ".join(f'"{name}"' for name in projects)
    return f"project in ({listed}) AND updated >= -{max(1, minutes)}m ORDER BY updated ASC"


def _path(key: str, texts: Texts = "adf") -> str:
    if not _KEY.fullmatch(key):
        raise PoisonError(f"{key[:60]!r} is no key of a Jira issue")
    return f"{_ROOT[texts]}/issue/{key}"


def _complaint(said: object) -> str:
    """Return what Jira says is wrong, cut short: it may quote the text of an issue."""
    listed = said.get("errorMessages") if isinstance(said, dict) else None
    messages = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    fields = list(child(said, "errors"))
    found = "; ".join([*messages, *(f"field {name}" for name in fields)])
    return f": {found[:200]}" if found else ""


def _last_line(document: object) -> str:
    """Return the text of the last block of an ADF document: where our marker stands."""
    blocks = objects(document, "content")
    return (
        "".join(text(one.get("text")) for one in objects(blocks[-1], "content")) if blocks else ""
    )
