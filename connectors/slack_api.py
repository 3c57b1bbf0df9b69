"""Calls to Slack's Web API: what a refusal means, who we are there, and lists page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from connectors.channel import child, listed, text
from connectors.http_caller import WAIT_S_DEFAULT, Answer, Caller, limited
from schemas.errors import PoisonError, TransientError

BASE_URL = "https://slack.com/api"
PAGE_MESSAGES = 200
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


@dataclass(frozen=True, slots=True)
class Me:
    """Who the token speaks for."""

    team: str
    user: str
    bot: str

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """Return whether `message` is by this very app; other programs may imitate its words."""
        is_bot = bool(self.bot) and message.get("bot_id") == self.bot
        return is_bot or message.get("user") == self.user


class SlackApi:
    """One workspace, with one token, which stands in a header and nowhere else."""

    def __init__(
        self,
        token: str,
        *,
        base_url: str = BASE_URL,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Call at `base_url`; `transport` replaces the network."""
        headers = {"Authorization": f"Bearer {token}"}
        self._caller = Caller("Slack", base_url, headers, transport=transport)
        self._me: Me | None = None

    def me(self) -> Me:
        """Return who we are; it is asked once."""
        if self._me is None:
            said = self.ask("auth.test", {})
            team, user, bot = (text(said.get(name)) for name in ("team_id", "user_id", "bot_id"))
            if not user:
                # Without it nothing of ours would be known again, and all of it posted twice.
                raise TransientError("Slack said ok and did not say who the token speaks for")
            self._me = Me(team, user, bot)
        return self._me

    def ask(self, method: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return what a method says that changes nothing. Raises like `tell`."""
        # Every method takes a form; not every one takes JSON, or a query.
        return _understood(method, self._caller.call("POST", method, form=params))

    def tell(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a method says that changes something.

        Raises `TransientError` when it may work later (`LimitedError` where Slack says when), and
        `PoisonError` when it never will.
        """
        return _understood(method, self._caller.call("POST", method, body=body))

    def messages(
        self, method: str, params: Mapping[str, str], *, pages_max: int
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the messages that a listing method gives, page by page, at most `pages_max`."""
        asked = {"limit": str(PAGE_MESSAGES), **params}
        for _ in range(pages_max):
            page = self.ask(method, asked)
            yield listed(page, "messages", "Slack")
            cursor = text(child(page, "response_metadata").get("next_cursor"))
            if not cursor:
                return
            asked["cursor"] = cursor

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()


def _understood(method: str, answer: Answer) -> dict[str, Any]:
    value = answer.value if isinstance(answer.value, dict) else {}
    if value.get("ok") is True:
        return value
    error = text(value.get("error")) or f"status {answer.status}"
    if error in _LIMITED:
        raise limited("Slack", WAIT_S_DEFAULT, reason=error)
    said = f"Slack refused {method}: {error[:100]}"
    if error in _FINAL:
        raise PoisonError(said)
    raise TransientError(f"{said}; {_WAY_OUT[error]}" if error in _WAY_OUT else said)
