"""Read Markdown: the part of GitHub's that people and our own answers use."""

from __future__ import annotations

import html
import re
from bisect import bisect_right

from processors.markup.document import (
    NESTED_MAX,
    Block,
    Cell,
    Code,
    Delimiter,
    Heading,
    Listing,
    Mark,
    Paragraph,
    Quote,
    Rule,
    Span,
    Table,
    clean,
    link,
    resolve,
    split_at_limit,
)

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]{0,40})([^`]*)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})[ \t]+(.*)")
_ITEM = re.compile(r"( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|$)")
_TOKEN = re.compile(
    r"""
    \\(?P<escaped>[!-/:-@\[-`{-~])
    | (?P<ticks>`+)
    | <(?P<auto>(?:https?://|mailto:)[^\s<>]{1,2000})>
    | (?P<image>!?)\[(?P<label>(?:[^\[\]\\\n]|\\.){0,2000})\]
      \([ ]?<?(?P<href>[^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500})?)>?
      (?:[ ]{1,3}"[^"\n]{0,300}")?[ ]?\)
    | (?P<bare>https?://[^\s<>`*|\[\]"']{1,2000})
    | (?P<run>\*+|_+|~+)
    | <(?P<end>/?)(?P<tag>sub|sup|ins|u|br)[ ]?/?>
    | (?P<entity>&(?:[A-Za-z]{2,10}|\#\d{1,6}|\#[xX][0-9a-fA-F]{1,5});)
    """,
    re.VERBOSE,
)
_TAGS: dict[str, Mark] = {"sub": "sub", "sup": "sup", "ins": "underline", "u": "underline"}
_RUNS: dict[str, tuple[tuple[str, Mark], ...]] = {
    "*": (("*", "em"),),
    "_": (("_", "em"),),
    "**": (("**", "strong"),),
    "__": (("__", "strong"),),
    "***": (("**", "strong"), ("*", "em")),
    "___": (("__", "strong"), ("_", "em")),
    "~~": (("~~", "strike"),),
}


def read(text: str) -> tuple[Block, ...]:
    """Return the blocks of `text`. Never raises; all words of the text are in them."""
    head, rest = split_at_limit(clean(text))
    blocks = _blocks(head.split("\n"), 0)
    return (*blocks, Paragraph((Span(rest.strip("\n")),))) if rest.strip() else blocks


def _blocks(lines: list[str], depth: int) -> tuple[Block, ...]:
    done: list[Block] = []
    waiting: list[str] = []

    def finish() -> None:
        if waiting:
            done.append(Paragraph(inline("\n".join(waiting))))
            waiting.clear()

    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            finish()
            at += 1
            continue
        if waiting and (level := _underline(line)):
            done.append(Heading(level, inline("\n".join(waiting))))
            waiting.clear()
            at += 1
            continue
        found = _special(lines, at, depth, in_paragraph=bool(waiting))
        if found is None:
            waiting.append(line.strip())
            at += 1
            continue
        finish()
        block, at = found
        done.append(block)
    finish()
    return tuple(done)


def _underline(line: str) -> int:
    bare = line.strip()
    if len(bare) < 2 or set(bare) not in ({"="}, {"-"}):
        return 0
    return 1 if bare[0] == "=" else 2


def _special(
    lines: list[str], at: int, depth: int, *, in_paragraph: bool
) -> tuple[Block, int] | None:
    """Return the block that begins at `at` and where it ends; None: a line of a paragraph."""
    line = lines[at]
    first = line.lstrip()[0]
    found: tuple[Block, int] | None = None
    if line.startswith(("    ", "\t")):
        return None if in_paragraph else _indented(lines, at)
    if first in "`~":
        found = _fenced(lines, at)
    elif first == "#" and (heading := _HEADING.match(line)):
        title = heading[2].strip().rstrip("#").rstrip()
        found = Heading(len(heading[1]), inline(title)), at + 1
    elif first == ">" and depth < NESTED_MAX:
        found = _quoted(lines, at, depth)
    elif first in "-*_" and _is_rule(line):
        found = Rule(), at + 1
    if found is None and depth < NESTED_MAX and (item := _ITEM.match(line)):
        found = _listed(lines, at, item, depth)
    if found is None and "|" in line and at + 1 < len(lines) and _is_ruler(lines[at + 1]):
        found = _tabled(lines, at)
    return found


def _is_rule(line: str) -> bool:
    bare = line.replace(" ", "")
    return len(bare) >= 3 and len(set(bare)) == 1


def _is_ruler(line: str) -> bool:
    return "-" in line and "|" in line and set(line) <= set("|-: \t")


def _indented(lines: list[str], at: int) -> tuple[Block, int]:
    end = at
    while end < len(lines) and (lines[end].startswith(("    ", "\t")) or not lines[end].strip()):
        end += 1
    text = "\n".join(
        line.removeprefix("\t") if line[:1] == "\t" else line[4:] for line in lines[at:end]
    )
    return Code(text.rstrip()), end


def _fenced(lines: list[str], at: int) -> tuple[Block, int] | None:
    fence = _FENCE.fullmatch(lines[at])
    if fence is None:
        return None
    indent = len(lines[at]) - len(lines[at].lstrip(" "))
    end = at + 1
    while end < len(lines):
        bare = lines[end].strip()
        if len(bare) >= len(fence[1]) and set(bare) == {fence[1][0]}:
            break
        end += 1
    body = (line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines[at + 1 : end])
    # More than a language after the fence is no language; it is kept, as a first line.
    more = (fence[3].strip(),) if fence[3].strip() else ()
    return Code("\n".join((*more, *body)), fence[2]), end + 1


def _quoted(lines: list[str], at: int, depth: int) -> tuple[Block, int]:
    end = at
    inner: list[str] = []
    while end < len(lines) and (bare := lines[end].lstrip()).startswith(">"):
        inner.append(bare[1:].removeprefix(" "))
        end += 1
    return Quote(_blocks(inner, depth + 1)), end


def _listed(lines: list[str], at: int, first: re.Match[str], depth: int) -> tuple[Block, int]:
    sign = first[2][-1]
    items: list[list[str]] = []
    width = 0
    is_gap = False
    while at < len(lines):
        line = lines[at]
        item = _ITEM.match(line)
        if not line.strip():
            if not items:
                break
            items[-1].append("")
            is_gap = True
        elif items and len(line) - len(line.lstrip(" ")) >= width:
            items[-1].append(line[width:])
            is_gap = False
        elif item and item[2][-1] == sign and not _is_rule(line):
            width = len(item[0])
            items.append([line[width:]])
            is_gap = False
        elif is_gap or item or line.lstrip()[0] in "#>`~|" or _is_rule(line):
            break
        else:  # A line that goes on where the item's last one ended, only without its indent.
            items[-1].append(line.strip())
        at += 1
    number = first[2][:-1]
    start = int(number) if number else None
    return Listing(tuple(_blocks(item, depth + 1) for item in items), start), at


def _tabled(lines: list[str], at: int) -> tuple[Block, int]:
    rows = [_row(lines[at], header=True)]
    at += 2
    while at < len(lines) and "|" in lines[at]:
        rows.append(_row(lines[at], header=False))
        at += 1
    return Table(tuple(rows)), at


def _row(line: str, *, header: bool) -> tuple[Cell, ...]:
    bare = line.strip().removeprefix("|")
    if bare.endswith("|") and not bare.endswith("\\|"):
        bare = bare[:-1]
    cells = re.split(r"(?<!\\)\|", bare)
    return tuple(Cell(inline(cell.strip().replace("\\|", "|")), header) for cell in cells)


def inline(text: str, *, depth: int = 0) -> tuple[Span, ...]:
    """Return the spans of one paragraph."""
    pieces: list[Span | Delimiter] = []
    ticks: dict[int, list[int]] | None = None
    at = 0
    search = 0
    while found := _TOKEN.search(text, search):
        search = found.end()
        if found["ticks"]:
            if ticks is None:
                ticks = _ticks(text)
            size = len(found["ticks"])
            later = ticks.get(size, [])  # One with an escaped tick before it is none of them.
            number = bisect_right(later, found.start())
            if number == len(later):
                continue
            pieces.append(Span(text[at : found.start()]))
            pieces.append(_code(text[found.end() : later[number]]))
            at = search = later[number] + size
            continue
        pieces.append(Span(text[at : found.start()]))
        pieces.extend(_pieces(found, text, depth))
        at = search
    pieces.append(Span(text[at:]))
    return resolve(pieces)


def _ticks(text: str) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for run in re.finditer("`+", text):
        places.setdefault(len(run[0]), []).append(run.start())
    return places


def _code(inner: str) -> Span:
    line = inner.replace("\n", " ")
    if line.strip() and line[0] == line[-1] == " ":
        line = line[1:-1]
    return Span(line, frozenset({"code"}))


def _pieces(found: re.Match[str], text: str, depth: int) -> list[Span | Delimiter]:
    whole = found[0]
    pieces: list[Span | Delimiter]
    match found.lastgroup:
        case "escaped":
            pieces = [Span(found["escaped"])]
        case "auto":
            pieces = [Span(found["auto"], href=link(found["auto"]))]
        case "href":
            pieces = _linked(found, depth)
        case "bare":
            address = whole.rstrip(".,;:!?)")
            pieces = [Span(address, href=link(address)), Span(whole[len(address) :])]
        case "run":
            pieces = _run(found, text)
        case "tag" if found["tag"] == "br":
            pieces = [Span("\n")]
        case "tag":
            is_end, mark = bool(found["end"]), _TAGS[found["tag"]]
            pieces = [Delimiter(whole, mark, not is_end, is_end, partner=found["tag"])]
        case "entity":
            pieces = [Span(clean(html.unescape(whole)))]
        case _:
            pieces = [Span(whole)]
    return pieces


def _linked(found: re.Match[str], depth: int) -> list[Span | Delimiter]:
    # A label holds no brackets, so there is no link in it; a bare address stands for itself.
    label = inline(found["label"], depth=depth + 1) if depth == 0 else (Span(found["label"]),)
    address = link(found["href"])
    if not label:
        label = (Span(found["href"] or " "),)
    if address is None:
        # Where it leads is no place for anybody else, but it may be worth reading.
        return [*label, Span(f" ({found['href']})" if found["href"] else "")]
    return [Span(span.text, span.marks, address) for span in label]


def _run(found: re.Match[str], text: str) -> list[Span | Delimiter]:
    parts = _RUNS.get(found["run"])
    if parts is None:
        return [Span(found["run"])]
    before = text[found.start() - 1] if found.start() else " "
    after = text[found.end()] if found.end() < len(text) else " "
    opens, closes = not after.isspace(), not before.isspace()
    if found["run"][0] == "_":  # Names_like_this are no emphasis.
        opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
    elif opens and closes:  # Between a letter and a sign the letter decides.
        opens = after.isalnum() or not before.isalnum()
        closes = before.isalnum() or not after.isalnum()
    return [Delimiter(sign, mark, opens, closes) for sign, mark in parts]
