"""Answer a report by posting JSON to a URL: for any tool that has no adapter of its own yet.

`POST URL` with `{"key", "channel", "container", "item", "url", "text"}` and the header
`Idempotency-Key`; the answer is `{"receipt": "..."}`. `GET URL?key=...` gives the same answer for a
message that was accepted before, else 404. `text` is Markdown.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin

ANSWER_BYTES_MAX = 64 * 1024
RECEIPT_CHARS_MAX = 500
_OK = range(200, 300)
_LATER = frozenset({408, 425, 429})
_NO_LOOKUP = frozenset({404, 405, 410, 501})
"""Not there, or a tool that cannot be asked; then its idempotency key has to be enough."""


class WebhookMessenger:
    """A `Messenger` that posts to the `answer_url` of the project a report belongs to."""

    def __init__(
        self, answer_url: Callable[[Origin], str | None], *, answer_s_max: float = 10.0
    ) -> None:
        """`answer_url` says where a report is answered, or None where nowhere."""
        self._answer_url = answer_url
        self._answer_s_max = answer_s_max

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this idempotency key.

        Raises `TransientError` when the other side cannot be asked.
        """
        url = self._url(origin)
        question = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'key': str(key)})}"
        status, body = self._send(urllib.request.Request(question, method="GET"))  # noqa: S310
        if status in _NO_LOOKUP or status == 204:
            return None
        _raise_unless_ok(status)
        return _receipt(body, key)

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once and return the receipt.

        Raises `TransientError` when it may work later, also where it is not known whether the
        message was accepted; `PoisonError` when the other side refuses it.
        """
        message = {
            "key": str(key),
            "channel": origin.channel,
            "container": origin.container,
            "item": origin.item,
            "url": origin.url,
            "text": text,
        }
        request = urllib.request.Request(  # noqa: S310  # the scheme is checked in _url
            self._url(origin),
            data=json.dumps(message).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(key)},
            method="POST",
        )
        status, body = self._send(request)
        # "Conflict" is how many tools say that they have had this key already.
        if status != 409:
            _raise_unless_ok(status)
        return _receipt(body, key)

    def _url(self, origin: Origin) -> str:
        url = self._answer_url(origin)
        if not url:
            raise PoisonError(
                f"{origin.channel}:{origin.container} has nowhere to be answered:"
                " set answer_url in its [[project]]"
            )
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PoisonError("answer_url: use an http or https URL")
        return url

    def _send(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with _opener(request).open(request, timeout=self._answer_s_max) as answer:
                return answer.status, answer.read(ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(ANSWER_BYTES_MAX)
        except (OSError, HTTPException) as error:
            raise TransientError(f"answer_url does not answer ({type(error).__name__})") from error


class RecordingMessenger:
    """The same promises in memory, for `bugstream fix` and tests."""

    def __init__(self) -> None:
        """Start with nothing posted."""
        self._lock = threading.Lock()
        self.posted: dict[UUID, tuple[Origin, str]] = {}
        """Idempotency key -> where and what, in the order of posting."""

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this idempotency key."""
        del origin
        with self._lock:
            return str(key) if key in self.posted else None

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Keep `text` once and return the receipt."""
        with self._lock:
            self.posted.setdefault(key, (origin, text))
        return str(key)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET without its body: the message would be lost in silence."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, *rest: Any
    ) -> None:
        """Follow nothing; the caller sees the status."""
        del req, fp, code, msg, rest


def _opener(request: urllib.request.Request) -> urllib.request.OpenerDirector:
    host = urlsplit(request.full_url).hostname or ""
    is_near = host == "localhost" or host.startswith("127.") or host == "::1"
    # No proxy of the environment can reach this very machine.
    proxies = (urllib.request.ProxyHandler({}),) if is_near else ()
    return urllib.request.build_opener(_NoRedirects, *proxies)


def _raise_unless_ok(status: int) -> None:
    if status in _OK:
        return
    if status in _LATER or status >= 500:
        raise TransientError(f"answer_url answered {status}")
    raise PoisonError(f"answer_url refused the message with {status}")


def _receipt(body: bytes, key: UUID) -> str:
    """Return the other side's id of the message; the key where it gives none."""
    try:
        value = json.loads(body)
    except ValueError:
        return str(key)
    found = value.get("receipt") if isinstance(value, dict) else None
    return found[:RECEIPT_CHARS_MAX] if isinstance(found, str) and found else str(key)
