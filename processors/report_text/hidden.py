"""What a report shows to people, and what it hides from them: a model must read only the former.

An outsider's text may say one thing to a person and another to a machine, by comments, hidden
elements and attributes, link definitions and characters of no width. Code is shown as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from processors.report_text.invisible import InvisibleKind, strip_invisible
from processors.report_text.tags import (
    HIDDEN_ELEMENTS,
    HTML_BLOCKS,
    TAG,
    VOID,
    is_hidden,
    rebuilt,
    says_words,
)

TEXT_CHARS_MAX = 1_000_000
HIDDEN_PARTS_MAX = 200
HIDDEN_CHARS_MAX = 2_000
"""Of each part that is told."""
PASSES_MAX = 3
MARKS_MAX = 20_000
"""Of one text. What follows so many is shown with its marks made harmless."""
CODE_SPAN_CHARS_MAX = 5_000

HiddenKind = (
    Literal["comment", "element", "attribute", "tag", "definition", "collapsed", "cut"]
    | InvisibleKind
)

_TOKEN = re.compile(
    # Told apart by one character first, for speed.
    r"(?=[`~\\<!\[\] ])(?:"
    r"(?P<fence>(?:^|(?<=\n)) {0,3}(?P<mark>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})[^\n]*)"
    r"|(?P<escaped>\\[`<\\!\[])"
    r"|(?P<ticks>`+)"
    r"|(?P<comment><!--(?:-?>)?)"
    r"|(?P<instruction><\?|<!\[CDATA\[|<![A-Za-z])"
    rf"|(?P<tag>{TAG})"
    r"|(?P<definition>(?:^|(?<=\n)) {0,3}\[(?P<label>[^\[\]\n]{1,300})\]:[ \t]{0,8}"
    r"(?P<target><[^<>\n]{0,500}>|[^\s<>]{1,2000})?"
    r"(?P<said>[ \t]{1,8}(?:\"[^\"\n]{0,5000}\"|'[^'\n]{0,5000}'|\([^()\n]{0,5000}\)))?"
    r"[ \t]{0,8}(?=\n|\Z))"
    r"|(?P<image>!\[(?P<alt>[^\[\]\n]{1,2000})\]\()"
    r"|(?P<link>\]\((?P<url>[^\s()<>]{1,2000})[ \t]{1,8}"
    r"(?:\"(?P<title>[^\"\n]{0,2000})\"|'(?P<titled>[^'\n]{0,2000})')[ \t]{0,8}(?=\))))"
)
_HARMLESS = str.maketrans({"<": "‹", "[": "(", "]": ")", "`": "'", "~": "-", "\\": "/"})
_BLANK_LINE = re.compile(r"\n[ \t]*(?=\n|\Z)")
_LABEL = re.compile(r"\[([^\[\]\n]{1,300})\](?!:)")
_CLOSERS = {"<?": "?>", "<![CDATA[": "]]>"}
LABEL_CHARS_MAX = 40


@dataclass(frozen=True, slots=True)
class HiddenPart:
    """One thing that a person would not have seen. `collapsed` and `tag` still are in the text."""

    kind: HiddenKind
    text: str


@dataclass(frozen=True, slots=True)
class VisibleText:
    """What a person sees of a text, and what is hidden in it, in the order found."""

    text: str
    hidden: tuple[HiddenPart, ...] = ()
    hidden_count: int = 0
    """Of all there is, also of what is not told for being too many."""


def visible_text(text: str) -> VisibleText:
    """Return what a person sees of `text`, and what it hides. Never raises.

    Doing it again with the result changes nothing. Folded text (`<details>`) is one click away,
    and `<words like these>` are gone on some channels only: both stay and are told. What is
    beyond `TEXT_CHARS_MAX` is left out, and that is told too.
    """
    found = _Hidden()
    if len(text) > TEXT_CHARS_MAX:
        found.add("cut", f"{len(text) - TEXT_CHARS_MAX} characters")
        text = text[:TEXT_CHARS_MAX]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number in range(PASSES_MAX):
        before = text
        text, unseen = strip_invisible(text)
        for kind, run in unseen.runs:
            found.add(kind, run)
        found.count += unseen.count - len(unseen.runs)
        # Taking a comment out may bring a tag together: "<di<!-- -->v hidden>".
        text = _Pass(text, found, first=number == 0).run()
        if text == before:
            break
    else:
        text = _inert(text, found)
    return VisibleText(text, tuple(found.parts), found.count)


def _inert(text: str, found: _Hidden) -> str:
    """Return `text` with nothing left that a reader could take for a mark.

    It was made to need many passes; what its author meant by it is not worth another.
    """
    found.add("cut", "marks within marks")
    text, _ = strip_invisible(text.translate(_HARMLESS))
    return text


@dataclass(slots=True)
class _Hidden:
    parts: list[HiddenPart] = field(default_factory=list)
    count: int = 0

    def add(self, kind: HiddenKind, text: str) -> None:
        self.count += 1
        if len(self.parts) < HIDDEN_PARTS_MAX:
            self.parts.append(HiddenPart(kind, text.strip()[:HIDDEN_CHARS_MAX]))


class _Pass:
    """One walk over the text, from mark to mark: each character is looked at a few times."""

    def __init__(self, text: str, found: _Hidden, *, first: bool) -> None:
        self._text = text
        self._lower = text.lower() if "<" in text else ""
        self._found = found
        self._first = first
        self._out: list[str] = []
        self._at = 0
        self._html_until = 0
        """Up to the blank line behind an HTML block nothing is code, whatever it looks like."""
        self._inside = ""
        self._depth = 0
        self._concealed: list[str] = []
        self._concealed_until = 0
        self._folded_from: int | None = None
        self._folds = 0
        self._last_close: dict[str, int] = {}
        self._blank_at = -1
        self._labels: set[str] | None = None

    def run(self) -> str:
        """Return what is seen."""
        marks = 0
        while (token := _TOKEN.search(self._text, self._at)) is not None:
            marks += 1
            if marks > MARKS_MAX:
                self._found.add("cut", "too many marks")
                self._text = self._text[: self._at] + self._text[self._at :].translate(_HARMLESS)
                break
            self._conceal_end(token.start())
            self._emit(self._text[self._at : token.start()])
            self._at = token.end()
            if token.end() == token.start():
                self._at += 1
            self._take(token)
        self._conceal_end(len(self._text))
        self._emit(self._text[self._at :])
        self._reveal()
        self._unfold()
        return "".join(self._out)

    def _emit(self, text: str) -> None:
        if text:
            (self._concealed if self._inside else self._out).append(text)

    def _take(self, token: re.Match[str]) -> None:
        match _kind(token):
            case "fence" | "ticks":
                self._code(token)
            case "comment":
                self._comment(token)
            case "instruction":
                opened = token.group(0)
                self._until(_CLOSERS.get(opened, ">"), token, kind="comment")
            case "tag":
                self._tag(token)
            case "definition":
                self._definition(token)
            case "image":
                self._image(token)
            case "link":
                title = token["title"] or token["titled"] or ""
                self._emit(f"]({token['url']}")
                self._attribute(title)
            case _:
                self._emit(token.group(0))

    def _code(self, token: re.Match[str]) -> None:
        """Pass code over as it is, to its end; marks without an end are text."""
        if token.start() < self._html_until:
            self._emit(token.group(0))
            return
        if token["fence"]:
            mark = token["mark"]
            close = re.compile(rf"\n {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*(?=\n|\Z)")
            end = close.search(self._text, token.end())
            self._at = end.end() if end else len(self._text)
        else:
            ticks = token["ticks"]
            close = re.compile(rf"(?<!`){ticks}(?!`)")
            end = close.search(self._text, token.end(), token.end() + CODE_SPAN_CHARS_MAX)
            if end and not _BLANK_LINE.search(self._text, token.end(), end.start()):
                self._at = end.end()
        self._emit(self._text[token.start() : self._at])

    def _comment(self, token: re.Match[str]) -> None:
        if token.group(0).endswith(">"):
            self._found.add("comment", "")
        else:
            self._until("-->", token, kind="comment")

    def _until(self, close: str, token: re.Match[str], *, kind: HiddenKind) -> None:
        """Hide up to `close`. Without one it hides all there is at the start of a line only."""
        end = self._find(close, token.end())
        if end < 0 and not self._starts_line(token.start()):
            self._emit(token.group(0))
            return
        stop = len(self._text) if end < 0 else end
        self._found.add(kind, self._text[token.end() : stop])
        self._at = min(len(self._text), stop + len(close))

    def _find(self, words: str, start: int) -> int:
        """Return where `words` come next, or -1; the last place is looked up once."""
        if words not in self._last_close:
            self._last_close[words] = self._lower.rfind(words.lower())
        if self._last_close[words] < start:
            return -1
        return self._lower.find(words.lower(), start)

    def _blank_line(self, start: int) -> int:
        """Return where the next blank line begins, else the end; looked up once for each."""
        if self._blank_at < start:
            blank = _BLANK_LINE.search(self._text, start)
            self._blank_at = blank.start() if blank else len(self._text)
        return self._blank_at

    def _starts_line(self, at: int) -> bool:
        line = self._text.rfind("\n", max(0, at - 4), at) + 1
        return (line > 0 or at < 4) and not self._text[line:at].strip(" ")

    def _tag(self, token: re.Match[str]) -> None:
        name = token["name"].lower()
        closes = token.group(0).startswith("</")
        if self._starts_line(token.start()) and name in HTML_BLOCKS:
            self._html_until = self._blank_line(token.end())
        if self._inside:
            self._tag_inside(token, name, closes=closes)
            return
        if name in HIDDEN_ELEMENTS or is_hidden(token):
            if not closes:
                self._conceal(token, name)
            return
        if name == "details":
            self._fold(closes=closes, shown=re.search(r"\sopen\b", token.group(0)) is not None)
        tag, attributes = rebuilt(token)
        for attribute in attributes:
            self._attribute(attribute)
        if tag and self._first and says_words(token):
            self._found.add("tag", tag)
        self._emit(tag)

    def _conceal(self, token: re.Match[str], name: str) -> None:
        """Begin to hide what an element holds."""
        for attribute in rebuilt(token)[1]:
            self._attribute(attribute)
        if name in VOID or token.group(0).endswith("/>"):
            self._found.add("element", token.group(0))
            return
        self._inside, self._depth = name, 1
        self._concealed = []
        self._concealed_until = len(self._text)
        if self._find(f"</{name}", token.end()) < 0:
            self._concealed_until = self._blank_line(token.end())

    def _tag_inside(self, token: re.Match[str], name: str, *, closes: bool) -> None:
        if name == self._inside and not token.group(0).endswith("/>"):
            self._depth += -1 if closes else 1
            if not self._depth:
                self._reveal()
                return
        tag, attributes = rebuilt(token)
        if self._inside == "picture" and name == "img":
            self._out.append(tag)
        for attribute in attributes:
            self._attribute(attribute)

    def _conceal_end(self, at: int) -> None:
        """End a hidden element that nothing closes at the blank line it cannot pass."""
        if self._inside and self._concealed_until < at:
            self._emit(self._text[self._at : self._concealed_until])
            self._at = max(self._at, self._concealed_until)
            self._reveal()

    def _reveal(self) -> None:
        if self._inside:
            said = "".join(self._concealed)
            self._found.add("element", said if said.strip() else f"<{self._inside}>")
            self._inside, self._concealed = "", []

    def _fold(self, *, closes: bool, shown: bool) -> None:
        if not closes:
            self._folds += 1
            if self._folded_from is None and not shown:
                self._folded_from = len(self._out)
            return
        self._folds = max(0, self._folds - 1)
        if not self._folds:
            self._unfold()

    def _unfold(self) -> None:
        if self._folded_from is not None and self._first:
            said = ""
            for piece in self._out[self._folded_from :]:
                said += piece[:HIDDEN_CHARS_MAX]
                if len(said) >= HIDDEN_CHARS_MAX:
                    break
            self._found.add("collapsed", said)
        self._folded_from = None

    def _definition(self, token: re.Match[str]) -> None:
        """Hide what a link definition says, and one that nothing in the text refers to."""
        if self._labels is None:
            self._labels = {label.casefold() for label in _LABEL.findall(self._text)}
        used = token["label"].casefold() in self._labels
        if not used or len(token["label"]) > LABEL_CHARS_MAX:
            self._found.add("definition", token.group(0))
        elif token["said"]:
            self._found.add("definition", token["said"])
            self._emit(f"[{token['label']}]: {token['target'] or ''}")
        else:
            self._emit(token.group(0))

    def _image(self, token: re.Match[str]) -> None:
        """Hide the words that stand for a picture: they show only where it does not load."""
        alt = token["alt"]
        if " " in alt.strip():
            self._attribute(alt)
            self._emit("![](")
        else:
            self._emit(token.group(0))

    def _attribute(self, text: str) -> None:
        if text.strip():
            self._found.add("attribute", text)


def _kind(token: re.Match[str]) -> str:
    for name in ("fence", "ticks", "comment", "instruction", "tag", "definition", "image", "link"):
        if token[name] is not None:
            return name
    return "escaped"
