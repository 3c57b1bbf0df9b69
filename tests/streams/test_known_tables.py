from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from rich.console import Console

from projections.views import Filter
from schemas.lifecycle import Status
from streams.answers import Answers, AuditAnswer, DifferenceAnswer
from streams.known_tables import ago, audit, bugs, plain
from tests.streams.known import known

NOW = datetime(2026, 11, 22, tzinfo=UTC)
EMPTY = AuditAnswer(
    bug_id=UUID(int=1),
    at=None,
    partition=0,
    state=None,
    timeline=(),
    effects=(),
    equals_live=False,
    not_compared="",
    differences=(),
)


def printed(answer: AuditAnswer) -> str:
    out = StringIO()
    audit(answer, Console(file=out, width=120))
    return out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7300, "2 h ago"), (90_000, "1 d ago")],
)
def test_age_is_told_in_the_largest_unit(seconds: int, expected: str) -> None:
    assert ago(NOW, NOW - timedelta(seconds=seconds)) == expected


def test_text_is_one_line_that_no_terminal_obeys() -> None:
    assert plain("a\nb\x1b[31mc\u202e").plain == "a b [31mc"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_narrow_window_cuts_the_title_and_never_the_id(width: int, tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        page = Answers(filled.views, filled.blobs).bugs(Filter(), limit=5, cursor=None)
    titled = [bug.model_copy(update={"title": "much too long " * 20}) for bug in page.bugs]
    out = StringIO()

    bugs(
        page.model_copy(update={"bugs": tuple(titled)}),
        Console(file=out, width=width),
        is_filtered=False,
        now=NOW,
    )

    lines = [one for one in out.getvalue().splitlines() if not one.startswith("More: ")]
    assert all(bug.human_id in out.getvalue() for bug in titled)
    assert max(map(len, lines)) <= width
    if width >= 80:
        assert all(str(bug.severity) in out.getvalue() for bug in titled)


def test_long_words_in_other_columns_leave_room_for_the_title(tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        page = Answers(filled.views, filled.blobs).bugs(Filter(), limit=1, cursor=None)
    (one,) = page.bugs
    long = {"status": Status.WAITING_FOR_APPROVAL, "project": "p" * 30}
    told = one.model_copy(update={"title": "Checkout crashes without a coupon", **long})
    out = StringIO()

    console = Console(file=out, width=80)
    bugs(page.model_copy(update={"bugs": (told,)}), console, is_filtered=False, now=NOW)

    assert "Checkout crashes with" in out.getvalue()
    assert "waiting for approval" in out.getvalue()


def test_the_way_to_the_next_page_can_be_copied_from_a_narrow_window(tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        page = Answers(filled.views, filled.blobs).bugs(Filter(), limit=1, cursor=None)
    out = StringIO()

    bugs(page, Console(file=out, width=40), is_filtered=False, now=NOW)

    assert out.getvalue().splitlines()[-1] == f"More: bugstream bugs --cursor {page.next_cursor}"


def test_differences_are_shown_with_both_values() -> None:
    differing = DifferenceAnswer(view="bugs", position=None, field="attempt", live=9, replayed=1)

    said = printed(EMPTY.model_copy(update={"differences": (differing,)}))

    assert "THE LIVE VIEWS DIFFER" in said
    assert "attempt" in said


def test_what_was_not_compared_is_not_called_equal() -> None:
    said = printed(EMPTY.model_copy(update={"not_compared": "The view 'bugs' is not built yet"}))

    assert "Not compared with the live views: The view 'bugs' is not built yet" in said
    assert "say the same" not in said


def test_agreement_is_said() -> None:
    said = printed(EMPTY.model_copy(update={"equals_live": True}))

    assert "The live views say the same as the log." in said
