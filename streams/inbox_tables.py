"""How the inbox looks at a terminal: it fits 80 columns, and nothing in it drives the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from connectors.inbox import Row
from connectors.poll_cursors import Polled
from streams.known_tables import ago, plain

_LOUD = "From"
"""The column that gives way when the window is narrow; the rest is short."""


def rows(found: Sequence[Row], *, now: datetime) -> Table:
    """Return what came in; `inbox show ROW` has the rest of each."""
    table = _table("Row", "Came", "Route", "From", "Status", "Again")
    for row in found:
        status = f"as row {row.duplicate_of}" if row.status == "duplicate" else row.status
        came = ago(now, datetime.fromisoformat(row.received_at))
        cells = (row.id, came, row.route, row.account, status, row.repeats or "")
        table.add_row(*map(plain, cells))
    return table


def pollers(found: Sequence[Polled]) -> Table:
    """Return how far each poller got; what went wrong is too long for a column."""
    table = _table("Poller", "Last good round", "Found", loud="Poller")
    for one in found:
        last = f"{one.polled_at[:10]} {one.polled_at[11:19]}Z" if one.polled_at else "never"
        table.add_row(*map(plain, (one.name, last, one.found)))
    return table


def errors(found: Sequence[Polled]) -> list[str]:
    """Return a line for each poller whose rounds fail."""
    return [plain(f"{one.name}: {one.error}").plain for one in found if one.error]


def _table(*names: str, loud: str = _LOUD) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in names:
        ratio = 1 if name == loud else None
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=ratio)
    return table
