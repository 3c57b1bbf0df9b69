"""How any provider is called: bounded in bytes and in time, and never led anywhere else.

No redirect is followed, and no proxy or netrc of the environment gets at a token. What a status
means is the same for most providers; who means something else by it asks by `exchange`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from connectors.http_deadline import Deadline, network
from schemas.errors import LimitedError, PoisonError, RefusedError, TransientError

ANSWER_BYTES_MAX = 16 * 1024 * 1024
SILENCE_S_MAX = 20.0
"""Between two bytes, and until there is a connection."""
ANSWER_S_MAX = 120.0
"""For all of a call, however slowly its answer drips."""
WAIT_S_DEFAULT = 60.0
WAIT_S_MAX = 3_700.0
"""Hourly limits may ask for an hour and a little."""
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_REASONS = ("ratelimit-reason", "x-ratelimit-scope")
"""Where providers say which of their limits was met."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    value: Any
    """The JSON in it, None where there is none."""
    is_garbled: bool
    """Whether there is something in it that is no JSON, such as a page for people."""

    @property
    def is_ok(self) -> bool:
        """Return whether it was done."""
        return 200 <= self.status < 300


class Caller:
    """Calls one provider. Tokens stand in headers and nowhere else."""

    def __init__(
        self,
        provider: str,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        answer_s_max: float = ANSWER_S_MAX,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Call below `base_url`; people know it as `provider`; `transport` replaces the network."""
        self._provider = provider
        self._answer_bytes_max = answer_bytes_max
        self._answer_s_max = answer_s_max
        self._deadline = Deadline()
        self._client = httpx2.Client(
            base_url=base_url,
            headers=dict(headers or {}),
            timeout=SILENCE_S_MAX,
            follow_redirects=False,
            transport=transport or network(self._deadline),
            trust_env=False,
        )

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer, whatever its status. What is sent is JSON or a form.

        Raises `RefusedError` when nothing was sent, `TransientError` when nobody knows what was
        done, `PoisonError` for what cannot be written down, such as half a character.
        """
        self._deadline.until_s = time.monotonic() + self._answer_s_max
        sent = {"json": body} if form is None else {"data": form}
        try:
            with self._client.stream(method, path, params=params, headers=headers, **sent) as found:
                content = self._content(found)
        except _NOT_SENT as error:
            said = f"{self._provider} cannot be reached ({type(error).__name__})"
            raise RefusedError(said) from error
        except httpx2.HTTPError as error:
            said = f"{self._provider} does not answer ({type(error).__name__})"
            raise TransientError(said) from error
        except (ValueError, httpx2.InvalidURL) as error:
            # Some of it is a stranger's, or what the provider itself told us to come back with.
            raise PoisonError(f"{self._provider} cannot be asked that way") from error
        value = _value(content)
        is_garbled = value is None and bool(content.strip())
        return Answer(found.status_code, found.headers, value, is_garbled)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer where it is a yes or a refusal for good.

        Raises `LimitedError` for a rate limit, and `TransientError` when it may work later.
        """
        answer = self.exchange(method, path, params=params, body=body, form=form)
        if answer.status == 429:
            reason = next(filter(None, map(answer.headers.get, _REASONS)), "")
            raise limited(self._provider, wait_s(answer), reason=reason[:60])
        # A redirect: the address in the settings is not quite right, which a person can mend.
        if answer.status in {408, 425} or answer.status >= 500 or 300 <= answer.status < 400:
            raise TransientError(f"{self._provider} answered {answer.status}")
        return answer

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _content(self, answer: httpx2.Response) -> bytes:
        content = bytearray()
        for part in answer.iter_bytes():
            content += part
            if len(content) > self._answer_bytes_max:
                said = f"{self._provider}'s answer is larger than {self._answer_bytes_max} bytes"
                raise TransientError(said)
            self._deadline.left_s()
        return bytes(content)


def limited(provider: str, seconds: float, *, reason: str = "") -> LimitedError:
    """Return the error of a call that was one too many; nothing was done."""
    why = f" ({reason})" if reason else ""
    said = f"{provider} asks to wait {seconds:g} s{why}"
    return LimitedError(said, retry_after_s=seconds, reason=reason)


def wait_s(answer: Answer, *, otherwise: float = WAIT_S_DEFAULT) -> float:
    """Return how long the answer asks to wait, within `WAIT_S_MAX`; where it does not say, else."""
    value = answer.value
    said = value.get("retry_after") if isinstance(value, dict) else None
    for given in (answer.headers.get("retry-after"), said):
        try:
            seconds = float(given) if isinstance(given, int | float | str) else math.nan
        except (ValueError, OverflowError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, WAIT_S_MAX)
    return min(max(otherwise, 0.0), WAIT_S_MAX)


def _value(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
