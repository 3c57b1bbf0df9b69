"""What is asked for instead of delivered: a mailbox, and what was lost while we were down."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.channel import Delivery

Cursor = Mapping[str, Any]
"""Where to go on asking, as JSON of at most 4 KB."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found, and where to go on once it is kept."""

    items: Sequence[Delivery]
    """Each with its own `body`."""
    cursor: Cursor
    content_type: str = "application/json"


class Poller(Protocol):
    """Asks one provider what is new. Its finds go the way of a webhook's, into the same inbox.

    What was delivered already is found again and again: it is known by its delivery id, or by
    entity and meaning, and is kept once. So a cursor may lie a little in the past, and should.
    """

    @property
    def name(self) -> str:
        """Return what its cursor is kept under, such as `email/bugs@acme.org/INBOX`."""

    @property
    def route(self) -> str:
        """Return the first part of its route; of a door's poller the name of that door."""

    @property
    def every_s(self) -> float:
        """Return how long to wait between two rounds."""

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what is new since `cursor`, in parts; None: this is the first round ever.

        Each batch is kept, and then its cursor, before the next one is asked for. Raises
        `TransientError` (`LimitedError` too) when it may work later, `UserError` when a person
        has to put the settings right.
        """

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`, or until there is something new."""

    def close(self) -> None:
        """Let connections go. Harmless when there are none."""
