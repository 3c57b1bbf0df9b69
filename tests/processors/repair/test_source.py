from __future__ import annotations

import ast

import pytest

from processors.repair.source import Change, Edit, Source


def _expression(source: Source, text: str) -> ast.expr:
    return next(
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.expr) and source.segment(node) == text
    )


@pytest.mark.parametrize(
    ("line", "old", "new", "expected"),
    [
        ("x = a * b", "a", "c + d", "x = (c + d) * b"),
        ("x = a + b", "a", "c * d", "x = c * d + b"),
        ("x = f(a)", "a", "c + d", "x = f(c + d)"),
        ("x = a.b", "a", "c or d", "x = (c or d).b"),
        ("x = a[b]", "b", "c + d", "x = a[c + d]"),
        ("x = a and b", "a", "c or d", "x = (c or d) and b"),
        ("x = a and b", "a", "c < d", "x = c < d and b"),
        ("x = a < b", "a", "c + 1", "x = c + 1 < b"),
        ("x = (a)", "a", "c or d", "x = (c or d)"),
        ("x = 'ü', a", "a", "b", "x = 'ü', b"),
    ],
)
def test_replacement_gets_parentheses_only_where_it_needs_them(
    line: str, old: str, new: str, expected: str
) -> None:
    source = Source("m.py", f"{line}\n")

    change = source.replace(_expression(source, old), new)

    assert source.apply(Edit((change,), "t", 0.5, "why")) == f"{expected}\n"


def test_everything_but_the_edit_stays_byte_for_byte() -> None:
    text = "# ä\r\ndef f( a ):  # odd\r\n\tif a :\r\n\t\treturn  a\x0c+ 1 # keep\r\n"
    source = Source("m.py", text)

    change = source.replace(_expression(source, "1"), "2")

    assert source.apply(Edit((change,), "t", 0.5, "why")) == text.replace("1 #", "2 #")


def test_insertions_take_indentation_and_line_ending_of_their_place() -> None:
    source = Source("m.py", "def f(a):\r\n\treturn a\r\n")
    statement = source.statements[1]

    before = source.insert_before(statement, "if a:\n    pass")
    after = source.insert_after(statement, "b = 1")
    assert before
    assert after
    text = source.apply(Edit((before, after), "t", 0.5, "why"))

    assert text == "def f(a):\r\n\tif a:\r\n\t    pass\r\n\treturn a\r\n\tb = 1\r\n"


def test_insertion_beside_a_statement_that_shares_its_line_is_refused() -> None:
    source = Source("m.py", "if a: b = 1; c = 2\n")
    inner = source.statements[1]

    assert source.insert_before(inner, "x = 1") is None
    assert source.insert_after(inner, "x = 1") is None


def test_insertion_after_the_last_line_without_its_newline_keeps_the_file_valid() -> None:
    source = Source("m.py", "x = 1")

    change = source.insert_after(source.statements[0], "y = 2")

    assert change
    assert source.apply(Edit((change,), "t", 0.5, "why")) == "x = 1\ny = 2\n"


def test_decorated_function_is_preceded_above_its_decorators() -> None:
    source = Source("m.py", "@cached\ndef f(): pass\n")

    change = source.insert_before(source.statements[0], "x = 1")

    assert change
    assert source.apply(Edit((change,), "t", 0.5, "why")).startswith("x = 1\n@cached")


def test_overlapping_changes_are_refused() -> None:
    source = Source("m.py", "x = a + b\n")

    with pytest.raises(ValueError, match="overlap"):
        source.apply(Edit((Change(4, 9, "c"), Change(4, 5, "d")), "t", 0.5, "why"))
