"""Asks Sentry which issues were seen: for webhooks that never came.

A decision about an issue that was not seen since, such as resolving it, is not found this way.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2

from connectors.channel import Delivery, child, digest
from connectors.http_caller import Caller
from connectors.monitoring.sentry import SENDER, issue_delivery
from connectors.poll_window import Now, end_at, start_of, utc_now
from connectors.poller import Batch, Cursor
from schemas.errors import TransientError

OVERLAP_S = 900
PAGES_MAX = 50
PAGE_ISSUES = 100
_KEPT = ("id", "shortId", "title", "culprit", "permalink", "level", "status", "substatus")
_KEPT_TOO = ("platform", "metadata", "firstSeen")
"""Counts and the time it was last seen change all the time; without them it is the same find."""
_NEXT = re.compile(r'rel="next"; results="true"; cursor="([^"\s]{1,200})"')


class SentryPoller:
    """A `Poller` for the issues of an organization's projects."""

    route = SENDER

    def __init__(
        self,
        url: str,
        organization: str,
        token: str,
        is_wanted: Callable[[str], bool],
        *,
        every_s: float,
        now: Now = utc_now,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`is_wanted` says of a container, such as `sentry/shop`, whether it is ours."""
        headers = {"Authorization": f"Bearer {token}"}
        self._caller = Caller("Sentry", url, headers, transport=transport)
        self._path = f"api/0/organizations/{quote(organization, safe='')}/issues/"
        self._is_wanted = is_wanted
        self._now = now
        self.name = f"sentry/{organization}"
        self.every_s = every_s

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what was seen since the last round, page by page, the latest first."""
        began = self._now()
        start = start_of(cursor, began)
        edge = (start - timedelta(seconds=OVERLAP_S)).strftime("%Y-%m-%dT%H:%M:%S")
        params = {"query": f"lastSeen:>={edge}", "sort": "date", "limit": str(PAGE_ISSUES)}
        for _ in range(PAGES_MAX):
            answer = self._caller.call("GET", self._path, params=params)
            if answer.status != 200 or not isinstance(answer.value, list):
                raise TransientError(
                    f"Sentry answered {answer.status}: sentry.token needs the scope event:read, and"
                    " sentry.organization is the short name in its address"
                )
            found = [one for issue in answer.value if (one := self._found(issue))]
            more = _NEXT.search(answer.headers.get("link", "")[:4000])
            # Nothing is over before the last page: the oldest come last.
            yield Batch(found, end_at(start if more else began))
            if more is None:
                return
            params["cursor"] = more[1]
        raise TransientError(f"more than {PAGES_MAX} pages of issues were seen: ask more often")

    def _found(self, issue: Any) -> Delivery | None:
        said = issue if isinstance(issue, dict) else {}
        kept = {name: said[name] for name in (*_KEPT, *_KEPT_TOO) if name in said}
        kept["project"] = {"slug": child(said, "project").get("slug")}
        body = json.dumps({"data": {"issue": kept}}, sort_keys=True).encode()
        one = issue_delivery(kept, told_as=f"poll/{digest(kept)}")
        is_ours = one is not None and self._is_wanted(one.origin.container)
        return replace(one, body=body) if one is not None and is_ours else None

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`."""
        stop.wait(seconds)

    def close(self) -> None:
        """Let connections go."""
        self._caller.close()
