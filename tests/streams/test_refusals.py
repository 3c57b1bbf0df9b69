from __future__ import annotations

from datetime import datetime

from connectors.inbox import Inbox
from schemas.errors import TransientError
from streams.refusals import REFUSALS_NOTED_PER_MINUTE_MAX, Refusals


def test_what_was_turned_away_can_be_read_again(inbox: Inbox) -> None:
    Refusals(inbox).note(route="github", delivery_id="d-1", reason="signature")

    assert inbox.refusals() == [("github", "d-1", "signature")]


def test_a_flood_is_noted_in_part(inbox: Inbox) -> None:
    refusals = Refusals(inbox)
    for number in range(REFUSALS_NOTED_PER_MINUTE_MAX + 20):
        refusals.note(route="github", delivery_id=str(number), reason="signature")

    # The minute may turn once while this runs.
    assert (
        REFUSALS_NOTED_PER_MINUTE_MAX
        <= len(inbox.refusals())
        <= 2 * (REFUSALS_NOTED_PER_MINUTE_MAX)
    )


class Full(Inbox):
    """An inbox whose disk is full."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def refuse(self, *, route: str, delivery_id: str, reason: str, at: datetime) -> None:
        raise TransientError("the disk is full")


def test_a_note_that_cannot_be_written_is_no_error() -> None:
    Refusals(Full()).note(route="github", delivery_id="d-1", reason="signature")
