"""A small Jira Cloud with a memory, after Atlassian's description: for our client and for others'.

As a transport of httpx2, or as a server on a port of its own (`serve`).
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from processors.markup import adf_to_markdown, markdown_to_wiki
from tests.connectors.fakes.serving import answer, transport_of
from tests.processors.markup.texts import problems

EMAIL, TOKEN = "bot@shop.example", "jira-token"
ME = {"accountId": "5c5f:bot", "displayName": "Bugstream", "active": True, "accountType": "app"}
ANN = {"accountId": "5c5f:ann", "displayName": "Ann", "active": True, "accountType": "atlassian"}
STATUSES = {
    "To Do": ("1", "new"),
    "Doing": ("2", "indeterminate"),
    "Shipped": ("3", "done"),
}
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Site:
    """Issues, comments, and the troubles it is told to make."""

    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    troubles: list[Answer] = field(default_factory=list)
    """Given instead of the next answers, in order."""
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)
    page_items: int = 2
    now: datetime = datetime(2026, 1, 3, 12, tzinfo=UTC)
    """What `updated >= -5m` counts from."""
    asks_for: str = ""
    """Status whose transition wants a field that only a person fills in."""

    def add(self, key: str, summary: str, status: str = "To Do") -> None:
        number = str(10_000 + len(self.issues))
        fields = {"summary": summary, "status": _status(status)}
        self.issues[key] = {"id": number, "key": key, "self": f"/issue/{number}", "fields": fields}
        self.comments[key] = []

    def say(self, key: str, document: Any, author: dict[str, Any] = ANN) -> dict[str, Any]:
        said = {
            "id": str(20_000 + sum(map(len, self.comments.values()))),
            "author": author,
            "body": document,
            "created": "2026-01-02T03:04:05.000+00:00",  # As described; the real one has no colon.
        }
        self.comments[key].append(said)
        return said

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        self.calls.append((method, target, body))
        if self.troubles:
            return self.troubles.pop(0)
        right = f"Basic {base64.b64encode(f'{EMAIL}:{TOKEN}'.encode()).decode()}"
        if headers.get("authorization") not in {right, f"Bearer {TOKEN}"}:
            return _error(401, "sign in first")
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        said = json.loads(body) if body else {}
        _, _, _, version, rest = url.path.split("/", 4)
        status, more, answer = self._answer(method, f"/{rest}", query, said)
        return status, more, _as_wiki(answer) if version == "2" else answer

    def _answer(self, method: str, path: str, query: dict[str, str], said: Any) -> Answer:
        if (method, path) == ("GET", "/myself"):
            return 200, {}, ME
        if path == "/search/jql":
            return self._search(said if method == "POST" else query)
        found = re.fullmatch(r"/issue/([A-Z]+-\d+)(/comment|/transitions)?", path)
        if found is None or found[1] not in self.issues:
            return _error(404, "Issue does not exist or you do not have permission to see it.")
        part = {None: self._issue, "/comment": self._comment, "/transitions": self._transition}
        return part[found[2]](method, found[1], query, said)

    def _search(self, asked: dict[str, Any]) -> Answer:
        if not asked.get("jql"):
            return _error(400, "Unbounded JQL queries are not allowed here.")
        fields = asked.get("fields") or []
        names = fields.split(",") if isinstance(fields, str) else fields
        start = int(asked.get("nextPageToken") or 0)
        wanted = self._changed(asked["jql"])
        found = wanted[start : start + self.page_items]
        issues = [
            {
                **({"key": one["key"], "self": one["self"]} if names else {}),
                "id": one["id"],
                "fields": {k: v for k, v in one["fields"].items() if k in names},
            }
            for one in found
        ]
        is_last = start + self.page_items >= len(wanted)
        more = {} if is_last else {"nextPageToken": str(start + self.page_items)}
        return 200, {}, {"issues": issues, "isLast": is_last, **more}

    def _changed(self, jql: str) -> list[dict[str, Any]]:
        """Return the issues that a search by time finds; those without a time always."""
        minutes = re.search(r"updated >= -(\d+)m", jql)
        edge = (self.now - timedelta(minutes=int(minutes[1]))).isoformat() if minutes else ""
        changed = {key: str(one["fields"].get("updated", "")) for key, one in self.issues.items()}
        found = [key for key, at in changed.items() if not at or at >= edge]
        return [self.issues[key] for key in sorted(found, key=lambda key: changed[key])]

    def _issue(self, method: str, key: str, query: dict[str, str], said: Any) -> Answer:
        issue = self.issues[key]
        names = query.get("fields", "*all").split(",")
        fields = {k: v for k, v in issue["fields"].items() if k in names or "*all" in names}
        return 200, {}, {**issue, "fields": fields}

    def _comment(self, method: str, key: str, query: dict[str, str], said: Any) -> Answer:
        if method == "POST":
            wrong = problems(said.get("body"))
            if wrong:
                return _error(400, "INVALID_INPUT")
            return 201, {}, self.say(key, said["body"], ME)
        listed = self.comments[key]
        if query.get("orderBy") == "-created":
            listed = listed[::-1]
        start = int(query.get("startAt", 0))
        size = min(int(query.get("maxResults", 50)), self.page_items)
        page = {"startAt": start, "maxResults": size, "total": len(listed)}
        return 200, {}, {**page, "comments": listed[start : start + size]}

    def _transition(self, method: str, key: str, query: dict[str, str], said: Any) -> Answer:
        now = self.issues[key]["fields"]["status"]["name"]
        ways = {
            number: {
                "id": number,
                "name": f"To {name}",
                "to": _status(name),
                "fields": {"resolution": _required()} if name == self.asks_for else {},
            }
            for name, (number, _) in STATUSES.items()
            if name != now
        }
        if method == "GET":
            return 200, {}, {"transitions": [*ways.values()]}
        chosen = ways.get(str(said.get("transition", {}).get("id")))
        if chosen is None:
            return _error(400, "Transition is not valid for the issue.")
        self.issues[key]["fields"]["status"] = chosen["to"]
        return 204, {}, None

    def transport(self) -> httpx2.MockTransport:
        return transport_of(self.handle)

    @contextmanager
    def serve(self) -> Iterator[str]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                answer(self, site.handle)

            do_GET = do_POST = do_PUT = _answer  # noqa: N815  # the names are the server's

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)


def _as_wiki(answer: Any) -> Any:
    """Return an answer of version 3 as version 2 has it: its documents as wiki markup."""
    if isinstance(answer, list):
        return [_as_wiki(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    if answer.get("type") == "doc":
        return markdown_to_wiki(adf_to_markdown(answer)).strip()
    return {name: _as_wiki(value) for name, value in answer.items()}


def _status(name: str) -> dict[str, Any]:
    number, category = STATUSES[name]
    return {"id": number, "name": name, "statusCategory": {"key": category, "name": category}}


def _required() -> dict[str, Any]:
    return {
        "key": "resolution",
        "name": "Resolution",
        "operations": ["set"],
        "required": True,
        "hasDefaultValue": False,
        "schema": {"type": "resolution"},
    }


def _error(status: int, message: str) -> Answer:
    return status, {}, {"errorMessages": [message], "errors": {}}
