from __future__ import annotations

import pytest

from processors.repair.templates import Template, operators
from tests.processors.repair.sites import site, texts


@pytest.mark.parametrize(
    ("template", "before", "fixed"),
    [
        (operators.compare_operator, "if a < b: pass", "if a <= b: pass"),
        (operators.compare_operator, "if a not in b: pass", "if a in b: pass"),
        (operators.compare_operator, "if len(a) == 0: pass", "if len(a) <= 1: pass"),
        (operators.compare_operator, "if (a + 1) < (b): pass", "if (a + 1) >= (b): pass"),
        (operators.arithmetic_operator, "x = a  +  b", "x = a  -  b"),
        (operators.arithmetic_operator, "x = (a) // (b)", "x = (a) / (b)"),
        (operators.assignment_operator, "n ^= n - 1", "n &= n - 1"),
        (operators.assignment_operator, "total = price", "total += price"),
        (operators.assignment_operator, "total += price", "total = price"),
        (operators.logic_operator, "if a and b: pass", "if a or b: pass"),
        (operators.logic_operator, "if a and b and c: pass", "if a and c: pass"),
        (operators.logic_operator, "if not a: pass", "if a: pass"),
        (operators.logic_operator, "if a.ready: pass", "if not a.ready: pass"),
        (operators.operand_swap, "x = a - b", "x = b - a"),
        (operators.operand_swap, "x = a + b[0]", "x = b[0] + a"),
        (operators.operand_swap, "if a < b: pass", "if b < a: pass"),
    ],
)
def test_operator_becomes_the_one_that_was_meant(
    template: Template, before: str, fixed: str
) -> None:
    found = texts(template, site(f"{before}  # <-"))

    assert f"{fixed}\n" in found


def test_a_word_operator_is_not_found_inside_a_name() -> None:
    found = texts(operators.compare_operator, site("if main in print_in: pass  # <-"))

    assert set(found) == {"if main not in print_in: pass\n", "if main == print_in: pass\n"}
