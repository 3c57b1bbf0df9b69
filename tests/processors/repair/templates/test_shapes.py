from __future__ import annotations

import pytest

from processors.repair.templates import Template, shapes
from tests.processors.repair.sites import site, texts


@pytest.mark.parametrize(
    ("template", "line", "fixed"),
    [
        (shapes.argument_swap, "return g(a % b, b)", "return g(b, a % b)"),
        (shapes.argument_swap, "return a[i][j]", "return a[j][i]"),
        (shapes.argument_swap, "return d[i, j]", "return d[j, i]"),
        (shapes.slices, "for x in a: g(x)", "for x in a[i:]: g(x)"),
        (shapes.slices, "return g(a)", "return g(a[1:])"),
        (shapes.slices, "return a[i:j]", "return a[i:]"),
        (shapes.hoist, "return 1 + g(a)", "return g(a)"),
        (shapes.hoist, "return g(a) * 2", "return a * 2"),
        (shapes.wrap, "b = b + i", "b = max(0, b + i)"),
        (shapes.wrap, "b = i + 1", "b = max(b, i + 1)"),
        (shapes.wrap, "return a - b", "return abs(a - b)"),
        (shapes.missing_operand, "return g(a, i)", "return g(a, i - j)"),
        (shapes.missing_operand, "return [x for x in a]", "return b + [x for x in a]"),
        (shapes.square, "return abs(i - b) > j", "return abs(i - b ** 2) > j"),
        (shapes.guard_condition, "if a.next is None: g(a)", "if a is None or a.next is None: g(a)"),
        (shapes.guard_condition, "if a < 0: g(a)", "if a < 0 or not b: g(a)"),
        (shapes.guard_condition, "while True: g(a)", "while a: g(a)"),
        (shapes.guard_condition, "if a or b: g(a)", "if (a or b) and not i: g(a)"),
        (shapes.return_value, "return []", "return [i]"),
        (shapes.return_value, "return []", "return [[]]"),
        (shapes.return_value, "return True", "return i == 0"),
        (shapes.other_expression, "return g(a, b) + d[i, j]", "return i + d[i, j]"),
        (shapes.other_expression, "return a[b]", "return d[a]"),
    ],
)
def test_expression_takes_the_shape_that_was_meant(
    template: Template, line: str, fixed: str
) -> None:
    code = f"""
        def f(a, b, d, i, j):
            i = 1 + d[a]
            {line}  # <-
    """
    found = {text.splitlines()[-1].strip() for text in texts(template, site(code))}

    assert fixed in found
