from __future__ import annotations

import pytest

from processors.repair.templates import Template, values
from tests.processors.repair.sites import site, texts


@pytest.mark.parametrize(
    ("template", "line", "fixed"),
    [
        (values.off_by_one, "return items[n]", "return items[n - 1]"),
        (values.off_by_one, "return list(range(n))", "return list(range(n + 1))"),
        (values.off_by_one, "return items[:3]", "return items[:4]"),
        (values.variable, "return items[n]", "return items[m]"),
        (values.constant, 'return items["pirce"]', 'return items["price"]'),
        (values.constant, "return True", "return False"),
        (values.constant, "return n * 0", "return n * 1"),
        (values.constant, "return n * 0", "return n * m"),
        (values.attribute, "return n.total", "return n.net"),
        (values.twin_function, "return any(items)", "return all(items)"),
        (values.twin_function, "return n.rstrip()", "return n.strip()"),
    ],
)
def test_value_becomes_the_one_that_was_meant(template: Template, line: str, fixed: str) -> None:
    code = f"""
        def f(items, n, m):
            other = n.net, "price"
            {line}  # <-
    """

    found = texts(template, site(code))

    assert any(text.splitlines()[-1].strip() == fixed for text in found)


def test_a_variable_of_another_type_is_not_proposed() -> None:
    code = """
        def f(count, name, total):
            return count + 1  # <-
    """
    kinds = {"count": "int", "name": "str", "total": "float"}

    found = "".join(texts(values.variable, site(code, kinds=kinds)))

    assert "return total + 1" in found
    assert "return name + 1" not in found
