"""How far was asked survives, and so does what went wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from connectors.database import open_engine
from connectors.inbox_tables import POLLERS
from connectors.poll_cursors import CURSOR_CHARS_MAX, ERROR_CHARS_MAX, PollCursors
from schemas.errors import TransientError, UserError


def test_a_cursor_is_kept_and_finds_are_counted(tmp_path: Path) -> None:
    cursors = PollCursors(open_engine(tmp_path / "inbox.sqlite"))

    assert cursors.load("github") is None
    cursors.save("github", {"since": "a"}, found=3)
    cursors.save("github", {"since": "b"}, found=2)

    assert PollCursors(open_engine(tmp_path / "inbox.sqlite")).load("github") == {"since": "b"}
    assert [(one.name, one.found) for one in cursors.all()] == [("github", 5)]


def test_a_failure_is_noted_beside_the_cursor_and_gone_after_a_good_round(tmp_path: Path) -> None:
    cursors = PollCursors(open_engine(tmp_path / "inbox.sqlite"))
    cursors.failed("email/a", "no such\0 user")
    cursors.save("email/a", {"uid": 7}, found=0)

    assert [(one.polled_at, one.error) for one in cursors.all()] == [(None, "no such\ufffd user")]

    cursors.ended("email/a", datetime(2026, 1, 2, tzinfo=UTC))

    assert [(one.polled_at, one.error) for one in cursors.all()] == [
        ("2026-01-02T00:00:00+00:00", None)
    ]
    assert cursors.load("email/a") == {"uid": 7}


def test_a_cursor_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    cursors = PollCursors(open_engine(tmp_path / "inbox.sqlite"))

    with pytest.raises(TransientError, match="more than"):
        cursors.save("slack", {"x": "y" * CURSOR_CHARS_MAX}, found=0)


@pytest.mark.parametrize("kept", ["{", "[]", "null", "[" * 100_000])
def test_a_cursor_that_cannot_be_read_is_for_people_and_is_not_begun_anew(
    tmp_path: Path, kept: str
) -> None:
    engine = open_engine(tmp_path / "inbox.sqlite")
    cursors = PollCursors(engine)
    cursors.save("slack", {"x": "y"}, found=0)
    with engine.begin() as connection:
        connection.execute(update(POLLERS).values(cursor=kept))

    with pytest.raises(UserError, match="slack: where it got to cannot be read"):
        cursors.load("slack")


def test_a_failure_may_quote_half_a_character_and_a_lot_more(tmp_path: Path) -> None:
    cursors = PollCursors(open_engine(tmp_path / "inbox.sqlite"))
    cursors.failed("slack", "\ud800" + "x" * 10_000)

    [found] = cursors.all()
    assert len(found.error or "") == ERROR_CHARS_MAX
