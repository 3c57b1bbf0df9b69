"""What came in can be read in a window of 80 columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

from rich.console import Console
from rich.table import Table

from connectors.inbox import Row
from connectors.poll_cursors import Polled
from streams import inbox_tables

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


def shown(table: Table) -> list[str]:
    out = StringIO()
    Console(file=out, width=80).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def row(number: int, **more: object) -> Row:
    values: dict[str, object] = {
        "id": number,
        "received_at": (NOW - timedelta(seconds=22)).isoformat(),
        "route": "github/issue_comment",
        "delivery_id": "d" * 64,
        "account": "github:ann",
        "status": "relayed",
        "repeats": 0,
        "duplicate_of": None,
        "event_id": UUID(int=1),
        "event": None,
        **more,
    }
    return Row(**values)  # type: ignore[arg-type]


def test_times_routes_and_statuses_are_whole_and_a_long_name_gives_way() -> None:
    lines = shown(
        inbox_tables.rows(
            [
                row(12_345, repeats=13),
                row(7, status="duplicate", duplicate_of=6, account="slack:" + "T" * 90),
            ],
            now=NOW,
        )
    )

    assert lines[0].split() == ["Row", "Came", "Route", "From", "Status", "Again"]
    assert lines[1].split() == [
        *("12345", "22", "s", "ago", "github/issue_comment", "github:ann", "relayed", "13"),
    ]
    assert "as row 6" in lines[2]
    assert "…" in lines[2]
    assert len(lines) == 3


def test_what_strangers_wrote_stays_on_its_line() -> None:
    [_, line] = shown(inbox_tables.rows([row(1, account="github:a\n\x1b[2Jb")], now=NOW))

    assert "\x1b" not in line


def test_an_error_stands_below_as_a_whole() -> None:
    polled = [
        Polled("jira", "2026-11-26T08:00:00+00:00", None, 3),
        Polled("github/acme/shop", None, "see github.token\nin the settings", 0),
    ]

    assert [line.split() for line in shown(inbox_tables.pollers(polled))[1:]] == [
        ["jira", "2026-11-26", "08:00:00Z", "3"],
        ["github/acme/shop", "never", "0"],
    ]
    assert inbox_tables.errors(polled) == ["github/acme/shop: see github.token in the settings"]
