"""Read HTML mail as text: what a reader would see, with its quotes marked by `>`."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

HTML_CHARS_MAX = 1024 * 1024
TAGS_MAX = 8_000
"""The parser needs quadratic time for nesting: 200,000 open `div` took minutes, these a fraction
of a second."""
TAG_CHARS_MAX = 2_000
"""One tag with 120,000 attributes took 15 s."""
LINK_CHARS_MAX = 500
QUOTES_DEEP_MAX = 10
"""More marks than this at each line would multiply the text."""
LINES_MAX = 50_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)([^>]*)>?")
_UNSEEN = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "object",
        "iframe",
        "svg",
        "math",
        "select",
        "textarea",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_APART = frozenset(["p", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"])
"""Blocks with an empty line around them."""
_ZERO = r"\s*:\s*0(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|"
    rf"(?:^|[;\s])(?:font-size|max-height|max-width|height|width|opacity){_ZERO}",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\r\n\f]+")


def text_of(html: str) -> str:
    """Return the visible text of `html`, cut where it has too many tags. Never raises."""
    tree = LexborHTMLParser(_bounded(html[:HTML_CHARS_MAX].replace("\0", "")))
    root = tree.root
    if root is None:
        return ""
    writer = _Writer()
    for node, entering in _walk(root):
        if not entering:
            writer.leave(node)
        elif node.is_text_node:
            writer.text(node.text_content or "")
        else:
            writer.enter(node)
    return writer.result()


def _bounded(html: str) -> str:
    """Return `html` up to the tag that is one too many, no tag of it longer than the limit."""
    pieces: list[str] = []
    done = 0
    for number, tag in enumerate(_TAG.finditer(html)):
        if number >= TAGS_MAX:
            # Stripping the tags of the rest would show what they hide.
            return "".join(pieces) + html[done : tag.start()]
        if len(tag[0]) > TAG_CHARS_MAX:
            # What cannot be looked at is taken as hidden; a link only loses where it leads.
            hidden = "" if tag[1] or tag[2].lower() == "a" else " hidden"
            pieces += [html[done : tag.start()], f"<{tag[1]}{escape(tag[2])}{hidden}>"]
            done = tag.end()
    return "".join(pieces) + html[done:]


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Yield (node, entering) depth first, without recursion, passing over what is not seen."""
    node: LexborNode | None = root
    while node is not None:
        seen = _seen(node)
        if seen:
            yield node, True
            if not node.is_text_node and node.first_child is not None:
                node = node.first_child
                continue
            yield node, False
        while node.next is None:
            node = node.parent
            if node is None or node.mem_id == root.mem_id:
                return
            yield node, False
        node = node.next


def _seen(node: LexborNode) -> bool:
    if node.is_text_node:
        return True
    if not node.is_element_node or node.tag in _UNSEEN:
        return False
    attributes = node.attributes
    if not attributes:
        return True
    style = attributes.get("style") or ""
    # A table layout has cells of no width that hold text all the same: only images go by size.
    return "hidden" not in attributes and not _HIDDEN.search(style[:TAG_CHARS_MAX])


class _Writer:
    """Text under construction: lines, with the quote depth of each."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._pre = 0
        self._links: list[tuple[str, int]] = []

    def enter(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "br":
            self._break()
        elif tag == "hr":
            self._block(apart=False)
            self._line.append("_" * 32)
            self._break()
        elif tag in _BLOCKS:
            self._block(apart=tag in _APART)
            self._quotes += tag == "blockquote"
            self._pre += tag == "pre"
            if tag == "li":
                self._line.append("- ")
        elif tag in {"td", "th"} and any(piece.strip() for piece in self._line):
            self._line.append(" ")
        elif tag == "a":
            self._links.append(((node.attributes.get("href") or "").strip(), len(self._line)))

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "a" and self._links:
            self._lead(*self._links.pop())
        elif tag in _BLOCKS:
            self._block(apart=tag in _APART)
            self._quotes -= tag == "blockquote"
            self._pre -= tag == "pre"

    def text(self, text: str) -> None:
        if self._pre:
            first, *more = text.split("\n")
            self._line.append(first)
            for line in more[:LINES_MAX]:
                self._break()
                self._line.append(line)
            return
        words = _SPACES.sub(" ", text)
        if words != " " or self._line:
            fresh = not self._line
            self._line.append(words.lstrip(" ") if fresh else words)

    def _lead(self, href: str, start: int) -> None:
        """Say where a link leads unless its text does; one over several lines keeps its text."""
        shown = "".join(self._line[start:]).strip()
        where = href.removeprefix("mailto:")
        if (
            href.lower().startswith(("http://", "https://", "mailto:"))
            and len(href) <= LINK_CHARS_MAX
            and shown
            and where.rstrip("/") not in shown
            and shown.rstrip("/") not in {where, where.split("://")[-1].rstrip("/")}
        ):
            self._line.append(f" <{where}>")

    def _block(self, *, apart: bool) -> None:
        if "".join(self._line).strip():
            self._break()
        self._line.clear()
        if apart and self._lines and self._lines[-1].strip("> "):
            self._lines.append(self._mark())

    def _break(self) -> None:
        if len(self._lines) >= LINES_MAX:
            return
        line = "".join(self._line)
        line = line if self._pre else re.sub(" +", " ", line)
        self._line.clear()
        mark = self._mark()
        self._lines.append(f"{mark} {line}".rstrip() if mark else line.rstrip())

    def _mark(self) -> str:
        return ">" * min(self._quotes, QUOTES_DEEP_MAX)

    def result(self) -> str:
        self._block(apart=False)
        while self._lines and not self._lines[-1].strip("> "):
            self._lines.pop()
        text = "\n".join(self._lines).replace("\u00a0", " ")
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
