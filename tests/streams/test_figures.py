from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from streams.figures import Figures, machine, show, wilson


def figures(*, holds: bool | None, control: bool | None = None) -> Figures:
    return Figures(
        name="x",
        claim="nothing is lost",
        measured_on=machine(),
        columns=("run", "lost"),
        rows=(("proof", 0), ("control", 3)),
        holds=holds,
        control_holds=control,
    )


@pytest.mark.parametrize(
    ("holds", "control", "status"),
    [(True, True, 0), (False, True, 1), (True, False, 1), (None, None, 0)],
)
def test_a_claim_that_fails_or_a_control_that_does_not_bite_is_a_failure(
    holds: bool | None, control: bool | None, status: int
) -> None:
    console = Console(quiet=True)

    assert show(figures(holds=holds, control=control), as_json=False, console=console) == status


def test_json_says_the_same_as_the_table() -> None:
    console = Console(width=300)
    with console.capture() as capture:
        show(figures(holds=True, control=True), as_json=True, console=console)

    value = json.loads(capture.get())
    assert value["rows"] == [{"run": "proof", "lost": 0}, {"run": "control", "lost": 3}]
    assert (value["holds"], value["exit_code"]) == (True, 0)


def test_on_a_narrow_terminal_no_word_is_cut_off() -> None:
    names = tuple(f"figure-number-{n}" for n in range(9))
    wide = replace(figures(holds=True), columns=names, rows=(range(9), range(10, 19)))
    console = Console(width=60)
    with console.capture() as capture:
        show(wide, as_json=False, console=console)

    printed = capture.get()
    assert all(name in printed for name in names)
    assert re.search(r"figure-number-3 │ 3 +│ 13", printed)


def test_a_long_table_stays_upright_however_narrow_the_terminal() -> None:
    long = replace(figures(holds=None), rows=[(f"program-{n}", n) for n in range(40)])
    console = Console(width=12)
    with console.capture() as capture:
        show(long, as_json=False, console=console)

    assert len([line for line in capture.get().splitlines() if line.startswith("│")]) >= 40


def test_an_interval_is_as_wide_as_the_sample_is_small() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    narrow, wide = wilson(60, 100), wilson(6, 10)
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]
    assert wilson(10, 10)[1] == 1.0
    assert [round(end, 3) for end in wilson(60, 66)] == [0.816, 0.958]
