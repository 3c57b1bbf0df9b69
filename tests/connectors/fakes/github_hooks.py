"""The webhooks of the fake GitHub: delivered signed, remembered, and delivered again when asked."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.connectors.fakes.github_described import filled

if TYPE_CHECKING:
    from tests.connectors.fakes.github_site import Answer, Repo, Site

DELIVERY_S_MAX = 10.0
"""GitHub gives up on a receiver after ten seconds."""


@dataclass
class Delivery:
    """One try."""

    hook: int
    item: dict[str, Any]
    body: bytes


@dataclass
class Hooks:
    """All of them; `repo_of` says whose a hook is, None: the app's."""

    hooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[int, str] = field(default_factory=dict)
    repo_of: dict[int, str | None] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)

    def add(
        self, site: Site, repo: Repo | None, url: str, secret: str, *events: str
    ) -> dict[str, Any]:
        """Make one, for tests too; without a `repo` it is the app's."""
        number = site.next_id()
        config = {"url": url, "content_type": "json", "secret": "********", "insecure_ssl": "0"}
        hook = filled("hook", id=number, name="web", type="Repository", active=True)
        self.hooks[number] = {**hook, "events": [*events], "config": config}
        self.secrets[number] = secret
        self.repo_of[number] = repo.name if repo else None
        return self.hooks[number]

    def answer(
        self,
        site: Site,
        repo: Repo | None,
        method: str,
        path: str,
        query: dict[str, str],
        said: dict[str, Any] | None = None,
    ) -> Answer:
        """Answer what is asked of the hooks of `repo`, or of the app's."""
        mine = [n for n, name in self.repo_of.items() if name == (repo.name if repo else None)]
        if (method, path) == ("GET", "/hooks"):
            return 200, {}, [self.hooks[number] for number in mine]
        if (method, path) == ("POST", "/hooks") and said is not None:
            config = said["config"]
            events = said.get("events", ["push"])
            return 201, {}, self.add(site, repo, config["url"], config.get("secret", ""), *events)
        found = re.fullmatch(r"(?:/hooks/(\d+))?/deliveries(?:/(\d+)/attempts)?", path)
        number = int(found[1]) if found and found[1] else (mine or [0])[0]
        if found is None or number not in mine:
            return 404, {}, {"message": "Not Found"}
        if method == "GET":
            return self._listed(site, repo, number, path, query)
        for one in self.deliveries:
            if one.hook == number and one.item["id"] == int(found[2] or 0):
                self._deliver(site, number, one.item["guid"], one.item["event"], one.body)
                return 202, {}, {}
        return 404, {}, {"message": "Not Found"}

    def tell(self, site: Site, repo: Repo, event: str, payload: dict[str, Any]) -> None:
        """Deliver `payload` to every hook that wants it. Once: GitHub never tries again."""
        for number, name in self.repo_of.items():
            events = self.hooks[number]["events"]
            if name in {None, repo.name} and ({event, "*"} & {*events}):
                body = json.dumps(payload).encode()
                self._deliver(site, number, str(uuid4()), event, body)

    def _listed(
        self, site: Site, repo: Repo | None, number: int, path: str, query: dict[str, str]
    ) -> Answer:
        size = min(int(query.get("per_page", 30)), site.page_items)
        before = int(query.get("cursor", 10**18))
        every = [d.item for d in reversed(self.deliveries) if d.hook == number]
        found = [item for item in every if item["id"] < before]
        headers = {}
        if len(found) > size:
            more = urlencode({**query, "cursor": str(found[size - 1]["id"])})
            where = f"/repositories/{repo.id}{path}" if repo else f"/app/hook{path}"
            headers["Link"] = f'<{site.base_url}{where}?{more}>; rel="next"'
        return 200, headers, found[:size]

    def _deliver(self, site: Site, number: int, guid: str, event: str, body: bytes) -> None:
        payload = json.loads(body)
        signature = hmac.new(self.secrets[number].encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            self.hooks[number]["config"]["url"],
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "GitHub-Hookshot/fake",
                "X-GitHub-Delivery": guid,
                "X-GitHub-Event": event,
                "X-GitHub-Hook-ID": str(number),
                "X-Hub-Signature-256": f"sha256={signature}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=DELIVERY_S_MAX) as answer:
                status, code = "OK", answer.status
        except urllib.error.HTTPError as error:
            error.close()
            status, code = f"Invalid HTTP Response: {error.code}", error.code
        except OSError:
            status, code = "failed to connect to host", 0
        item = filled(
            "hook-delivery-item",
            id=site.next_id(),
            guid=guid,
            delivered_at=site.tick(),
            redelivery=any(one.item["guid"] == guid for one in self.deliveries),
            status=status,
            status_code=code,
            event=event,
            action=payload.get("action"),
            repository_id=payload["repository"]["id"],
        )
        self.deliveries.append(Delivery(number, item, body))
