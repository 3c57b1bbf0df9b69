# ruff: noqa: E501 - one case, one line
from __future__ import annotations

import pytest

from processors.repair.templates import Template, crashes
from tests.processors.repair.sites import after, site, texts, valid

NONE = ("AttributeError", "'NoneType' object has no attribute 'strip'")
CASES: list[tuple[Template, tuple[str, str], str, str]] = [
    (crashes.missing_value, NONE, "return name.strip()", 'return (name or "").strip()'),
    (crashes.missing_value, NONE, "return name.strip()", "return name.strip() if name is not None else None"),
    (crashes.missing_value, NONE, "if name.strip() == x: pass", "if name is not None and name.strip() == x: pass"),
    (crashes.missing_key, ("KeyError", "'a'"), "return name[x]", "return name.get(x)"),
    (crashes.missing_key, ("KeyError", "'a'"), "return name[x] + 1", "return name.get(x, 0) + 1"),
    (crashes.missing_key, ("KeyError", "'a'"), "del name[x]", "name.pop(x, None)"),
    (crashes.missing_key, ("KeyError", "'a'"), "name[x].append(1)", "name.setdefault(x, []).append(1)"),
    (crashes.missing_key, ("KeyError", "'a'"), "name.pop(x)", "name.pop(x, None)"),
    (crashes.empty_collection, ("IndexError", "list index out of range"), "return name[0]", "return name[0] if name else None"),
    (crashes.empty_collection, ("ValueError", "max() arg is an empty sequence"), "return max(name)", "return max(name, default=None)"),
    (crashes.empty_collection, ("StopIteration", ""), "return next(n for n in name)", "return next((n for n in name), None)"),
    (crashes.empty_collection, ("StopIteration", ""), "return next(name)", "return next(name, None)"),
    (crashes.division_by_zero, ("ZeroDivisionError", "division by zero"), "return x / len(name)", "return x / len(name) if len(name) else 0"),
    (crashes.unbound_name, ("NameError", "name 'nane' is not defined"), "return nane", "return name"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "crash", "line", "fixed"), CASES)
def test_expression_survives_what_crashed_it(
    template: Template, crash: tuple[str, str], line: str, fixed: str
) -> None:
    found = texts(template, site(f"def f(name, x):\n    {line}  # <-", crash=crash))

    assert f"def f(name, x):\n    {fixed}\n" in valid(found)


def test_none_is_answered_by_an_early_return_of_the_functions_own_type() -> None:
    code = """
        def f(name) -> str:
            return name.strip()  # <-
    """

    found = texts(crashes.missing_value, site(code, crash=NONE, kinds={"name": "NoneType"}))

    fixed = """
        def f(name) -> str:
            if name is None:
                return ""
            return name.strip()
    """
    assert after(fixed) in found


def test_early_return_of_a_sum_is_zero_first() -> None:
    code = """
        def f(order):
            return order.price * order.coupon.percent // 100  # <-
    """

    found = texts(crashes.missing_value, site(code, crash=NONE, kinds={"order": "Order"}))

    guards = {t: e.prior for t, e in found.items() if "if order.coupon is None:\n" in t}
    assert "        return 0\n" in max(guards, key=lambda text: guards[text])


def test_a_variable_that_was_not_none_is_not_guarded() -> None:
    code = """
        def f(name, order):
            return order.title.strip() + name  # <-
    """
    kinds = {"name": "str", "order": "Order"}

    found = texts(crashes.missing_value, site(code, crash=NONE, kinds=kinds))

    assert any('(order.title or "").strip()' in text for text in found)
    assert not any("name is None" in text or "order is None" in text for text in found)


def test_a_loop_goes_on_with_the_next_item() -> None:
    code = """
        def f(names):
            for name in names:
                print(name.strip())  # <-
    """

    found = texts(crashes.missing_value, site(code, crash=NONE, kinds={"name": "NoneType"}))

    assert any("        if name is None:\n            continue\n" in text for text in found)


def test_counting_starts_from_zero() -> None:
    code = """
        def f(counts, word):
            counts[word] += 1  # <-
    """

    found = texts(crashes.missing_key, site(code, crash=("KeyError", "'a'")))

    assert any("    counts.setdefault(word, 0)\n    counts[word] += 1" in text for text in found)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("json", "import json"),
        ("defaultdict", "from collections import defaultdict"),
    ],
)
def test_missing_import_goes_below_the_others(name: str, line: str) -> None:
    code = f"""
        from __future__ import annotations

        import os

        def f():
            return {name}.x, os  # <-
    """
    crash = ("NameError", f"name '{name}' is not defined")

    found = texts(crashes.unbound_name, site(code, crash=crash))

    assert any(f"import os\n{line}\n\ndef f" in text for text in found)


def test_unbound_variable_begins_with_a_value() -> None:
    code = """
        def f(xs):
            for x in xs:
                last = x
            return last  # <-
    """
    crash = ("UnboundLocalError", "cannot access local variable 'last'")

    found = texts(crashes.unbound_name, site(code, crash=crash))

    assert any("def f(xs):\n    last = None\n    for x" in text for text in found)


@pytest.mark.parametrize("template", [c[0] for c in CASES])
def test_without_a_crash_there_is_nothing_to_guard(template: Template) -> None:
    assert texts(template, site("def f(name, x):\n    return name[x] / max(name)  # <-")) == {}
