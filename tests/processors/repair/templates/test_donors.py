from __future__ import annotations

from processors.repair.templates.donors import donor
from tests.processors.repair.sites import site, texts

CODE = """
def remove(stock, name):
    if name not in stock:
        return None
    return stock.pop(name)


def price(stock, item):
    return stock[item].price  # <-
"""


def test_guard_of_a_neighbour_is_taken_over_with_the_names_of_this_function() -> None:
    found = texts(donor, site(CODE))

    fixed = "    if item not in stock:\n        return None\n    return stock[item].price\n"
    assert any(text.endswith(fixed) for text in found)


def test_the_line_itself_is_no_donor() -> None:
    found = texts(donor, site(CODE))

    assert all(text.count("return stock[item].price") == 1 for text in found)
