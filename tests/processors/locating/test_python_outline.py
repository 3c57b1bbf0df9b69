from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.locating.outline import IMPORTS_MAX, UNITS_MAX, Import
from processors.locating.python_outline import outline

HOSTILE_CPU_S_MAX = 6.0

CART = '''"""What is bought."""
from shop.money import Money as M
from . import tax

RATE = 3

@frozen
class Cart:
    """Holds items."""

    limit = 10

    def total(self):
        """Sum up."""
        def each(x):
            return x.price
        return sum(map(each, self.items)) or fail("the cart is empty")

if RATE:
    def later(): pass
'''


def test_functions_and_classes_are_found_with_their_lines() -> None:
    read = outline(CART)

    assert [(u.symbol, u.kind, u.line_start, u.line_end) for u in read.units] == [
        ("", "module", 1, 20),
        ("Cart", "class", 7, 17),
        ("Cart.total", "function", 13, 17),
        ("later", "function", 20, 20),
    ]
    assert read.imports == (Import("shop.money", "Money", "M"), Import(".", "tax", "tax"))


def test_words_stand_where_they_belong() -> None:
    module, cart, total, _ = outline(CART).units

    assert (module.doc, cart.doc, total.doc) == ("What is bought.", "Holds items.", "Sum up.")
    assert "RATE = 3" in module.code
    assert "limit" in cart.code
    assert "return sum" not in cart.code
    assert total.strings == "the cart is empty"
    assert "Sum up" not in total.code


def test_what_is_called_stands_with_who_calls_it() -> None:
    text = "@cached\n@app.route('/')\ndef f(x):\n    a.b.c(len(x)); g(x)(1); 'x'.join(x); len(x)\n"
    module, cart, total, _ = outline(CART).units

    assert (module.calls, cart.calls) == ((), ("frozen",))
    assert total.calls == ("sum", "fail", "map", "@each", "@self.items")
    assert set(outline(text).units[1].calls) == {
        "cached",
        "app.route",
        "a.b.c",
        "len",
        "g",
        ".join",
        "@x",
    }


def test_what_is_handed_on_inherited_renamed_and_given_by_fixtures_is_told() -> None:
    read = outline(
        "class Cart(shop.Base, Generic[T], make()):\n"
        "    def total(self): return super().total(key=rate)\n\n"
        "Basket = Old = Cart\n"
        "@pytest.fixture()\ndef cart(money): return money\n"
        "def test_total(cart, *, tax): pass\n"
        "def plain(cart): pass\n"
    )
    calls = {unit.symbol: unit.calls for unit in read.units}

    assert read.units[1].bases == ("shop.Base", "Generic")
    assert calls["Cart.total"] == ("super.total", "super", "@rate")
    assert {(i.name, i.alias) for i in read.imports} == {("Cart", "Basket"), ("Cart", "Old")}
    assert (calls["cart"], calls["test_total"]) == (("pytest.fixture", "@money"), ("@cart", "@tax"))
    assert calls["plain"] == ()


HOSTILE = {
    "statements of one line": "x=1;" * 100_000,
    "empty lines of what does not parse": "(\n" + "\n" * 400_000,
    "brackets": "(" * 10_000,
    "closed brackets": "x = " + "[" * 10_000 + "]" * 10_000,
    "terms": "x = 1" + "+1" * 100_000,
    "calls": "x" + ".f()" * 90_000,
    "imports": "import " + "a," * 190_000 + "a",
    "decorators": "@a\n" * 100_000 + "def f(): pass\n",
    "a NUL": "x = 1\0",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_cost_little_time_and_memory(text: str) -> None:
    start_s = time.process_time()
    read = outline(text)

    assert time.process_time() - start_s < HOSTILE_CPU_S_MAX
    assert sum(len(unit.code) for unit in read.units) <= 2 * len(text)
    assert len(read.imports) <= IMPORTS_MAX


def test_what_does_not_parse_is_read_by_its_indentation() -> None:
    broken = CART.replace("RATE = 3", "print 'old'")
    before, after = outline(CART), outline(broken)

    assert {u.symbol for u in after.units} == {u.symbol for u in before.units}
    assert {(u.symbol, u.line_end) for u in after.units if u.kind == "function"} == {
        (u.symbol, u.line_end) for u in before.units if u.kind == "function"
    }
    assert after.imports == before.imports


def test_a_file_of_endless_functions_is_cut() -> None:
    text = "".join(f"def f{n}(): pass\n" for n in range(UNITS_MAX + 5))

    assert len(outline(text).units) == UNITS_MAX + 1
    assert len(outline(text + "(").units) == UNITS_MAX + 1


def test_deep_nesting_ends() -> None:
    assert outline("(" * 100_000).units[0].kind == "module"
    assert outline("if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 90))).units


@given(st.text(max_size=300))
def test_any_text_has_an_outline(text: str) -> None:
    read = outline(text)

    assert read.units[0].kind == "module"
    assert all(1 <= unit.line_start <= unit.line_end for unit in read.units)


@pytest.mark.parametrize(
    ("listed", "public"),
    [
        ("", {"Cart", "Cart.total", "pay"}),
        ('__all__ = ["Cart", "_tax"]', {"Cart", "Cart.total"}),
        ('__all__: tuple[str, ...] = ("pay",)', {"pay"}),
        ("__all__ = []", set()),
        ('__all__ = ["pay"]\n__all__ += more()', {"Cart", "Cart.total", "pay"}),
        ("__all__ = names()", {"Cart", "Cart.total", "pay"}),
        ("__all__ = [*names()]", {"Cart", "Cart.total", "pay"}),
    ],
)
def test_what_is_public_is_what_the_file_lists_or_what_has_no_underscore(
    listed: str, public: set[str]
) -> None:
    text = (
        "class Cart:\n    def total(self): pass\n    def _add(self): pass\n"
        "def pay(): pass\ndef _tax(): pass\n"
    )

    assert {unit.symbol for unit in outline(text + listed).units if unit.is_public} == public
