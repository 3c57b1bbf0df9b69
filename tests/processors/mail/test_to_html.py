"""Answers as mail: nothing of a stranger's text acts in it."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from processors.mail.to_html import to_html, to_plain
from processors.quoting import code, prose

TAGS = {"html", "head", "meta", "body", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "a"}
TAGS |= {"blockquote", "ul", "ol", "li", "table", "tr", "th", "td", "br", "code", "small", "sup"}
TAGS |= {"u", "s", "em", "strong"}


class Seen(HTMLParser):
    """Notes every tag and attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_answer_keeps_its_form() -> None:
    html = to_html(
        "**BUG-1: a fix is ready.**\n\nIt is `abc` on [a page](https://x.example/a?b=1&c=2).\n\n"
        "| Check | Verdict |\n|---|---|\n| tests | passed |\n\n- one\n- two\n\n"
        "```\na < b\n```\n\n<sub>Written by bugstream.</sub>"
    )
    seen = Seen(html)
    kinds = [tag for tag, _ in seen.tags]

    assert {"strong", "code", "table", "th", "td", "li", "pre", "small", "a"} <= set(kinds)
    assert ("a", {"href": "https://x.example/a?b=1&c=2"}) in seen.tags
    assert "a < b" in seen.text


def test_what_strangers_write_does_nothing() -> None:
    bad = '<script>x</script> <img src=x onerror=y> [a](javascript:z) "><b> ![i](https://t.example)'
    for text in (bad, prose(bad), code(bad), f"```\n{bad}\n```"):
        seen = Seen(to_html(text))

        assert {tag for tag, _ in seen.tags} <= TAGS
        assert all((of.get("href") or "http").startswith("http") for _, of in seen.tags)


@given(st.text(alphabet="<>&\"'`*_[]()!|-#\\ \nab:/htps", max_size=200))
def test_whatever_the_text_only_our_own_tags_come_out(text: str) -> None:
    assert {tag for tag, _ in Seen(to_html(text)).tags} <= TAGS


def test_the_plain_text_is_without_what_only_machines_see() -> None:
    plain = to_plain(
        "**BUG-1: done.**\n\na\\_b\\* `c`\n\n```\nx \\* **y**\n```\n<sub>By us.</sub>\n"
    )

    assert plain == "BUG-1: done.\n\na_b* `c`\n\n```\nx \\* **y**\n```\nBy us.\n"
