"""How a provider is called: bounded, without redirects, and with a limit that is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from schemas.errors import LimitedError, TransientError

ANSWER_BYTES_MAX = 8 * 1024 * 1024
ANSWER_S_MAX = 20.0
WAIT_S_DEFAULT = 30.0
WAIT_S_MAX = 3600.0


def limited(provider: str, seconds: float, *, reason: str = "") -> LimitedError:
    """Return the error of a call that was one too many; nothing was done."""
    return LimitedError(
        f"{provider} asks to wait {seconds:g} s", retry_after_s=seconds, reason=reason
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `value` is the JSON in it, None where there is none."""

    status: int
    value: Any
    link: str = ""
    """The header of that name: where more is."""


class Caller:
    """Calls one provider with one token, which stands in a header and nowhere else."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: Mapping[str, str],
        *,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Call at `base_url`; people know it as `provider`; `transport` replaces the network."""
        self._provider = provider
        self._client = httpx2.Client(
            base_url=base_url,
            headers=dict(headers),
            timeout=ANSWER_S_MAX,
            follow_redirects=False,
            transport=transport,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer, whatever its status below 500. What is sent is JSON or a form.

        Raises `LimitedError` for a rate limit and `TransientError` when nobody knows what was done.
        """
        try:
            sent = {"json": body} if form is None else {"data": form}
            with self._client.stream(method, path, params=params, **sent) as answer:
                content = self._content(answer)
        except httpx2.HTTPError as error:
            said = f"{self._provider} does not answer ({type(error).__name__})"
            raise TransientError(said) from error
        value = _value(content)
        if answer.status_code == 429:
            scope = answer.headers.get("x-ratelimit-scope", "")[:50]
            raise limited(self._provider, _wait_s(answer.headers, value), reason=scope)
        if answer.status_code >= 500 or 300 <= answer.status_code < 400:
            raise TransientError(f"{self._provider} answered {answer.status_code}")
        return Answer(answer.status_code, value, answer.headers.get("link", "")[:4000])

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _content(self, answer: httpx2.Response) -> bytes:
        content = b""
        for part in answer.iter_bytes():
            content += part
            if len(content) > ANSWER_BYTES_MAX:
                raise TransientError(f"{self._provider} answered with more than can be read")
        return content


def _value(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _wait_s(headers: Mapping[str, str], value: object) -> float:
    said = value.get("retry_after") if isinstance(value, dict) else None
    for given in (headers.get("retry-after"), said):
        try:
            seconds = float(given) if isinstance(given, int | float | str) else math.nan
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, WAIT_S_MAX)
    return WAIT_S_DEFAULT
