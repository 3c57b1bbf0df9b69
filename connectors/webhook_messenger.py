"""Answer a report by posting JSON to a URL: for any tool that has no adapter of its own yet.

`POST URL` with `{"key", "channel", "container", "item", "url", "text"}` and the header
`Idempotency-Key`; the answer is `{"receipt": "..."}`. `GET URL?key=...` gives the same answer for a
message that was accepted before, else 404. `text` is Markdown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from connectors.http_caller import Answer, Caller, limited, wait_s
from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin

ANSWER_BYTES_MAX = 64 * 1024
RECEIPT_CHARS_MAX = 500
_LATER = frozenset({408, 425})
_NO_LOOKUP = frozenset({404, 405, 410, 501})
"""Not there, or a tool that cannot be asked; then its idempotency key has to be enough."""


class WebhookMessenger:
    """A `Messenger` that posts to the `answer_url` of the project a report belongs to."""

    def __init__(
        self, answer_url: Callable[[Origin], str | None], *, answer_s_max: float = 10.0
    ) -> None:
        """`answer_url` says where a report is answered, or None where nowhere."""
        self._answer_url = answer_url
        self._caller = Caller(
            "answer_url", answer_bytes_max=ANSWER_BYTES_MAX, answer_s_max=answer_s_max
        )

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this idempotency key.

        Raises `TransientError` when the other side cannot be asked.
        """
        url = self._url(origin)
        question = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'key': str(key)})}"
        answer = self._caller.exchange("GET", question)
        if answer.status in _NO_LOOKUP or answer.status == 204:
            return None
        _raise_unless_ok(answer)
        return _receipt(answer, key)

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
        headers = {"Idempotency-Key": str(key)}
        answer = self._caller.exchange("POST", self._url(origin), body=message, headers=headers)
        # "Conflict" is how many tools say that they have had this key already.
        if answer.status != 409:
            _raise_unless_ok(answer)
        return _receipt(answer, key)

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()

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


def _raise_unless_ok(answer: Answer) -> None:
    if answer.is_ok:
        return
    if answer.status == 429:
        raise limited("answer_url", wait_s(answer))
    if answer.status in _LATER or answer.status >= 500:
        raise TransientError(f"answer_url answered {answer.status}")
    # A redirect too: a redirected POST would become a GET without the message.
    raise PoisonError(f"answer_url refused the message with {answer.status}")


def _receipt(answer: Answer, key: UUID) -> str:
    """Return the other side's id of the message; the key where it gives none."""
    found = answer.value.get("receipt") if isinstance(answer.value, dict) else None
    return found[:RECEIPT_CHARS_MAX] if isinstance(found, str) and found else str(key)
