"""How ADF is read, by what it becomes in Markdown."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.markup import adf_to_markdown
from processors.markup.from_adf import text_of

KINDS = st.sampled_from(
    [
        *("doc", "paragraph", "heading", "text", "mention", "emoji", "codeBlock", "blockquote"),
        *("panel", "bulletList", "orderedList", "listItem", "taskList", "taskItem", "table"),
        *("tableRow", "tableCell", "tableHeader", "media", "mediaSingle", "date", "status"),
        *("inlineCard", "rule", "hardBreak", "expand", "layoutSection", "extension"),
    ]
)
ATTRS = st.sampled_from(
    ["level", "order", "text", "id", "url", "alt", "timestamp", "title", "state"]
)
ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NODES: st.SearchStrategy[Any] = st.recursive(
    ANY | st.fixed_dictionaries({"type": KINDS, "text": ANY}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": KINDS | ANY,
            "text": ANY,
            "content": st.lists(inner, max_size=4) | inner,
            "marks": st.lists(inner, max_size=2) | ANY,
            "attrs": st.dictionaries(ATTRS, ANY) | ANY,
        },
    ),
    max_leaves=20,
)


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content), **({"attrs": attrs} if attrs else {})}


def text(said: str, *marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, "marks": list(marks)}


def test_what_an_editor_makes_becomes_markdown() -> None:
    document = node(
        "doc",
        node("heading", text("Title"), level=2),
        node(
            "paragraph",
            text("a "),
            text("b", {"type": "strong"}),
            {"type": "hardBreak"},
            text("c", {"type": "link", "attrs": {"href": "https://x.example"}}),
        ),
        node("codeBlock", text("x = `1`"), language="python"),
        node("panel", node("paragraph", text("hot")), panelType="warning"),
        node("taskList", node("taskItem", text("done"), state="DONE")),
        node("orderedList", node("listItem", node("paragraph", text("four"))), order=4),
        node(
            "table",
            node("tableRow", node("tableHeader", node("paragraph", text("h")))),
            node("tableRow", node("tableCell", node("paragraph", text("x|y")))),
        ),
        node("mediaSingle", node("media", alt="shot.png", id="1", type="file")),
        node("expand", node("paragraph", text("inner")), title="More"),
        node("rule"),
    )

    assert adf_to_markdown(document) == (
        "## Title\n\na **b**\n[c](https://x.example)\n\n```python\nx = `1`\n```\n\n"
        "> **Warning**\n>\n> hot\n\n- [x] done\n\n4. four\n\n| h |\n| --- |\n| x\\|y |\n\n"
        "[attachment shot.png]\n\n**More**\n\ninner\n\n---"
    )


def test_what_stands_for_a_thing_says_its_words_and_calls_nobody() -> None:
    document = node(
        "paragraph",
        node("mention", id="5c5f", text="@Ann"),
        node("emoji", shortName=":boom:"),
        node("date", timestamp="1550286678321"),
        node("status", text="OPEN"),
        node("inlineCard", url="https://x.example/1"),
    )

    assert adf_to_markdown(document) == ("@\u200bAnn:boom:2019-02-16OPEN<https://x.example/1>")


def test_what_is_unknown_or_too_deep_gives_its_text() -> None:
    deep: Any = text("leaf")
    for _ in range(3_000):
        deep = node("somethingNew", deep)

    assert adf_to_markdown(deep) == text_of(deep) == "leaf"


@given(value=NODES)
def test_nothing_makes_it_fail(value: Any) -> None:
    adf_to_markdown(value).encode()
