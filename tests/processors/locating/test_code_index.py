from __future__ import annotations

import pytest

from processors.locating.code_index import CodeIndex, Query, index_of
from processors.locating.entries import Part
from processors.locating.words import number, stem, terms

SOURCES = {
    "shop/cart.py": "class Cart:\n    def total(self):\n        return sum(self.prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.total\n\ndef pay(): pass\n",
}
INDEX = index_of(SOURCES)
PARTS = {Part.NAME: 3.0, Part.CODE: 1.0}


def query(text: str) -> Query:
    return Query({number(term): 1.0 for term in terms(text)}, PARTS)


def test_a_word_in_a_name_counts_for_more_than_one_in_the_code() -> None:
    by_unit = INDEX.scores(query("total")).by_unit
    named, held = INDEX.by_name["total"][0], INDEX.by_name["refund"][0]

    assert by_unit[named] > by_unit[held] > 0
    assert by_unit[INDEX.by_name["pay"][0]] == 0


def test_files_are_scored_by_all_they_hold() -> None:
    by_file = INDEX.scores(query("refund an invoice")).by_file

    assert by_file[INDEX.numbers["shop/pay.py"]] > 0 == by_file[INDEX.numbers["shop/cart.py"]]


def test_a_rarer_word_is_worth_more() -> None:
    idf = INDEX.scores(query("total refund")).idf

    assert idf[number("refund")] > idf[number("total")]


def test_units_lead_back_to_their_places() -> None:
    [unit] = INDEX.by_name["total"]
    path, place = INDEX.place(unit)

    assert (path, place.symbol, place.line_start) == ("shop/cart.py", "Cart.total", 2)
    assert number(stem("price")) in INDEX.words_of(unit)
    assert INDEX.is_module.sum() == len(INDEX.paths) == 2


@pytest.mark.parametrize("text", ["", "zebra"])
def test_what_nothing_holds_scores_nothing(text: str) -> None:
    assert not INDEX.scores(query(text)).by_unit.any()


def test_an_empty_repository_answers_too() -> None:
    empty = CodeIndex({})

    assert empty.units == 0
    assert len(empty.scores(query("total")).by_file) == 0


def test_a_few_scripts_beside_the_code_do_not_change_what_is_rare_in_it() -> None:
    code = {f"shop/m{n}.py": f"def f{n}(): return stock" for n in range(9)}
    code["shop/cart.py"] = "def total(): return price"
    scripts = {f"shop/static/s{n}.js": "function f() { return price }" for n in range(2)}
    alone, beside = index_of(code), index_of(code | scripts)

    assert alone.minor == frozenset()
    assert beside.minor == {"script"}
    assert beside.scores(query("price")).idf == alone.scores(query("price")).idf


def test_where_as_many_files_are_in_each_language_none_is_minor() -> None:
    assert index_of({"a.py": "x = 1", "b.js": "f()", "c.go": "package c"}).minor == frozenset()
