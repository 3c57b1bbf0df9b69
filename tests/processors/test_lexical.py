from __future__ import annotations

from processors.lexical import enclosing, rank, spans, tokens

SOURCE = """class Cart:
    def total(self):
        return 1


def pay():
    return 2
"""


def test_identifiers_are_split_at_underscores_and_capitals() -> None:
    assert {"parse_http_date", "parse", "http"} <= set(tokens("parse_http_date"))
    assert {"httpserver", "http", "server"} <= set(tokens("HTTPServer"))


def test_the_file_that_shares_rare_words_comes_first() -> None:
    files = {"a.py": "def pay(): invoice", "b.py": "def ship(): parcel", "c.py": "parcel parcel"}

    assert [name for name, _ in rank("ship the parcel", files)] == ["b.py", "c.py"]


def test_nothing_shared_ranks_nothing() -> None:
    assert rank("zebra", {"a.py": "def pay(): ..."}) == []
    assert rank("zebra", {}) == []


def test_the_smallest_function_around_a_line_is_found() -> None:
    span = enclosing(spans(SOURCE), 3)

    assert span is not None
    assert (span.symbol, span.line_start, span.line_end) == ("Cart.total", 2, 3)
    assert enclosing(spans(SOURCE), 1) is None
    assert spans("def broken(:") == []
