"""Asks a channel of Slack what was written there: for events that never came.

Each message becomes what the door makes of its event, so the inbox keeps one of the two. Replies do
not stand in a channel's history: the threads of recent reports are asked for theirs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.channel import Delivery, Post, child, objects, text
from connectors.poll_window import Now, end_at, start_of, utc_now
from connectors.poller import Batch, Cursor
from connectors.slack import DOORS
from connectors.slack_api import Me, SlackApi
from schemas.errors import TransientError, UserError

OVERLAP_S = 900
"""Clocks differ, and an event that failed is sent again for some minutes."""
THREADS_BACK_S = 3 * 86_400
"""Reports of so long ago may get replies, and any message of then may be edited."""
BACK_PAGES_MAX = 5
"""Of messages from before the last round, looked through for edits and for threads."""
HISTORY_PAGES_MAX = 50
REPLY_PAGES_MAX = 50
THREADS_KNOWN_MAX = 2_000
_KEPT = ("type", "subtype", "text", "user", "ts", "thread_ts", "team", "user_team", "bot_id")
"""Of a message. Reactions and counts come and go; without them it stays the same find."""


class SlackPoller:
    """A `Poller` for one channel."""

    route = DOORS[0].name

    def __init__(
        self, api: SlackApi, container: str, *, every_s: float, now: Now = utc_now
    ) -> None:
        """`container` is `TEAM/CHANNEL`, as in the sources of a project."""
        self._api = api
        self._team, _, self._channel = container.partition("/")
        self._now = now
        self._asked: dict[str, tuple[object, ...]] = {}
        """Of each thread that was asked how it stood: a round that breaks off gets further."""
        self.name = f"slack/{container}"
        self.every_s = every_s

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what is new in the channel, then what is new in each thread."""
        me = self._api.me()
        if me.team and me.team != self._team:
            raise UserError(
                f"slack.token is for the workspace {me.team}, and a project names"
                f" slack:{self._team}/{self._channel}: correct one of the two"
            )
        began = self._now()
        start = start_of(cursor, began)
        since = (start - timedelta(seconds=OVERLAP_S)).timestamp()
        messages = self._history(since, (began - timedelta(seconds=THREADS_BACK_S)).timestamp())
        new = [
            one
            for message in messages
            if _is_new(message, since)
            for one in self._read(message, me)
        ]
        yield Batch(new, end_at(start))
        for root in messages:
            stands = (root.get("reply_count"), root.get("latest_reply"))
            if self._asked.get(text(root.get("ts"))) != stands and self._has_replies(
                root, me, since
            ):
                yield Batch(self._replies(root, me, since), end_at(start))
                self._remember(text(root.get("ts")), stands)
        yield Batch((), end_at(began))

    def _history(self, since: float, back_to: float) -> list[dict[str, Any]]:
        """Return the messages since then, and some from before, the oldest first."""
        params = {"channel": self._channel, "oldest": f"{min(since, back_to):.6f}"}
        listed = self._api.messages("conversations.history", params, pages_max=HISTORY_PAGES_MAX)
        found: list[dict[str, Any]] = []
        for pages, page in enumerate(listed, start=1):
            found += page
            is_back = bool(page) and _time(page[-1].get("ts")) < since
            if is_back and pages >= BACK_PAGES_MAX:
                break
            if pages == HISTORY_PAGES_MAX and not is_back:
                raise TransientError(f"{self.name} has more than {len(found)} new messages")
        return found[::-1]

    def _has_replies(self, root: dict[str, Any], me: Me, since: float) -> bool:
        if not root.get("reply_count"):
            return False
        latest = root.get("latest_reply")
        is_report = any(one.kind == "message" for one in self._read(root, me))
        return is_report and (latest is None or _time(latest) >= since)

    def _replies(self, root: dict[str, Any], me: Me, since: float) -> list[Delivery]:
        params = {"channel": self._channel, "ts": text(root.get("ts"))}
        pages = self._api.messages("conversations.replies", params, pages_max=REPLY_PAGES_MAX)
        return [
            found
            for page in pages
            for one in page
            if one.get("ts") != root.get("ts") and _is_new(one, since)
            for found in self._read(one, me)
        ]

    def _remember(self, stamp: str, stands: tuple[object, ...]) -> None:
        self._asked.pop(stamp, None)
        self._asked[stamp] = stands
        while len(self._asked) > THREADS_KNOWN_MAX:
            self._asked.pop(next(iter(self._asked)))

    def _read(self, message: dict[str, Any], me: Me) -> Iterator[Delivery]:
        """Yield what the door makes of the event that tells of `message` as it stands now."""
        event = {name: message[name] for name in _KEPT if name in message}
        event |= {"type": "message", "channel": self._channel}
        files = [
            {n: one.get(n) for n in ("id", "name", "title")} for one in objects(message, "files")
        ]
        edited = child(message, "edited")
        event |= {"files": files} if files else {}
        event |= {"edited": {n: edited.get(n) for n in ("user", "ts")}} if edited else {}
        event |= {"bot_profile": True} if message.get("bot_profile") else {}
        event |= {"channel_type": "im"} if self._channel.startswith("D") else {}
        payload = {
            "type": "event_callback",
            "team_id": self._team,
            "authorizations": [{"user_id": me.user, "is_bot": True}],
            "event": event,
        }
        body = json.dumps(payload, sort_keys=True).encode()
        for one in DOORS[0].read(Post({}, body)):
            if isinstance(one, Delivery):
                yield replace(one, body=body)

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`."""
        stop.wait(seconds)

    def close(self) -> None:
        """Let connections go."""
        self._api.close()


def _is_new(message: dict[str, Any], since: float) -> bool:
    edited = child(message, "edited").get("ts")
    return max(_time(message.get("ts")), _time(edited)) >= since


def _time(stamp: object) -> float:
    """Return the time in a message's id; what is none is long ago."""
    try:
        return float(stamp) if isinstance(stamp, str) and len(stamp) < 30 else 0.0
    except ValueError:
        return 0.0
