# ruff: noqa: E501 - one case, one line
from __future__ import annotations

import pytest

from processors.repair.templates import Template, calls
from tests.processors.repair.sites import site, texts

CODE = """
class Cart:
    def __init__(self, owner, currency):
        self.total = 0

    def add(self, item, amount):
        count = item.count
        {line}  # <-
"""
CASES: list[tuple[Template, tuple[str, str] | None, str, str]] = [
    (calls.cast, ("TypeError", 'can only concatenate str (not "int") to str'), 'return "n" + amount', 'return "n" + str(amount)'),
    (calls.cast, ("TypeError", "a bytes-like object is required"), "return g(item)", "return g(item.encode())"),
    (calls.wrong_keyword, ("TypeError", "Cart() got an unexpected keyword argument 'curency'"), "Cart(1, curency=2)", "Cart(1, currency=2)"),
    (calls.missing_argument, ("TypeError", "add() missing 1 required positional argument: 'amount'"), "self.add(item)", "self.add(item, amount)"),
    (calls.wrong_attribute, ("AttributeError", "'str' object has no attribute 'trim'"), "return item.trim()", "return item.strip()"),
    (calls.wrong_attribute, ("AttributeError", "'dict' object has no attribute 'name'"), "return item.name", 'return item["name"]'),
    (calls.wrong_attribute, ("TypeError", "'method' object is not iterable"), "return list(item.values)", "return list(item.values())"),
    (calls.missing_self, None, "total = amount", "self.total = amount"),
    (calls.missing_self, None, "return self.amount", "return amount"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "crash", "line", "fixed"), CASES)
def test_call_fits_what_is_called(
    template: Template, crash: tuple[str, str] | None, line: str, fixed: str
) -> None:
    found = texts(template, site(CODE.format(line=line), crash=crash))

    assert any(text.splitlines()[-1].strip() == fixed for text in found)


def test_parameter_gets_a_default_where_a_caller_leaves_it_out() -> None:
    crash = ("TypeError", "Cart.add() missing 1 required positional argument: 'amount'")

    found = texts(calls.missing_argument, site(CODE.format(line="self.add(item)"), crash=crash))

    assert any("def add(self, item, amount=None):" in text for text in found)


def test_method_without_self_gets_it() -> None:
    code = """
        class Cart:
            def total():
                return 1

            def show(self):
                return self.total()  # <-
    """
    crash = ("TypeError", "Cart.total() takes 0 positional arguments but 1 was given")

    found = texts(calls.missing_argument, site(code, crash=crash))

    assert any("def total(self):" in text for text in found)


def test_coroutine_is_awaited_in_an_async_function_only() -> None:
    code = "{kind} f(x):\n    return x.load()  # <-"

    inside = texts(calls.missing_await, site(code.format(kind="async def")))
    outside = texts(calls.missing_await, site(code.format(kind="def")))

    assert list(inside) == ["async def f(x):\n    return await x.load()\n"]
    assert outside == {}
