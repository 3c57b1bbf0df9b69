"""How Markdown is read."""

from __future__ import annotations

from processors.markup.document import (
    Code,
    Heading,
    Listing,
    Paragraph,
    Quote,
    Rule,
    Span,
    Table,
    words,
)
from processors.markup.from_markdown import inline, read

STRONG, EM, CODE = frozenset({"strong"}), frozenset({"em"}), frozenset({"code"})


def test_marks_need_their_partner() -> None:
    assert inline("**a** *b* ~~c~~ `d*e*`") == (
        Span("a", STRONG),
        Span(" "),
        Span("b", EM),
        Span(" "),
        Span("c", frozenset({"strike"})),
        Span(" "),
        Span("d*e*", CODE),
    )
    assert inline("***a*** b") == (Span("a", STRONG | EM), Span(" b"))
    for text in ("2 * 3 * 4", "snake_case_name", "a ** b", "`a", "****", "**a__", "x</sub> <sub>y"):
        assert inline(text) == (Span(text),)


def test_links_pictures_and_addresses_are_links() -> None:
    assert inline("[a](https://x.example/(1))") == (Span("a", href="https://x.example/(1)"),)
    assert inline('![shot](https://x.example/a.png "t")') == (
        Span("shot", href="https://x.example/a.png"),
    )
    assert inline("<https://x.example>") == (Span("https://x.example", href="https://x.example"),)
    assert inline("https://x.example.") == (
        Span("https://x.example", href="https://x.example"),
        Span("."),
    )
    assert inline("[a](b)") == (Span("a (b)"),)


def test_escapes_and_entities_are_what_they_stand_for() -> None:
    assert inline(r"\*a\* &lt;b&gt; a<br>b") == (Span("*a* <b> a\nb"),)


def test_blocks() -> None:
    text = (
        "# One\nTwo\n---\n\n***\n```py\n**x**\n\n```\n> q\n\n| a | b |\n|---|---|\n| 1\\|2 | 3 |\n"
        "\n    code\n"
    )
    kinds = [type(block) for block in read(text)]

    assert kinds == [Heading, Heading, Rule, Code, Quote, Table, Code]
    assert read(text)[3] == Code("**x**\n", "py")


def test_a_list_holds_blocks_and_lists() -> None:
    (found,) = read("3. one\n\n   more\n   - inner\n4. two\nlazy\n")

    assert isinstance(found, Listing)
    assert found.start == 3
    first, second = found.items
    assert [type(block) for block in first] == [Paragraph, Paragraph, Listing]
    assert second == (Paragraph((Span("two\nlazy"),)),)


def test_a_fence_that_is_never_closed_goes_to_the_end() -> None:
    assert read("~~~\na\n\nb") == (Code("a\n\nb"),)


def test_what_is_nested_too_deep_and_what_is_too_long_is_kept_as_text() -> None:
    assert "leaf" in repr(read("> " * 500 + "leaf"))
    assert "leaf" in repr(read("- " * 500 + "leaf"))
    last = read("a b\n" * 30_000 + "**leaf**")[-1]
    assert isinstance(last, Paragraph)
    assert words(last.spans).endswith("**leaf**")


def test_a_tick_after_an_escaped_one_opens_nothing_where_none_closes_it() -> None:
    assert "".join(span.text for span in inline("\\`` x")) == "`` x"
