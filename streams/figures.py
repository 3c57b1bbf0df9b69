"""What `prove` and `bench` print: what was measured, on what, and whether the claim holds."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_UNLIMITED = 10_000
_Z_95 = 1.96
"""Of the normal distribution, for an interval that holds in 95 of 100 samples."""
Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The outcome of one proof or benchmark. `holds` None: it states figures and claims nothing."""

    name: str
    claim: str
    """One sentence: what is proven or measured."""
    measured_on: Mapping[str, Cell]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    holds: bool | None
    control_holds: bool | None = None
    """Whether the negative control showed the fault it must show; None: there is none."""
    notes: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Return 0 when the claim holds and its control bites, else 1."""
        return 1 if self.holds is False or self.control_holds is False else 0


def machine() -> dict[str, Cell]:
    """Return what the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, both ends between 0 and 1; of nothing all of that.

    Method: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    if not total:
        return (0.0, 1.0)
    share, z2 = right / total, _Z_95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return (max(0.0, middle - half), min(1.0, middle + half))


def show(figures: Figures, *, as_json: bool, console: Console | None = None) -> int:
    """Print `figures` for a person or a program, and return the exit code."""
    console = console or Console()
    if as_json:
        console.print_json(json.dumps(_as_dict(figures)))
        return figures.exit_code
    console.print(figures.claim, style="italic", highlight=False)
    table = _table(figures.columns, figures.rows)
    unlimited = console.options.update(max_width=_UNLIMITED)
    too_wide = Measurement.get(console, unlimited, table).minimum > console.width
    if too_wide and len(figures.rows) < len(figures.columns):
        # Its words would be cut off: a row for each figure, then.
        heads, *rows = zip(figures.columns, *figures.rows, strict=True)
        table = _table([_cell(head) for head in heads], rows)
    console.print(table)
    on = ", ".join(f"{name} {value}" for name, value in figures.measured_on.items())
    console.print(f"Measured on: {on}", highlight=False)
    for note in figures.notes:
        console.print(note, highlight=False)
    if figures.control_holds is not None:
        word = "shows the fault" if figures.control_holds else "DOES NOT show the fault"
        console.print(f"Negative control: {word}", highlight=False)
    if figures.holds is not None:
        console.print("HOLDS" if figures.holds else "DOES NOT HOLD", style="bold")
    return figures.exit_code


def _table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    table = Table()
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    return table


def _as_dict(figures: Figures) -> dict[str, Any]:
    return {
        "name": figures.name,
        "claim": figures.claim,
        "measured_on": dict(figures.measured_on),
        "rows": [dict(zip(figures.columns, row, strict=True)) for row in figures.rows],
        "holds": figures.holds,
        "control_holds": figures.control_holds,
        "notes": list(figures.notes),
        "detail": dict(figures.detail),
        "exit_code": figures.exit_code,
    }


def _cell(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)
