from __future__ import annotations

from datetime import datetime

from connectors.inbox import Inbox
from schemas.errors import TransientError
from streams.refusals import REFUSALS_NOTED_PER_MINUTE_MAX, Refusals


def test_what_was_turned_away_can_be_read_again(inbox: Inbox) -> None:
    Refusals(inbox).note(route="github", delivery_id="d-1", reason="signature")

    assert inbox.refusals() == [("github", "d-1", "signature")]


def test_a_flood_is_noted_in_part_and_the_next_minute_again(inbox: Inbox) -> None:
    now_s = 30.0
    refusals = Refusals(inbox, monotonic_s=lambda: now_s)
    for number in range(REFUSALS_NOTED_PER_MINUTE_MAX + 20):
        refusals.note(route="github", delivery_id=str(number), reason="signature")

    assert len(inbox.refusals()) == REFUSALS_NOTED_PER_MINUTE_MAX
    now_s += 60.0
    refusals.note(route="github", delivery_id="later", reason="signature")
    assert len(inbox.refusals()) == REFUSALS_NOTED_PER_MINUTE_MAX + 1


class Full(Inbox):
    """An inbox whose disk is full."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def refuse(self, *, route: str, delivery_id: str, reason: str, at: datetime) -> None:
        raise TransientError("the disk is full")


def test_a_note_that_cannot_be_written_is_no_error() -> None:
    Refusals(Full()).note(route="github", delivery_id="d-1", reason="signature")
