"""A fresh access token for XOAUTH2, asked for again before it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

import httpx2

from connectors.http_caller import Answer, Caller
from schemas.accounts.mailbox import OAuth
from schemas.errors import TransientError, UserError

ANSWER_BYTES_MAX = 256 * 1024
FRESH_S_MIN = 300.0
"""A token that ends sooner is not used any more."""
LIVES_S_DEFAULT = 3600.0


class OAuthToken:
    """The token of one account. Thread-safe."""

    def __init__(
        self,
        settings: OAuth,
        *,
        transport: httpx2.BaseTransport | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`transport` replaces the network."""
        self._settings = settings
        self._transport = transport
        self._now_s = now_s
        self._lock = threading.Lock()
        self._token = ""
        self._ends_s = 0.0
        self._refresh = (
            settings.refresh_token.get_secret_value() if settings.refresh_token else None
        )

    def get(self) -> str:
        """Return a token that is good for minutes at least.

        Raises `UserError` when the provider refuses for good, `TransientError` else.
        """
        fixed = self._settings.token
        if fixed is not None:
            return fixed.get_secret_value()
        with self._lock:
            if not self._token or self._now_s() > self._ends_s - FRESH_S_MIN:
                self._ask()
            return self._token

    def forget(self) -> None:
        """Ask anew at the next `get`: the mail server did not want this one."""
        with self._lock:
            self._token = ""

    def _ask(self) -> None:
        answer = self._answer()
        value = answer.value if isinstance(answer.value, dict) else {}
        token = value.get("access_token")
        if answer.is_ok and isinstance(token, str) and token:
            lives = value.get("expires_in", LIVES_S_DEFAULT)
            self._token = token
            self._ends_s = self._now_s() + _seconds(lives)
            # Exchange gives a new one each time; this run goes on with the newest.
            newer = value.get("refresh_token")
            self._refresh = newer if isinstance(newer, str) and newer else self._refresh
            return
        said = str(value.get("error") or f"status {answer.status}")[:100]
        if answer.status in {400, 401, 403}:
            raise UserError(
                f"mailbox.oauth: {self._settings.token_url} gives no token ({said}); sign in anew"
                " and set refresh_token, client_id and client_secret"
            )
        raise TransientError(f"the token server answered {said}")

    def _form(self) -> dict[str, str]:
        form = {"client_id": self._settings.client_id}
        if self._settings.client_secret is not None:
            form["client_secret"] = self._settings.client_secret.get_secret_value()
        if self._settings.scope:
            form["scope"] = self._settings.scope
        if self._refresh is None:
            return form | {"grant_type": "client_credentials"}
        return form | {"grant_type": "refresh_token", "refresh_token": self._refresh}

    def _answer(self) -> Answer:
        with closing(
            Caller("the token server", answer_bytes_max=ANSWER_BYTES_MAX, transport=self._transport)
        ) as caller:
            return caller.call("POST", self._settings.token_url, form=self._form())


def _seconds(value: object) -> float:
    try:
        # A text where a number belongs is what some servers send.
        return max(0.0, min(float(str(value)), 86_400.0))
    except ValueError:
        return LIVES_S_DEFAULT
