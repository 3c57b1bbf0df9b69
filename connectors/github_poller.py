"""Asks GitHub what its webhooks lost: a delivery that failed is never sent again by itself.

What is found is made to look as the webhook would, and is read by the very same function. So it
has the entity and the meaning that the webhook has, and the inbox keeps it once. What was deleted
or transferred meanwhile is in no list: only a webhook says that.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.channel import Delivery, digest, text
from connectors.github import Event, read
from connectors.github_client import PAGE_ITEMS, GitHubClient, Page, repo_path
from connectors.github_payload import REPOSITORY, fitting, number
from connectors.poll_window import Now, moment, utc_now
from connectors.poller import Batch, Cursor

OVERLAP_S = 300
"""How far into the past each round looks again: GitHub's lists lag behind a little."""
PAGES_PER_ROUND_MAX = 50
"""Of each list; the next round goes on where this one ended."""
_BEGAN = "began"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Item = Mapping[str, Any]
_VOLATILE = ("reactions", "comments", "performed_via_github_app")
"""Changes without the item being updated, so that the same content would not be the same bytes."""
_REPO_URL = re.compile(r"https?://.{1,300}/repos/(?P<name>[^/]+/[^/]+)(?:/issues/(?P<item>\d+))?")


@dataclass(frozen=True, slots=True)
class _List:
    event: Event
    path: str
    query: Mapping[str, str]


_LISTS = (
    _List("issues", "/issues", {"state": "all", "sort": "updated", "direction": "asc"}),
    _List("issue_comment", "/issues/comments", {"sort": "updated", "direction": "asc"}),
)


class GitHubPoller:
    """A `Poller` of the issues and comments of one repository."""

    route = "github"

    def __init__(
        self,
        client: GitHubClient,
        repository: str,
        *,
        every_s: float,
        backfill_days: int,
        now: Now = utc_now,
    ) -> None:
        """Ask for `repository`, `owner/name`; at first for what changed in `backfill_days`."""
        self.name = f"github/{repository.casefold()}"
        self.every_s = every_s
        self._client = client
        self._repository = repository
        self._backfill = timedelta(days=backfill_days)
        self._now = now
        self._cut_short: set[str] = set()
        self._closed = False

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what was updated since `cursor`, by list and then by time. Raises as calls do.

        What was closed before the first round looked back is not brought in: it was over before
        we came, whoever comments on it now.
        """
        began = _time(cursor, _BEGAN) or _stamp(self._now() - self._backfill)
        at: dict[str, str] = {
            _BEGAN: began,
            **{one.event: _time(cursor, one.event) or began for one in _LISTS},
        }
        if cursor is None:
            # The first round may fail: where it began must not move on with the clock.
            yield Batch((), dict(at))
        for asked in _LISTS:
            for items, until in self._list(asked, at[asked.event]):
                at[asked.event] = until
                found = [self._delivery(asked.event, one) for one in items if _is_ours(one, began)]
                yield Batch([one for one in found if one is not None], dict(at))

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait, unless it is stopped."""
        stop.wait(seconds)

    def close(self) -> None:
        """Ask no further, and let connections go."""
        self._closed = True
        self._client.close()

    def _list(self, asked: _List, until: str) -> Iterator[tuple[Sequence[_Item], str]]:
        """Yield page by page, and up to when all is found.

        Never by page numbers alone: what is updated meanwhile moves to the end, and everything
        behind it moves up by one, past whoever turns the page.
        """
        overlap_s = 0 if asked.event in self._cut_short else OVERLAP_S
        self._cut_short.discard(asked.event)
        since, page_number = _stamp(_moment(until) - timedelta(seconds=overlap_s)), 1
        for _ in range(PAGES_PER_ROUND_MAX):
            if self._closed:
                return
            page = self._page(asked, since, page_number)
            latest = max((text(item.get("updated_at")) for item in page.items), default="")
            # A time to come is believed of the page, never kept: all until then would be lost.
            if moment(latest) and _moment(until) < _moment(latest) <= self._now():
                until = latest
            yield page.items, until
            if page.following is None or not page.items:
                return
            if moment(latest) and _moment(latest) > _moment(since):
                since, page_number = latest, 1
            else:
                page_number += 1
        # Looking back again would cost the next round what it has to go on.
        self._cut_short.add(asked.event)

    def _page(self, asked: _List, since: str, page_number: int) -> Page:
        query = {
            **asked.query,
            "since": since,
            "per_page": str(PAGE_ITEMS),
            "page": str(page_number),
        }
        # Never "only if it has changed": what was overtaken while we asked is looked at again.
        return self._client.page(repo_path(self._repository) + asked.path, query)

    def _delivery(self, event: Event, item: _Item) -> Delivery | None:
        if number(item.get("number" if event == "issues" else "id")) is None:
            return None
        payload = _issue(item) if event == "issues" else _comment(item)
        if payload is None:
            return None
        # Spelt as GitHub spells it, as in a webhook; settings may say it in other letters.
        payload["repository"] = {"full_name": _place(item) or self._repository}
        body = json.dumps(payload, sort_keys=True).encode()
        said = read(event, body, delivery_id="poll")
        known_by = digest(said.entity, said.meaning, text(item.get("updated_at")))
        return replace(said, delivery_id=f"poll/{known_by}", body=body)


def _is_ours(item: _Item, began: str) -> bool:
    closed = moment(item.get("closed_at"))
    return closed is None or closed >= _moment(began)


def _place(item: _Item) -> str | None:
    for name in ("repository_url", "issue_url", "url"):
        if place := _REPO_URL.match(text(item.get(name))):
            return fitting(REPOSITORY, place["name"])
    return None


def _issue(item: _Item) -> dict[str, Any] | None:
    """Return the payload of a webhook about the issue; None for a pull request."""
    if "pull_request" in item:
        return None
    is_new = item.get("created_at") == item.get("updated_at")
    return {"action": "opened" if is_new else "edited", "issue": _lasting(item)}


def _comment(item: _Item) -> dict[str, Any] | None:
    """Return the payload of a webhook about the comment; None for one under a pull request."""
    place = _REPO_URL.match(text(item.get("issue_url")))
    page = text(item.get("html_url")).partition("#")[0]
    if place is None or place["item"] is None or "/pull/" in page:
        return None
    is_new = item.get("created_at") == item.get("updated_at")
    return {
        "action": "created" if is_new else "edited",
        "issue": {"number": int(place["item"][:18]), "html_url": page},
        "comment": _lasting(item),
    }


def _lasting(item: _Item) -> dict[str, Any]:
    return {name: said for name, said in item.items() if name not in _VOLATILE}


def _time(cursor: Cursor | None, name: str) -> str:
    """Return the time that is kept under `name`; of one that cannot be, nothing."""
    said = text(cursor.get(name)) if cursor else ""
    at = moment(said)
    return said if at and at >= _EPOCH else ""


def _moment(said: str) -> datetime:
    return moment(said) or datetime.now(UTC)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
