from __future__ import annotations

import ast

from processors.repair.ingredients import literal_kind, similar
from tests.processors.repair.sites import site

CODE = """
import math
LIMIT = 10

class Cart:
    def total(self, items, rate=1, *more):
        seen = set()
        for item in items:
            cost = item.price * rate
            self.sum += cost  # <-
        return sum(x for x in items if x not in seen)
"""


def test_variables_are_the_functions_own_nearest_first() -> None:
    at = site(CODE)

    assert at.variables[0] == "cost"
    assert set(at.variables) == {"cost", "item", "items", "rate", "more", "seen", "x"}
    assert at.parameters == ("items", "rate", "more")
    assert at.module_names == ("math", "LIMIT", "Cart")


def test_variables_of_the_function_around_are_usable_too() -> None:
    code = """
        def f(goal):
            seen = set()
            def search(node):
                if node in seen or node is goal:
                    return True
                return search(node.next)  # <-
            return search
    """

    at = site(code)

    assert set(at.variables) == {"node", "seen", "goal"}
    assert at.kind_of(ast.Name(id="seen", ctx=ast.Load())) == "set"


def test_attributes_are_known_by_their_owner() -> None:
    at = site(CODE)

    assert at.attributes == {"item": ("price",), "self": ("sum",)}
    assert set(at.attribute_names) == {"price", "sum", "total"}


def test_kind_comes_from_the_run_first_and_from_the_assignment_else() -> None:
    at = site(CODE, kinds={"items": "list"})

    assert at.kind_of(ast.Name(id="items", ctx=ast.Load())) == "list"
    assert at.kind_of(ast.Name(id="seen", ctx=ast.Load())) == "set"
    assert at.kind_of(ast.Name(id="item", ctx=ast.Load())) == ""


def test_expression_with_a_strange_name_is_not_readable() -> None:
    at = site(CODE)

    assert at.readable(ast.parse("[y for y in items]", mode="eval").body)
    assert not at.readable(ast.parse("items[strange]", mode="eval").body)


def test_form_shows_the_kind() -> None:
    kinds = [literal_kind(ast.parse(t, mode="eval").body) for t in ("[1]", "not x", "len(x)", "x")]

    assert kinds == ["list", "bool", "int", ""]


def test_similar_names_come_likest_first_without_the_name_itself() -> None:
    assert similar("prcie", ("price", "prices", "total", "prcie")) == ["price", "prices"]
