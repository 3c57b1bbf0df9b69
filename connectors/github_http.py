"""How GitHub is called: bounded, without redirects, and with a limit that is named.

What an answer means for the caller is decided here, once, from its status, headers and words.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.channel import objects, text
from schemas.errors import LimitedError, PoisonError, RefusedError, TransientError, UserError

ANSWER_BYTES_MAX = 16 * 1024 * 1024
CALL_S_MAX = 20.0
WAIT_S_DEFAULT = 60.0
"""GitHub asks for a minute at least where it names no time."""
WAIT_S_MAX = 3_700.0
"""The hourly limit may ask for an hour and a little."""
VERSION = "2022-11-28"
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": VERSION,
    "User-Agent": "bugstream",
}
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_LIMITS = ("secondary rate limit", "rate limit exceeded", "abuse detection")
_WORDS = {
    403: "GitHub does not let our account do that",
    404: "GitHub has no such thing, or our account may not see it",
    409: "GitHub says that it is in conflict with what is there",
    410: "GitHub says that it is gone",
    422: "GitHub cannot do what was asked",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `value` is the JSON in it, None where there is none."""

    status: int
    headers: Mapping[str, str]
    value: Any


class UnauthorizedError(RefusedError):
    """GitHub does not know who we are: nothing was done."""


class RefusalError(PoisonError):
    """GitHub will never do that."""

    def __init__(self, message: str, status: int) -> None:
        """`status` tells the refusals apart, such as 404 from 422."""
        super().__init__(message)
        self.status = status


class GitHubHttp:
    """Calls one GitHub. Knows no token: each call brings its own."""

    def __init__(self, base_url: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        """Call at `base_url`. Raises `UserError` for one over which no token should go."""
        parts = urlsplit(base_url)
        is_near = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or not (parts.scheme == "https" or is_near) or parts.username:
            raise UserError("github.url must look like https://api.github.com")
        self.base_url = base_url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.base_url,
            headers=_HEADERS,
            timeout=CALL_S_MAX,
            follow_redirects=False,
            transport=transport,
            trust_env=False,  # No netrc and no proxy of the environment gets at the token.
        )

    def call(
        self,
        method: str,
        target: str,
        *,
        authorization: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        etag: str = "",
    ) -> Answer:
        """Return the answer, which is one of success or, to an `etag`, 304.

        Raises `LimitedError` for a rate limit, `UnauthorizedError` for 401, `TransientError` when
        it may work later, also where nobody knows what was done, `RefusalError` when it never will.
        """
        headers = {"Authorization": authorization}
        if etag:
            headers["If-None-Match"] = etag
        try:
            with self._client.stream(
                method, target, params=query, json=body, headers=headers
            ) as response:
                content = _limited(response)
        except _NOT_SENT as error:
            raise RefusedError(f"GitHub cannot be reached ({type(error).__name__})") from error
        except httpx2.HTTPError as error:
            raise TransientError(f"GitHub does not answer ({type(error).__name__})") from error
        value = _value(content)
        if not (200 <= response.status_code < 300 or (etag and response.status_code == 304)):
            _refuse(response.status_code, response.headers, value)
        if content.strip() and value is None:
            raise TransientError("GitHub's answer is not JSON")
        return Answer(response.status_code, response.headers, value)

    def next_query(self, answer: Answer) -> str | None:
        """Return the query that leads to the next page of a list; None at its end.

        Of the link only that: its path may name the repository by a number, which says nothing
        to an app about whose token to take. Raises `TransientError` for another host.
        """
        found = httpx2.Response(200, headers=dict(answer.headers)).links.get("next", {}).get("url")
        if found is None:
            return None
        mine, theirs = urlsplit(self.base_url), urlsplit(found)
        if (theirs.scheme, theirs.netloc) != (mine.scheme, mine.netloc):
            raise TransientError("GitHub's link to the next page leads to another host")
        return theirs.query

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def _limited(response: httpx2.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise TransientError(f"GitHub's answer is larger than {ANSWER_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


def _value(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _refuse(status: int, headers: Mapping[str, str], value: object) -> None:
    said = text(value.get("message")) if isinstance(value, dict) else ""
    if _is_limit(status, headers, said):
        wait_s = _wait_s(headers)
        resource = headers.get("x-ratelimit-resource", "")[:40]
        is_used_up = headers.get("x-ratelimit-remaining") == "0" and "secondary" not in said.lower()
        reason = f"primary {resource}".strip() if is_used_up else "secondary"
        raise LimitedError(
            f"GitHub asks to wait {wait_s:.0f} s ({reason} rate limit)",
            retry_after_s=wait_s,
            reason=reason,
        )
    if status == 401:
        raise UnauthorizedError(f"GitHub does not know our account{_complaint(value)}")
    if status in {408, 425} or status >= 500:
        raise TransientError(f"GitHub answered {status}")
    if 300 <= status < 400:
        said = "GitHub says that it has moved: put its new name into the settings"
        raise RefusalError(said, status)
    words = _WORDS.get(status, "GitHub refused the call")
    raise RefusalError(f"{words} ({status}{_complaint(value)})", status)


def _is_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    if status == 429:
        return True
    return status == 403 and (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or any(words in said.lower() for words in _LIMITS)
    )


def _wait_s(headers: Mapping[str, str]) -> float:
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    wait_s = WAIT_S_DEFAULT
    if _is_number(after):
        wait_s = float(after)
    elif headers.get("x-ratelimit-remaining") == "0" and _is_number(reset):
        wait_s = float(reset) - time.time() + 1.0
    return min(max(wait_s, 1.0), WAIT_S_MAX)


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= 12


def _complaint(value: object) -> str:
    """Return what GitHub says is wrong, cut short: it may quote what people wrote."""
    said = text(value.get("message")) if isinstance(value, dict) else ""
    details = [
        text(one.get("message")) or text(one.get("code")) for one in objects(value, "errors")
    ]
    found = "; ".join(part for part in (said, *details) if part)
    return f": {' '.join(found.split())[:200]}" if found else ""
