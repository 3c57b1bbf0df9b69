"""Strict readers of what we write: what would call somebody, load something or lead somewhere.

They share nothing with our renderers, and are stricter than the services: what is no mention today
because of the code around it counts as one here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_CALL = re.compile(r"@(?:everyone|here|channel|all)\b", re.IGNORECASE)
_GITHUB = (
    ("a mention", re.compile(r"@[A-Za-z0-9]")),
    ("an issue", re.compile(r"(?<!&)#\d|\bGH-\d", re.IGNORECASE)),
    ("an address", re.compile(r"[a-z]{3,10}://|\bwww\.\w|\b(?:mailto|xmpp):", re.IGNORECASE)),
    ("a commit of another repository", re.compile(r"[\w-]/[\w.-]+@[0-9a-f]{7}")),
)
_GITHUB_TAGS = frozenset({"<sub>", "</sub>"})
_SLACK = (
    ("a mention", re.compile(r"<[@#!][^>]*>?")),
    ("an address", re.compile(r"<[a-z]{3,10}:[^>]*>", re.IGNORECASE)),
    ("a broadcast", _CALL),
)
_SLACK_ELEMENTS = frozenset({"user", "usergroup", "broadcast", "channel", "link", "team", "image"})
_DISCORD = (
    ("a broadcast", _CALL),
    ("a mention", re.compile(r"<(?:@[!&]?|#)\d|</[\w -]+:\d|<id:", re.IGNORECASE)),
    # Also behind words, `[a](b)`, where nothing but a whole address leads anywhere.
    ("an address", re.compile(r"(?:https?|discord)://|\bmailto:", re.IGNORECASE)),
)
_ADF_NODES = frozenset(
    {
        *("doc", "paragraph", "text", "heading", "rule", "hardBreak", "bulletList", "orderedList"),
        *("listItem", "codeBlock", "blockquote", "panel"),
        *("table", "tableRow", "tableHeader", "tableCell"),
    }
)
_ADF_MARKS = frozenset({"strong", "em", "code", "strike", "underline", "subsup"})
_WIKI = (
    ("a mention", re.compile(r"(?<!\\)\[~")),
    ("an address", re.compile(r"(?<!\\)\[[^\]\n]*(?:[a-z]{3,10}:|\|)[^\]\n]*\]|[a-z]{3,10}://")),
    ("a picture", re.compile(r"(?<!\\)!\S[^!\n]*\.\w{2,4}(?:\|[^!\n]*)?!")),
    ("a macro", re.compile(r"(?<![\\{])\{(?!\{)(?P<macro>[a-z]+)[:}]", re.IGNORECASE)),
)
_WIKI_OWN = frozenset(["code", "noformat", "quote", "panel", "sub", "sup", "color"])
_WIKI_BLOCK = re.compile(r"\{(code|noformat)[^}\n]*\}\n.*?\n\{\1\}", re.DOTALL)
_BREAK = "\u200b"
"""The one character of no width that we write ourselves."""


def invisible(text: str) -> Iterator[str]:
    """Yield what a person would not see and a terminal or a model would obey."""
    for char in dict.fromkeys(text):
        kind = unicodedata.category(char)
        if char not in ("\n", _BREAK) and (kind in ("Cc", "Cf", "Cs", "Zl", "Zp")):
            yield f"a character that does not show: U+{ord(char):04X}"


def github(markdown: str) -> list[str]:
    """Return what GitHub's Markdown would make of a comment of ours."""
    found = [what for what, sign in _GITHUB if sign.search(markdown)]
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    found += list(_acting(tokens))
    return [*found, *invisible(markdown)]


def _acting(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        yield from _acting(token.children or ())
        # Also as it is shown: "&commat;" is a sign by then.
        shown = token.content if token.type in ("text", "text_special", "code_inline") else ""
        yield from (f"{what}, once shown" for what, sign in _GITHUB if sign.search(shown))
        yield from invisible(shown)
        if token.type in ("link_open", "image"):
            yield f"a {token.type.removesuffix('_open')}"
        elif token.type in ("html_inline", "html_block"):
            tags = set(re.findall(r"<[^>]*>?", token.content))
            yield from (f"HTML {tag[:60]}" for tag in sorted(tags - _GITHUB_TAGS))


def slack(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what Slack would make of the arguments of `chat.postMessage`."""
    return [problem for message in messages for problem in _slack(message)]


def _slack(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("type") in _SLACK_ELEMENTS:
            yield f"an element {node['type']}"
        if node.get("link_names") or node.get("parse") == "full":
            yield "names made into mentions"
        for value in node.values():
            yield from _slack(value)
    elif isinstance(node, str):
        yield from (what for what, sign in _SLACK if sign.search(node))
        yield from invisible(node)
    elif isinstance(node, Sequence):
        for value in node:
            yield from _slack(value)


def discord(contents: Sequence[str]) -> list[str]:
    """Return what Discord would make of the contents of messages."""
    found = [what for one in contents for what, sign in _DISCORD if sign.search(one)]
    return [*found, *(problem for one in contents for problem in invisible(one))]


def adf(node: Mapping[str, Any]) -> list[str]:
    """Return what Jira Cloud would make of a document."""
    found = [] if node.get("type") in _ADF_NODES else [f"a node {node.get('type')}"]
    marks = [mark.get("type") for mark in node.get("marks", ())]
    found += [f"a mark {mark}" for mark in marks if mark not in _ADF_MARKS]
    found += list(invisible(node.get("text", "")))
    return found + [problem for child in node.get("content", ()) for problem in adf(child)]


def wiki(text: str) -> list[str]:
    """Return what Jira Server would make of wiki markup."""
    free = _WIKI_BLOCK.sub("", text)
    found = [what for what, sign in _WIKI[:3] if sign.search(free)]
    found += [
        f"a macro {macro['macro']}"
        for macro in _WIKI[3][1].finditer(free)
        if macro["macro"].lower() not in _WIKI_OWN
    ]
    return [*found, *invisible(text)]


class _Page(HTMLParser):
    _PLAIN = frozenset(
        {
            *("html", "head", "body", "meta", "p", "br", "hr", "blockquote", "div", "span"),
            *("b", "i", "em", "strong", "code", "pre", "sub", "sup", "small", "del", "s", "u"),
            *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
            *("h1", "h2", "h3", "h4", "h5", "h6"),
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._PLAIN:
            self.found.append(f"an element {tag}")
        self.found += [
            f"an attribute {name}"
            for name, _ in attrs
            if name.startswith("on") or name in ("href", "src", "srcset", "background", "action")
        ]

    def handle_comment(self, data: str) -> None:
        self.found.append(f"a comment {data[:40]}")


def html(text: str) -> list[str]:
    """Return what a mail program would make of HTML of ours."""
    page = _Page()
    page.feed(text)
    page.close()
    return [*page.found, *invisible(text)]


def mail(raw: bytes, *, to: str) -> list[str]:
    """Return what a server would make of a mail of ours to `to`."""
    read = message_from_bytes(raw, policy=policy.default)
    found = [f"a header {name}" for name in ("bcc", "cc", "resent-to") if name in read]
    found += [
        f"{name} {len(read.get_all(name, []))} times"
        for name in ("to", "from", "subject", "message-id", "content-type")
        if len(read.get_all(name, [])) != 1
    ]
    receivers = read["to"].addresses if read["to"] else ()
    found += [f"a receiver {one.addr_spec}" for one in receivers if one.addr_spec != to]
    for part in read.walk():
        kind = part.get_content_type()
        if kind not in ("text/html", "text/plain"):
            found += [] if part.is_multipart() else [f"a part {kind}"]
            continue
        text = str(part.get_content()).replace("\r\n", "\n")
        found += html(text) if kind == "text/html" else list(invisible(text))
    return [*found, *invisible(str(read["subject"]))]
