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

from connectors.channel import child, objects, text
from connectors.chat_http import WAIT_S_DEFAULT, Caller, limited
from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin

BASE_URL = "https://slack.com/api"
EVENT_TYPE = "bugstream_answer"
PAGE_MESSAGES = 200
PAGES_MAX = 10
_CHANNEL = re.compile(r"[A-Z0-9]{1,30}/([A-Z0-9]{1,30})")
_STAMP = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")

_FINAL = frozenset(
    {
        *("channel_not_found", "is_archived", "is_inactive", "channel_type_not_supported"),
        *("thread_not_found", "message_not_found", "cannot_reply_to_message", "thread_locked"),
        *("msg_too_long", "msg_blocks_too_long", "no_text", "invalid_blocks"),
        *("invalid_blocks_format", "invalid_arguments", "metadata_too_large"),
        *("invalid_metadata_format", "invalid_metadata_schema", "restricted_action"),
        *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
        *("restricted_action_non_threadable_channel", "restricted_action_thread_locked"),
        *("ekm_access_denied", "messages_tab_disabled"),
    }
)
"""Nothing that anybody does makes the same message acceptable."""
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_WAY_OUT = {
    "not_in_channel": "invite the app to the channel",
    "missing_scope": "give the app the scopes chat:write, channels:history and groups:history",
    "invalid_auth": "set the app's bot token",
    "not_authed": "set the app's bot token",
    "token_revoked": "set a new bot token",
    "token_expired": "set a new bot token",
    "account_inactive": "set a bot token of a workspace that the app is installed in",
}
"""What a person can put right; until then the answer waits."""


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
        headers = {"Authorization": f"Bearer {token}"}
        self._caller = Caller("Slack", base_url, headers, transport=transport)
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

    def _send(self, body: Mapping[str, Any]) -> str:
        stamp = self._answer("POST", "chat.postMessage", body=body).get("ts")
        if not isinstance(stamp, str):
            raise TransientError("Slack said ok and named no message")
        return stamp

    def _found(self, channel: str, thread: str | None, key: UUID) -> tuple[dict[int, str], int]:
        """Return where the parts of an earlier answer are, and how many it has."""
        stamps: dict[int, str] = {}
        total = 1
        for message in self._messages(channel, thread):
            marker = child(message, "metadata", "event_payload")
            number, parts = marker.get("part"), marker.get("parts")
            # Other people's programs may write the same metadata; an answer of ours has a bot.
            if marker.get("key") != str(key) or not message.get("bot_id"):
                continue
            if isinstance(number, int) and isinstance(parts, int):
                stamps.setdefault(number, text(message.get("ts")))
                total = parts
        return stamps, total

    def _messages(self, channel: str, thread: str | None) -> Iterator[dict[str, Any]]:
        """Yield the messages of the thread, or the newest of the channel where there is none."""
        path = "conversations.replies" if thread else "conversations.history"
        params = {
            "channel": channel,
            "limit": str(PAGE_MESSAGES),
            "include_all_metadata": "true",
            **({"ts": thread} if thread else {}),
        }
        for _ in range(PAGES_MAX):
            page = self._answer("GET", path, params=params)
            yield from objects(page, "messages")
            cursor = text(child(page, "response_metadata").get("next_cursor"))
            if not cursor:
                return
            params["cursor"] = cursor

    def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> dict[str, Any]:
        answer = self._caller.call(method, path, params=params, body=body)
        value = answer.value if isinstance(answer.value, dict) else {}
        if value.get("ok") is True:
            return value
        error = text(value.get("error")) or f"status {answer.status}"
        if error in _LIMITED:
            raise limited("Slack", WAIT_S_DEFAULT, reason=error)
        said = f"Slack refused {path}: {error[:100]}"
        if error in _FINAL:
            raise PoisonError(said)
        raise TransientError(f"{said}; {_WAY_OUT[error]}" if error in _WAY_OUT else said)


def _marker(key: UUID, number: int, parts: int) -> dict[str, Any]:
    payload = {"key": str(key), "part": number, "parts": parts}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def _place(origin: Origin) -> tuple[str, str | None]:
    """Return the channel and the thread, None for a command: it left no message."""
    found = _CHANNEL.fullmatch(origin.container)
    if origin.channel != "slack" or found is None:
        raise PoisonError(f"{origin.channel}:{origin.container[:80]} is no channel of Slack")
    return found[1], origin.item if _STAMP.fullmatch(origin.item) else None
