"""Answers in Discord: as a reply to the message that a report is, once.

Discord forgets a nonce after minutes and does not give it back, so each message also ends with a
small line that names the idempotency key, and every post looks for that first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx2

from connectors.channel import child, listed, text
from connectors.http_caller import Caller
from schemas.errors import PoisonError, TransientError
from schemas.projects import TEAM_ITEM
from schemas.raw import Origin

BASE_URL = "https://discord.com/api/v10"
USER_AGENT = "DiscordBot (bugstream, 0.1)"
CONTENT_CHARS_MAX = 2000
MARKER_CHARS_MAX = 50
PAGE_MESSAGES = 100
PAGES_MAX = 10
_CHANNEL = re.compile(r"(?:[0-9]{1,20}|@me)/([0-9]{1,20})")
_NUMBER = re.compile(r"[0-9]{1,20}")
_ITEM = re.compile(r"(interaction/)?([0-9]{1,20})")
_MARKER = re.compile(r"-# ref ([0-9a-f]{16}) ([0-9]{1,2})/([0-9]{1,2})")
_SUPPRESS_EMBEDS = 4

_FIXABLE = {
    401: "set the bot's token",
    403: "let the bot see the channel, read its history and send messages",
}
"""What a person can put right; until then the answer waits."""


class DiscordMessenger:
    """A `Messenger` for reports that came from Discord."""

    def __init__(
        self,
        token: str,
        render: Callable[[str], Sequence[str]],
        *,
        base_url: str = BASE_URL,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`render` turns Markdown into contents that leave `MARKER_CHARS_MAX` for our line."""
        headers = {"Authorization": f"Bot {token}", "User-Agent": USER_AGENT}
        self._caller = Caller("Discord", base_url, headers, transport=transport)
        self._render = render
        self._id = ""

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an answer with this key that is there as a whole."""
        channel, after, _ = _place(origin)
        found, total = self._found(channel, after, key)
        return f"{channel}/{found[1]}" if 1 in found and len(found) >= total else None

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once, whatever of it is not there yet, and return the receipt.

        Raises `TransientError` when it may work later, `PoisonError` when it never will.
        """
        channel, after, replied = _place(origin)
        parts = self._render(text)
        if not parts:
            raise PoisonError("Discord takes no message without words")
        posted, _ = self._found(channel, after, key)
        for number, part in enumerate(parts, start=1):
            if number not in posted:
                body = _body(part, key, number, len(parts), replied)
                posted[number] = self._send(channel, body)
        return f"{channel}/{posted[1]}"

    def me(self) -> str:
        """Return the name of our bot."""
        return text(self._user().get("username"))[:100]

    def _user(self) -> dict[str, Any]:
        value = self._checked("GET", "users/@me")
        return value if isinstance(value, dict) else {}

    def register(self, application_id: str, commands: Sequence[Mapping[str, Any]]) -> None:
        """Make `commands` the application's own, instead of those it had."""
        path = f"applications/{application_id}/commands"
        self._checked("PUT", path, body=[dict(one) for one in commands])

    def _send(self, channel: str, body: Mapping[str, Any]) -> str:
        value = self._checked("POST", f"channels/{channel}/messages", body=body)
        posted = value.get("id") if isinstance(value, dict) else None
        if not isinstance(posted, str):
            raise TransientError("Discord took a message and named none")
        return posted

    def _found(self, channel: str, after: str | None, key: UUID) -> tuple[dict[int, str], int]:
        """Return where the parts of an earlier answer are, and how many it has."""
        ids: dict[int, str] = {}
        total = 1
        me = self._own_id()
        for message in self._messages(channel, after):
            last = text(message.get("content")).rpartition("\n")[2]
            marker = _MARKER.fullmatch(last)
            # People can type the same line, and other bots repeat it.
            is_ours = child(message, "author").get("id") == me
            if marker is None or not is_ours or marker[1] != key.hex[:16]:
                continue
            ids.setdefault(int(marker[2]), text(message.get("id")))
            total = int(marker[3])
        return ids, total

    def _own_id(self) -> str:
        """Return the id of our bot; it is asked once."""
        if not self._id:
            self._id = text(self._user().get("id"))
        if not self._id:
            # Without it nothing of ours would be known again, and all of it posted twice.
            raise TransientError("Discord does not say whose the token is")
        return self._id

    def _messages(self, channel: str, after: str | None) -> Iterator[dict[str, Any]]:
        """Yield what was written since, oldest page first; without a beginning the newest first.

        Within a page Discord's order holds.
        """
        start = {"after": after} if after else {}
        for _ in range(PAGES_MAX):
            params = {**start, "limit": str(PAGE_MESSAGES)}
            page = self._checked("GET", f"channels/{channel}/messages", params=params)
            messages = listed({"messages": page}, "messages", "Discord")
            yield from messages
            ids = [int(one["id"]) for one in messages if _NUMBER.fullmatch(text(one.get("id")))]
            if len(messages) < PAGE_MESSAGES or not ids:
                return
            start = {"after": str(max(ids))} if after else {"before": str(min(ids))}

    def _checked(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Any:
        answer = self._caller.call(method, path, params=params, body=body)
        if answer.is_ok:
            return answer.value
        value = answer.value if isinstance(answer.value, dict) else {}
        code, message = value.get("code"), text(value.get("message"))[:200]
        said = f"Discord answered {answer.status} ({code}: {message})"
        if way_out := _FIXABLE.get(answer.status):
            raise TransientError(f"{said}; {way_out}")
        raise PoisonError(said)


def _body(part: str, key: UUID, number: int, parts: int, replied: str | None) -> dict[str, Any]:
    content = f"{part}\n-# ref {key.hex[:16]} {number}/{parts}"
    if len(content) > CONTENT_CHARS_MAX:
        raise PoisonError(f"Discord takes {CONTENT_CHARS_MAX} characters, not {len(content)}")
    body: dict[str, Any] = {
        "content": content,
        "nonce": f"{key.hex[:20]}-{number}",
        "enforce_nonce": True,
        "allowed_mentions": {"parse": [], "replied_user": False},
        "flags": _SUPPRESS_EMBEDS,
    }
    if replied is not None:
        body["message_reference"] = {"message_id": replied, "fail_if_not_exists": False}
    return body


def _place(origin: Origin) -> tuple[str, str | None, str | None]:
    """Return the channel, since when to look, and the message to reply to.

    A command left none to reply to; what is told to a team replies to nothing and begins nowhere.
    """
    channel, item = _CHANNEL.fullmatch(origin.container), _ITEM.fullmatch(origin.item)
    if origin.channel == "discord" and channel and origin.item == TEAM_ITEM:
        return channel[1], None, None
    if origin.channel != "discord" or channel is None or item is None:
        raise PoisonError(f"{origin.channel}:{origin.container[:80]} is no channel of Discord")
    return channel[1], item[2], None if item[1] else item[2]
