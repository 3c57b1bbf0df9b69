from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.locating import grammars
from processors.locating.grammars import Grammar
from processors.locating.outline import CALLS_MAX, UNITS_MAX, Import
from processors.locating.tree_outline import DEPTH_MAX, outline

HOSTILE_CPU_S_MAX = 6.0
"""Without the limits the first of them takes eight."""
ALL = [grammars.JAVASCRIPT, grammars.TYPESCRIPT, grammars.TSX, grammars.JAVA, grammars.GO]
SCRIPT = """// licence

import a from "./x.js";

/** Holds items. */
export default class Cart extends Base {
  limit = 10;
  // Sums up.
  total(x) {
    const each = (y) => y.price;
    return this.items?.map(each) || fail("the cart is empty");
  }
  later = () => { f(); }
}

const buy = async (x) => { new Cart(x).total(); };
Cart.prototype.pay = function () {};
module.exports.refund = function () {};
(function () {
  function inner() {}
})();
export default () => 1;
"""
JAVA = """package com.shop;

/** Holds items. */
public class Cart<T> {
  int limit = 10;

  public Cart() { super(); }

  /** Sums up. */
  @Override
  public int total() { return this.items.sum(new Price<T>(), "the cart is empty"); }

  enum State { OPEN; void close() {} }
}
"""
GO = """package shop

// Cart holds items.
type Cart struct{ limit int }

// Total sums up.
func (c *Cart[T]) Total() error {
	each := func() { price() }
	return fmt.Errorf("the cart is empty", c.items.sum(), a(1).b())
}

func New() *Cart { return nil }
"""


def symbols(text: str, grammar: Grammar) -> list[tuple[str, str, int, int]]:
    return [(u.symbol, u.kind, u.line_start, u.line_end) for u in outline(text, grammar).units]


def test_functions_and_classes_of_scripts_are_found_with_their_lines() -> None:
    assert symbols(SCRIPT, grammars.JAVASCRIPT) == [
        ("", "module", 1, 22),
        ("Cart", "class", 6, 14),
        ("Cart.total", "function", 9, 12),
        ("Cart.later", "function", 13, 13),
        ("buy", "function", 16, 16),
        ("Cart.pay", "function", 17, 17),
        ("refund", "function", 18, 18),
        ("inner", "function", 20, 20),
        ("default", "function", 22, 22),
    ]


def test_functions_and_classes_of_java_are_found_with_their_lines() -> None:
    assert symbols(JAVA, grammars.JAVA) == [
        ("", "module", 1, 14),
        ("Cart", "class", 4, 14),
        ("Cart.Cart", "function", 7, 7),
        ("Cart.total", "function", 10, 11),
        ("Cart.State", "class", 13, 13),
        ("Cart.State.close", "function", 13, 13),
    ]


def test_functions_and_types_of_go_are_found_with_their_lines() -> None:
    assert symbols(GO, grammars.GO) == [
        ("", "module", 1, 12),
        ("Cart", "class", 4, 4),
        ("Cart.Total", "function", 7, 10),
        ("New", "function", 12, 12),
    ]


def test_types_of_typescript_are_found() -> None:
    text = (
        "interface A { x(): number }\nabstract class B<T> { @dec() x(): T { return y<T>() } }\n"
        "enum E { A }\ntype T = string;\nnamespace N { export function k() {} }\n"
        "export const f = <T,>(x: T): T => x;\n"
    )

    assert [u.symbol for u in outline(text, grammars.TYPESCRIPT).units] == [
        *("", "A", "B", "B.x", "E", "T", "N", "N.k", "f")
    ]


@pytest.mark.parametrize(
    ("text", "grammar"),
    [(SCRIPT, grammars.TSX), (JAVA, grammars.JAVA), (GO, grammars.GO)],
    ids=["script", "java", "go"],
)
def test_words_stand_where_they_belong(text: str, grammar: Grammar) -> None:
    units = {unit.symbol: unit for unit in outline(text, grammar).units}
    total = units.get("Cart.total") or units["Cart.Total"]

    assert "olds items." in units["Cart"].doc
    assert "ums up." in total.doc
    assert total.strings == "the cart is empty"
    assert "limit" in units["Cart"].code
    assert "items" not in units["Cart"].code
    assert "items" not in units[""].code


def test_what_is_called_stands_with_who_calls_it() -> None:
    script = {u.symbol: u.calls for u in outline(SCRIPT, grammars.JAVASCRIPT).units}
    java = {u.symbol: u.calls for u in outline(JAVA, grammars.JAVA).units}
    go = {u.symbol: u.calls for u in outline(GO, grammars.GO).units}

    assert script["Cart.total"] == ("this.items.map", "fail")
    assert script["buy"] == (".total", "Cart")
    assert java["Cart.total"] == ("this.items.sum", "Price")
    assert go["Cart.Total"] == ("price", "fmt.Errorf", "c.items.sum", ".b", "a")


@pytest.mark.parametrize(
    ("text", "grammar", "expected"),
    [
        ('import a from "./x"', grammars.TSX, Import("./x", "default", "a")),
        ('import {b as c} from "./x"', grammars.TSX, Import("./x", "b", "c")),
        ('import * as x from "./x"', grammars.TYPESCRIPT, Import("./x", "", "x")),
        ('import "./x"', grammars.JAVASCRIPT, Import("./x", "", "")),
        ('export {y} from "./x"', grammars.JAVASCRIPT, Import("./x", "y", "y")),
        ('const x = require("./x")', grammars.JAVASCRIPT, Import("./x", "", "x")),
        ("import static x.y.Z;", grammars.JAVA, Import("x.y", "Z", "Z")),
        ('import "x/y"', grammars.GO, Import("x/y", "", "y")),
        ('import z "x/y"', grammars.GO, Import("x/y", "", "z")),
    ],
)
def test_imports_are_read(text: str, grammar: Grammar, expected: Import) -> None:
    assert outline(text, grammar).imports == (expected,)


def test_what_does_not_parse_is_read_all_the_same() -> None:
    broken = SCRIPT.replace("limit = 10;", "limit = = {{")

    assert "buy" in {unit.symbol for unit in outline(broken, grammars.JAVASCRIPT).units}


@pytest.mark.parametrize("grammar", ALL)
@pytest.mark.parametrize(
    "text",
    ["x(" * 20_000, "{{((([[" * 9_000, "/*" * 20_000, "f()." * 20_000, "\ud800\x00" * 99, ""],
    ids=["calls", "brackets", "comments", "chain", "odd", "nothing"],
)
def test_hostile_files_are_read_to_the_end(grammar: Grammar, text: str) -> None:
    read = outline(text, grammar)

    assert read.units[0].kind == "module"
    assert all(len(unit.calls) <= CALLS_MAX for unit in read.units)


@pytest.mark.parametrize(
    ("text", "grammar"),
    [
        ("a<" * 25_000, grammars.JAVA),
        ("/*" + "x" * 300_000 + "*/" + "a<" * 25_000, grammars.JAVA),
        ("a=>" * 60_000, grammars.JAVA),
        ("a=>" * 60_000, grammars.GO),
        ('"' * 200_000, grammars.JAVASCRIPT),
    ],
    ids=["java less", "java less behind words", "java arrows", "go arrows", "quotes"],
)
def test_what_keeps_the_parser_too_long_is_one_unit_with_all_the_words(
    text: str, grammar: Grammar
) -> None:
    start_s = time.process_time()
    [unit] = outline(text + "\nneedle", grammar).units

    assert time.process_time() - start_s < HOSTILE_CPU_S_MAX
    assert unit.kind == "module"
    assert "needle" in unit.code


def test_what_is_nested_too_deep_is_not_looked_at() -> None:
    deep = f"early(); {'[' * DEPTH_MAX * 2}late(){']' * DEPTH_MAX * 2}; after();"
    [unit] = outline(deep, grammars.JAVASCRIPT).units

    assert unit.calls == ("early", "after")


@given(st.text(max_size=300), st.sampled_from(ALL))
def test_lines_lie_within_the_file(text: str, grammar: Grammar) -> None:
    read = outline(text, grammar)
    last = read.units[0].line_end

    assert len(read.units) <= UNITS_MAX + 1
    assert all(1 <= u.line_start <= u.line_end <= last for u in read.units)
