"""Asks Jira what changed: for webhooks that never came.

Texts are asked for as wiki markup (version 2 of the API), as webhooks have them. So what is found
says the same as the webhook of the same state, word for word, and the inbox keeps one of the two.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from connectors.channel import Delivery, Post, child, text
from connectors.jira import read
from connectors.jira_client import PAGES_MAX, JiraClient, updated_within
from connectors.poll_window import Now, end_at, moment, start_of, utc_now
from connectors.poller import Batch, Cursor
from schemas.errors import PoisonError, TransientError

OVERLAP_MINUTES = 20
"""Searches lag behind, clocks differ, and a webhook that failed is sent again for so long."""
COMMENTS_MAX = 1_000
"""Under one issue, the newest first."""


class JiraPoller:
    """A `Poller` for the issues and comments of some projects."""

    route = "jira"

    def __init__(
        self, client: JiraClient, projects: Sequence[str], *, every_s: float, now: Now = utc_now
    ) -> None:
        """`projects` are keys such as `SHOP`."""
        self._client = client
        self._projects = tuple(projects)
        self._now = now
        self.name = "jira"
        self.every_s = every_s

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield the issues that changed, page by page, each with its comments."""
        began = self._now()
        since = start_of(cursor, began)
        edge = since - timedelta(minutes=OVERLAP_MINUTES)
        # By minutes back from now: a time of day would be read in the zone of the account.
        jql = updated_within(self._projects, minutes=math.ceil((began - edge).total_seconds() / 60))
        token: str | None = None
        for _ in range(PAGES_MAX):
            page = self._client.search_page(jql, token=token, texts="wiki")
            items = [one for issue in page.issues for one in self._found(issue, edge)]
            token = page.next_token
            if token is None:
                yield Batch(items, end_at(began))
                return
            # The oldest come first, so a round that breaks off goes on from here.
            for issue in page.issues[-1:]:
                last = moment(child(issue, "fields").get("updated"))
                since = max(since, min(last, began)) if last else since
            yield Batch(items, end_at(since))
        raise TransientError(f"more than {PAGES_MAX} pages of issues changed: ask more often")

    def _found(self, issue: dict[str, Any], edge: datetime) -> Iterator[Delivery]:
        yield from _read({"webhookEvent": "jira:issue_updated", "issue": issue})
        # No more of the issue than the comment needs, so that it stays the same find.
        about = {name: issue.get(name) for name in ("id", "key", "self")}
        about["fields"] = {"summary": child(issue, "fields").get("summary")}
        for comment in self._comments(text(issue.get("key"))):
            changed = moment(comment.get("updated")) or moment(comment.get("created"))
            if changed is None or changed >= edge:
                yield from _read(
                    {"webhookEvent": "comment_updated", "comment": comment, "issue": about}
                )

    def _comments(self, key: str) -> list[dict[str, Any]]:
        """Return the comments, the oldest first; none where the issue has gone meanwhile."""
        try:
            found = list(islice(self._client.comments(key, texts="wiki"), COMMENTS_MAX))
        except PoisonError:
            return []
        return found[::-1]

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`."""
        stop.wait(seconds)

    def close(self) -> None:
        """Let connections go."""
        self._client.close()


def _read(payload: dict[str, Any]) -> Iterator[Delivery]:
    """Yield what the door makes of a payload. The id is the content's: a repeat is a repeat."""
    body = json.dumps(payload, sort_keys=True).encode()
    for delivery in read(Post({}, body)):
        yield replace(delivery, body=body)
