"""Asks GitHub to deliver again what did not get through: it never does so by itself.

A delivery is looked up by its `guid`, which all tries of it share. One that could not connect has
no status of failure at all, so every try is listed, and sorted out here.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors import github_pulls
from connectors.channel import child, text
from connectors.github import EVENTS
from connectors.github_client import GitHubClient, repo_path
from connectors.github_http import RefusalError
from connectors.github_payload import number
from connectors.poll_window import Now, moment, utc_now
from connectors.poller import Batch, Cursor
from schemas.errors import UserError

EVERY_S = 3_600.0
BACK_DAYS_MAX = 3
"""GitHub keeps deliveries no longer."""
TRIES_MAX = 5
"""Of one delivery, the first one and ours: what fails so often should be looked at."""
SETTLE_S = 60
"""A try younger than that may still be under way, or was asked for by somebody else."""
PAGES_MAX = 30
REDELIVERIES_PER_ROUND_MAX = 200
_SCOPE = (
    "may not see or redeliver them: give it the permission 'Webhooks: read and write'"
    " (admin:repo_hook of a classic token), or unset github.webhook_url"
)
_WANTED = (*EVENTS, *github_pulls.EVENTS)


class GitHubRedeliveries:
    """A `Poller` that finds nothing itself: what it asks for comes through the door."""

    route = "github"
    every_s = EVERY_S

    def __init__(
        self, client: GitHubClient, repository: str | None, *, url: str, now: Now = utc_now
    ) -> None:
        """Look after the webhooks of `repository` that lead to `url`; None: that of our app."""
        self.name = f"github/{(repository or 'app').casefold()}/redeliveries"
        self._client = client
        self._repository = repository
        self._url = url
        self._now = now
        self._closed = False

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Ask for what failed. Raises `UserError` where our account may not, else as calls do."""
        del cursor  # What was tried, and how often, stands in GitHub's own list.
        asked = 0
        try:
            for hook in self._hooks():
                for ident in self._failed(hook)[:REDELIVERIES_PER_ROUND_MAX]:
                    if not self._closed:
                        asked += self._again(f"{hook}/deliveries/{ident}/attempts")
        except RefusalError as error:
            whose = f"the webhooks of {self._repository}" if self._repository else "our app's"
            raise UserError(f"{whose}: the account in github {_SCOPE} ({error})") from error
        yield Batch((), {"asked_at": self._now().isoformat(), "asked_for": asked})

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait, unless it is stopped."""
        stop.wait(seconds)

    def close(self) -> None:
        """Ask no further, and let connections go."""
        self._closed = True
        self._client.close()

    def _again(self, path: str) -> bool:
        """Ask for one more try. Return whether GitHub makes it: not of one that it has forgotten.

        What it lets us do of the other ones shows at those.
        """
        try:
            self._client.send("POST", path)
        except RefusalError as error:
            if error.status == 403:
                raise
            return False
        return True

    def _hooks(self) -> Iterator[str]:
        """Yield the path of each hook that leads to us."""
        if self._repository is None:
            yield "/app/hook"
            return
        hooks = f"{repo_path(self._repository)}/hooks"
        for hook in list(self._client.items(hooks)):
            ident = number(hook.get("id"))
            if ident and text(child(hook, "config").get("url")).rstrip("/") == self._url.rstrip(
                "/"
            ):
                yield f"{hooks}/{ident}"

    def _failed(self, hook: str) -> list[str]:
        """Return the last try of each delivery that never got through, oldest first."""
        now = self._now()
        tries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in self._recent(hook, now - timedelta(days=BACK_DAYS_MAX)):
            tries[text(one.get("guid"))].append(one)
        return [
            ident
            for of_one in reversed(tries.values())
            if _is_lost(of_one, now) and (ident := number(of_one[0].get("id")))
        ]

    def _recent(self, hook: str, since: datetime) -> Iterator[dict[str, Any]]:
        page = self._client.page(f"{hook}/deliveries")
        for _ in range(PAGES_MAX):
            for one in page.items:
                at = moment(one.get("delivered_at"))
                if at is None or at < since:
                    return
                yield one
            if page.following is None or self._closed:
                return
            page = self._client.page(page.following)


def _is_lost(tries: Iterable[dict[str, Any]], now: datetime) -> bool:
    """Return whether a delivery that we want never got through, and may be tried once more."""
    every = list(tries)
    newest = moment(every[0].get("delivered_at"))
    return (
        every[0].get("event") in _WANTED
        and not any(_got_through(one) for one in every)
        and len(every) < TRIES_MAX
        and newest is not None
        and newest <= now - timedelta(seconds=SETTLE_S)
    )


def _got_through(one: dict[str, Any]) -> bool:
    status = one.get("status_code")
    return isinstance(status, int) and 200 <= status < 300
