"""Answers in Slack: in the thread of the message that a report is, once.

Each message carries the idempotency key in its metadata, which people do not see, and every post
looks for it first. A long answer is several messages; what is there already is not posted again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import httpx2

from connectors.channel import child, text
from connectors.slack_api import BASE_URL, SlackApi
from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin

EVENT_TYPE = "bugstream_answer"
PAGES_MAX = 10
_CHANNEL = re.compile(r"[A-Z0-9]{1,30}/([A-Z0-9]{1,30})")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")


class Rendered(Protocol):
    """A message in Slack's form."""

    @property
    def text(self) -> str:
        """For notifications."""

    @property
    def blocks(self) -> Sequence[Mapping[str, Any]]:
        """What is shown."""


class SlackMessenger:
    """A `Messenger` for reports that came from Slack."""

    def __init__(
        self,
        token: str,
        render: Callable[[str], Sequence[Rendered]],
        *,
        base_url: str = BASE_URL,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`render` turns Markdown into messages in which nobody is mentioned."""
        self._api = SlackApi(token, base_url=base_url, transport=transport)
        self._render = render

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an answer with this key that is there as a whole."""
        channel, thread = _place(origin)
        found, total = self._found(channel, thread, key)
        return f"{channel}/{found[0]}" if 0 in found and len(found) >= total else None

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once, whatever of it is not there yet, and return the receipt.

        Raises `TransientError` when it may work later, `PoisonError` when it never will.
        """
        channel, thread = _place(origin)
        parts = self._render(text)
        if not parts:
            raise PoisonError("Slack takes no message without words")
        stamps, _ = self._found(channel, thread, key)
        for number, part in enumerate(parts):
            if number not in stamps:
                stamps[number] = self._send(
                    {
                        "channel": channel,
                        "text": part.text,
                        "blocks": list(part.blocks),
                        "metadata": _marker(key, number, len(parts)),
                        # Nothing in the text becomes a mention, and no link in it is fetched.
                        "parse": "none",
                        "link_names": False,
                        "unfurl_links": False,
                        "unfurl_media": False,
                        **({"thread_ts": thread} if thread else {}),
                    }
                )
        return f"{channel}/{stamps[0]}"

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()

    def _send(self, body: Mapping[str, Any]) -> str:
        stamp = self._api.tell("chat.postMessage", body).get("ts")
        if not isinstance(stamp, str):
            raise TransientError("Slack said ok and named no message")
        return stamp

    def _found(self, channel: str, thread: str | None, key: UUID) -> tuple[dict[int, str], int]:
        """Return where the parts of an earlier answer are, and how many it has."""
        stamps: dict[int, str] = {}
        total = 1
        me = self._api.me()
        for message in self._messages(channel, thread):
            marker = child(message, "metadata", "event_payload")
            number, parts = marker.get("part"), marker.get("parts")
            # Other people's programs may write the same metadata.
            if marker.get("key") != str(key) or not me.wrote(message):
                continue
            if isinstance(number, int) and isinstance(parts, int):
                stamps.setdefault(number, text(message.get("ts")))
                total = parts
        return stamps, total

    def _messages(self, channel: str, thread: str | None) -> Iterator[dict[str, Any]]:
        """Yield the messages of the thread, or the newest of the channel where there is none."""
        method = "conversations.replies" if thread else "conversations.history"
        params = {"channel": channel, "include_all_metadata": "true"}
        if thread:
            params["ts"] = thread
        for page in self._api.messages(method, params, pages_max=PAGES_MAX):
            yield from page


def _marker(key: UUID, number: int, parts: int) -> dict[str, Any]:
    payload = {"key": str(key), "part": number, "parts": parts}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def _place(origin: Origin) -> tuple[str, str | None]:
    """Return the channel and the thread, None for a command: it left no message."""
    found = _CHANNEL.fullmatch(origin.container)
    if origin.channel != "slack" or found is None:
        raise PoisonError(f"{origin.channel}:{origin.container[:80]} is no channel of Slack")
    return found[1], origin.item if _STAMP.fullmatch(origin.item) else None
