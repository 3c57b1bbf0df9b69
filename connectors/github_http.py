"""What GitHub's answers mean: decided here, once, from their status, headers and words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.channel import objects, text
from connectors.http_caller import ANSWER_S_MAX, WAIT_S_DEFAULT, Answer, Caller, limited, wait_s
from schemas.errors import PoisonError, RefusedError, TransientError

VERSION = "2022-11-28"
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": VERSION,
    "User-Agent": "bugstream",
}
_LIMITS = ("secondary rate limit", "rate limit exceeded", "abuse detection")
_WORDS = {
    403: "GitHub does not let our account do that",
    404: "GitHub has no such thing, or our account may not see it",
    409: "GitHub says that it is in conflict with what is there",
    410: "GitHub says that it is gone",
    422: "GitHub cannot do what was asked",
}


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

    def __init__(
        self,
        base_url: str,
        *,
        answer_s_max: float = ANSWER_S_MAX,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Call at `base_url`; no call takes longer than `answer_s_max`."""
        self.base_url = base_url.rstrip("/")
        self._caller = Caller(
            "GitHub", self.base_url, _HEADERS, answer_s_max=answer_s_max, transport=transport
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
        answer = self._caller.exchange(method, target, params=query, body=body, headers=headers)
        if not (answer.is_ok or (etag and answer.status == 304)):
            _refuse(answer)
        if answer.is_garbled:
            raise TransientError("GitHub's answer is not JSON")
        return answer

    def next_query(self, answer: Answer) -> str | None:
        """Return the query that leads to the next page of a list; None at its end.

        Of the link only that: its path may name the repository by a number, which says nothing
        to an app about whose token to take. Raises `TransientError` for another host.
        """
        found = httpx2.Response(200, headers=dict(answer.headers)).links.get("next", {}).get("url")
        if found is None:
            return None
        try:
            mine, theirs = urlsplit(self.base_url), urlsplit(found)
        except ValueError as error:
            raise TransientError("GitHub's link to the next page is none") from error
        if (theirs.scheme, theirs.netloc) != (mine.scheme, mine.netloc):
            raise TransientError("GitHub's link to the next page leads to another host")
        return theirs.query

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()


def _refuse(answer: Answer) -> None:
    status, headers, value = answer.status, answer.headers, answer.value
    said = text(value.get("message")) if isinstance(value, dict) else ""
    if _is_limit(status, headers, said):
        resource = headers.get("x-ratelimit-resource", "")[:40]
        is_used_up = headers.get("x-ratelimit-remaining") == "0" and "secondary" not in said.lower()
        reason = f"primary {resource}".strip() if is_used_up else "secondary"
        seconds = max(1.0, wait_s(answer, otherwise=_until_reset_s(headers)))
        raise limited("GitHub", seconds, reason=reason)
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


def _until_reset_s(headers: Mapping[str, str]) -> float:
    reset = headers.get("x-ratelimit-reset", "")
    is_time = reset.isascii() and reset.isdecimal() and len(reset) <= 12
    if headers.get("x-ratelimit-remaining") == "0" and is_time:
        return float(reset) - time.time() + 1.0
    return WAIT_S_DEFAULT


def _complaint(value: object) -> str:
    """Return what GitHub says is wrong, cut short: it may quote what people wrote."""
    said = text(value.get("message")) if isinstance(value, dict) else ""
    details = [
        text(one.get("message")) or text(one.get("code")) for one in objects(value, "errors")
    ]
    found = "; ".join(part for part in (said, *details) if part)
    return f": {' '.join(found.split())[:200]}" if found else ""
