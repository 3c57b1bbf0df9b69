"""The proof itself: it holds, and its control bites. And what it would have noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from connectors.vector_index import DISTRUSTED, TAKEN_UP
from schemas.event import Event
from streams.prove_dedupe import COLUMNS, Life, Run, Verdicts, _life, compare, prove
from streams.prove_dedupe_harm import HARMS, OLDER, SWAPPED, Harm
from tests import factories

FACTS: Sequence[Event] = tuple(
    one for one in factories.EXAMPLES if one.type in ("bug.opened", "report.linked")
)
QUIET = Verdicts(FACTS, {"report": b"known"})
SUGGESTED = next(one for one in factories.EXAMPLES if one.type == "link.suggested")


def compared(facts: Sequence[Event], state: dict[str, bytes | None] | None = None) -> Run:
    run = Run("test")
    compare(run, Verdicts(facts, QUIET.state if state is None else state), QUIET)
    return run


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_it_holds_and_its_control_bites() -> None:
    told: list[str] = []

    figures = prove(progress=lambda _d, _t, what: told.append(what))

    run, control = (dict(zip(COLUMNS, row, strict=True)) for row in figures.rows)
    wrong = ("lost", "doubled", "fields that differ", "bugs out of order", "state that differs")
    assert [run[name] for name in wrong] == [0] * len(wrong), figures.detail
    assert run["kills"] == len(HARMS)
    # What was harmed was read, and what was whole was used.
    assert int(run["snapshots taken up"] or 0) > 0
    assert int(run["thrown away"] or 0) > 0
    assert figures.holds, figures.notes
    # It decided otherwise, and did not merely fall over: the facts are there and say other things.
    assert control["thrown away"] == 0
    assert int(control["fields that differ"] or 0) > 0
    assert figures.control_holds
    assert figures.exit_code == 0
    assert any("life 8" in what for what in told)


def test_what_was_decided_alike_is_exact() -> None:
    run = compared(FACTS)

    assert run.is_exact
    assert run.facts == 2


def test_a_field_that_says_something_else_is_named() -> None:
    linked = FACTS[1].model_copy(update={"similarity": 0.9999, "rule": "same-title"})
    run = compared([FACTS[0], linked])

    assert run.differing == {"report.linked.similarity": 1, "report.linked.rule": 1}
    assert not run.is_exact


def test_a_fact_that_is_missing_doubled_or_too_much_is_counted() -> None:
    assert (compared(FACTS[:1]).lost, compared(FACTS[:1]).doubled) == (1, 0)
    for facts in ([*FACTS, FACTS[0]], [*FACTS, SUGGESTED]):
        run = compared(facts)
        assert (run.lost, run.doubled) == (0, 1)
        assert not run.is_exact


def test_facts_of_a_bug_in_another_order_are_counted() -> None:
    assert FACTS[0].bug_id == FACTS[1].bug_id  # type: ignore[attr-defined]  # facts of a bug
    run = compared(FACTS[::-1])

    assert run.misplaced == 1
    assert not run.is_exact


@pytest.mark.parametrize("state", [{}, {"report": b"other"}, {"report": b"known", "more": b""}])
def test_other_state_is_counted(state: dict[str, bytes | None]) -> None:
    run = compared(FACTS, state)

    assert run.state == 1
    assert not run.is_exact


def test_nothing_decided_proves_nothing() -> None:
    run = Run("test")
    compare(run, Verdicts((), {}), Verdicts((), {}))

    assert not run.is_exact


@pytest.mark.parametrize(
    ("harm", "words", "as_harmed"),
    [
        (OLDER, [TAKEN_UP % (12, 9)], True),
        (OLDER, [], False),
        (OLDER, [DISTRUSTED], False),
        (SWAPPED, [DISTRUSTED, DISTRUSTED], True),
        (SWAPPED, [TAKEN_UP % (12, 12)], False),
        (HARMS[-1], [], True),
    ],
)
def test_a_life_tells_by_its_log_whether_it_met_the_harm(
    harm: Harm, words: list[str], as_harmed: bool
) -> None:
    life = _life(harm, "\n".join(["dedupe loaded 3 state records", *words]), 5)

    assert life.as_harmed is as_harmed
    assert life.taken_up + life.distrusted == len(words)


def test_a_kill_that_came_too_early_or_too_late_disturbs_nothing() -> None:
    life = Life("", as_harmed=True, taken_up=1, distrusted=0, waiting=3, facts=9)
    last = replace(life, waiting=0)

    assert Run("test", [life, last]).is_disturbed
    assert not Run("test", [last, last]).is_disturbed
    assert not Run("test", [replace(life, facts=0), last]).is_disturbed
    assert not Run("test", [life, replace(last, as_harmed=False)]).is_disturbed
