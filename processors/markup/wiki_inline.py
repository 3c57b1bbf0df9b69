"""Read what stands inside a line of Jira's wiki markup."""

from __future__ import annotations

import html
import re

from processors.markup.document import Delimiter, Mark, Span, clean, link, mention, resolve

_TOKEN = re.compile(
    r"""
    \\\\(?P<newline>)
    | \\(?P<escaped>[!-/:-@\[-`{-~])
    | \{\{(?P<mono>[^{}\n]{1,2000}(?:[{}][^{}\n]{1,2000}){0,20}?)\}\}
    | (?P<dropped>\{(?:color|anchor|toc|attachments|gallery|jiraissues)(?::[^{}\n]{0,200})?\})
    | \{(?P<forced>[*_+^~-]|\?\?)\}
    | \[(?P<link>[^\[\]\n]{1,2500})\]
    | !(?P<image>[^!\s|]{1,500})(?:\|[^!\n]{0,300})?!
    | (?P<bare>https?://[^\s<>|\[\]{}"'!]{1,2000})
    | (?P<run>\*+|_+|\++|\^+|~+|\?+|-+)
    | (?P<entity>&(?:[A-Za-z]{2,10}|\#\d{1,6}|\#[xX][0-9a-fA-F]{1,5});)
    """,
    re.VERBOSE,
)
_SIGNS: dict[str, Mark] = {
    "*": "strong",
    "_": "em",
    "-": "strike",
    "+": "underline",
    "^": "sup",
    "~": "sub",
    "??": "em",
}


def inline(text: str) -> tuple[Span, ...]:
    """Return the spans of `text`. A mark that is not closed in its line is text."""
    spans: list[Span] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            spans.append(Span("\n"))
        spans.extend(_line(line))
    return resolve(spans)


def _line(text: str) -> tuple[Span, ...]:
    pieces: list[Span | Delimiter] = []
    at = 0
    for found in _TOKEN.finditer(text):
        pieces.append(Span(text[at : found.start()]))
        pieces.extend(_pieces(found, text))
        at = found.end()
    pieces.append(Span(text[at:]))
    return resolve(pieces)


def _pieces(found: re.Match[str], text: str) -> list[Span | Delimiter]:
    kind = found.lastgroup or ""
    inner = found[kind]
    pieces: list[Span | Delimiter]
    match kind:
        case "newline":
            pieces = [Span("\n")]
        case "dropped":
            pieces = []
        case "mono":
            pieces = [Span(inner, frozenset({"code"}))]
        case "forced":
            pieces = [Delimiter(inner, _SIGNS[inner], opens=True, closes=True)]
        case "link":
            pieces = [_linked(inner)]
        case "image":
            pieces = [_image(inner, found[0])]
        case "bare":
            address = inner.rstrip(".,;:?)")
            pieces = [Span(address, href=link(address)), Span(inner[len(address) :])]
        case "run":
            pieces = [_run(found, text)]
        case _:
            pieces = [Span(clean(html.unescape(inner)) if kind == "entity" else inner)]
    return pieces


def _linked(inner: str) -> Span:
    if inner.startswith("~"):
        return Span(mention(inner[1:].removeprefix("accountid:")))
    label, bar, rest = inner.partition("|")
    target = (rest if bar else inner).split("|", maxsplit=1)[0].strip()
    address = link(target)
    if address is not None:
        return Span(label.strip() if bar and label.strip() else address, href=address)
    said = f"[{inner}]"  # Brackets are also just brackets.
    if not bar and target.startswith("^"):
        said = f"[attachment {target[1:]}]"
    elif bar and target.startswith("~"):
        said = f"{label} {mention(target[1:].removeprefix('accountid:'))}"
    elif bar and target[:1] in {"#", "^", "/"}:
        said = f"{label} ({target})"
    return Span(said)


def _image(name: str, whole: str) -> Span:
    address = link(name)
    if address is not None:
        return Span(address, href=address)
    # Two exclamations in one line are no picture.
    is_file = re.search(r"\.[A-Za-z0-9]{2,5}$", name)
    return Span(f"[attachment {name}]" if is_file else whole)


def _run(found: re.Match[str], text: str) -> Span | Delimiter:
    mark = _SIGNS.get(found["run"])
    if mark is None:
        return Span(found["run"])
    before = text[found.start() - 1] if found.start() else " "
    after = text[found.end()] if found.end() < len(text) else " "
    opens = not after.isspace() and not before.isalnum()
    closes = not before.isspace() and not after.isalnum()
    return Delimiter(found["run"], mark, opens, closes) if opens or closes else Span(found["run"])
