"""Tell which lines of a report are headings, in whatever form people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from processors.report_text.lines import Line
from processors.report_text.vocabulary import TITLE_CHARS_MAX, Part, part_of

SCAN_CHARS_MAX = 300
_STORY = (Part.STEPS, Part.EXPECTED, Part.ACTUAL, Part.ENVIRONMENT)
BOLD_LEVEL = 7
COLON_LEVEL = 8

_ATX = re.compile(r" {0,3}(?P<marks>#{1,6})[ \t]{0,8}(?P<title>[^#\s].{0,250}?)[ \t#]*$")
_JIRA = re.compile(r"[ \t]{0,3}h(?P<level>[1-6])\.[ \t]{1,4}(?P<title>\S.{0,250})$")
_BOLD = re.compile(
    r"[ \t]{0,3}(?:[-*+•»][ \t]+)?(?P<mark>\*\*\*|\*\*|__|\*)(?P<title>[^\s*_][^*]{0,150}?)"
    r"(?P=mark)[ \t]{0,3}(?P<colon>[:：]?)(?P<rest>.{0,2000})$"
)
_TAG = re.compile(
    r"[ \t]{0,3}(?:<(?:details|p|div)>[ \t]*)?<(?P<tag>h[1-6]|b|strong|summary)>"
    r"(?P<title>[^<>]{1,150})</(?P=tag)>[ \t]{0,3}(?:<br ?/?>)?(?P<colon>[:：]?)"
    r"(?P<rest>.{0,2000})$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    r"[ \t]{0,3}(?:【(?P<cjk>[^【】]{1,60})】|\[(?P<latin>[^\[\]]{1,60})\](?![(\[:]))"
)
_UNDERLINE = re.compile(r" {0,3}(?:={3,200}|-{3,200}|~{4,200})[ \t]*$")
_COLON = re.compile(
    r"[ \t]{0,6}(?P<bullet>(?:[-*+•»][ \t]+)?)(?P<title>[^\s:：|>`{}=;\"][^:：|>`{}=;\"]{0,118}?)"
    r"[ \t]?[:：](?!//)(?P<rest>.{0,2000})$"
)

VERSION_CHARS_MAX = 60
# Behind "version:" in running text stands anything; in a section of its own it is the answer.
_VERSION = re.compile(r"\d|latest|nightly|main|master|head|trunk|最新", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that titles what follows, with what stands behind the title on the same line."""

    part: Part | None
    """None: its words are not known."""
    title: str
    level: int
    rest: str = ""
    lines: int = 1


def heading_at(lines: Sequence[Line], index: int, *, hash_lists: bool) -> Heading | None:
    """Return the heading at `index`, or None. Code never is one.

    `hash_lists`: the text is Jira's, where "# " counts the items of a list.
    """
    line = lines[index]
    text = line.text
    if line.kind != "text" or not text or text.startswith("      "):
        return None
    if len(text) > SCAN_CHARS_MAX and not _may_have_rest(text):
        return None
    return (
        _marked(text, hash_lists=hash_lists)
        or _underlined(lines, index)
        or _emphasised(text)
        or _bracketed(text)
        or _coloned(text)
        or _bare(lines, index)
    )


def _may_have_rest(text: str) -> bool:
    return any(mark in text[:TITLE_CHARS_MAX] for mark in (":", "：", "*", "】", "]", "__", ">"))


def _marked(text: str, *, hash_lists: bool) -> Heading | None:
    if jira := _JIRA.match(text):
        return _heading(jira["title"], int(jira["level"]))
    atx = _ATX.match(text) if "#" in text[:4] else None
    if atx is None:
        return None
    heading = _heading(atx["title"], len(atx["marks"]))
    return heading if not hash_lists or heading.part in _STORY else None


def _heading(title: str, level: int) -> Heading:
    """Return the heading, with what follows a colon in it where that is content."""
    bare = title.strip().strip("*_").strip()
    part = part_of(bare)
    if part is None and (colon := _COLON.match(bare)) and (known := part_of(colon["title"])):
        return Heading(known, colon["title"], level, colon["rest"].strip())
    return Heading(part, bare, level)


def _underlined(lines: Sequence[Line], index: int) -> Heading | None:
    text = lines[index].text
    if index + 1 >= len(lines) or len(text) > TITLE_CHARS_MAX or "|" in text:
        return None
    under = lines[index + 1]
    if under.kind != "text" or not _UNDERLINE.match(under.text):
        return None
    if _UNDERLINE.match(text) or text.lstrip()[:2] in ("- ", "* ", "+ "):
        return None
    part = part_of(text.strip())
    if part is None and "-" in under.text and index and lines[index - 1].text:
        return None  # A rule under a paragraph, not a title.
    return Heading(part, text.strip(), 1 if "=" in under.text else 2, lines=2)


def _emphasised(text: str) -> Heading | None:
    if "<" not in text[:16] and "*" not in text[:8] and "__" not in text[:8]:
        return None
    found = _BOLD.match(text) or (_TAG.match(text) if "<" in text[:16] else None)
    if found is None:
        return None
    title = found["title"].strip()
    rest = found["rest"].strip()
    part = part_of(title.rstrip(":：").strip())
    ended = bool(found["colon"]) or title.endswith((":", "："))
    if rest and (part is None or not ended):
        return None  # A bold word at the start of a sentence.
    return Heading(part, title.rstrip(":："), BOLD_LEVEL, rest)


def _bracketed(text: str) -> Heading | None:
    found = _BRACKETS.match(text)
    if found is None:
        return None
    title = found["cjk"] or found["latin"]
    part = part_of(title)
    if part is None and not found["cjk"]:
        return None
    return Heading(part, title, BOLD_LEVEL, text[found.end() :].strip().lstrip(":：").strip())


def _coloned(text: str) -> Heading | None:
    found = _COLON.match(text)
    if found is None:
        return None
    title = found["title"].strip("*_ ")
    part = part_of(title)
    if part is None or (part is Part.OTHER and found["bullet"]):
        return None
    rest = found["rest"].strip().strip("*_").strip()
    if part is Part.VERSION and rest and not _VERSION.search(rest[:VERSION_CHARS_MAX]):
        return None
    if part is Part.OTHER and rest:
        return None  # "Note: ..." and "Error: ..." stand inside a part as often as they end one.
    return Heading(part, title, COLON_LEVEL, rest)


def _bare(lines: Sequence[Line], index: int) -> Heading | None:
    """Return the heading of a short line of known words that stands alone after a blank line.

    Only words that open the parts of a story: "version" alone is a word, not a title.
    """
    text = lines[index].text.strip()
    if not text or len(text) > TITLE_CHARS_MAX // 2 or text.count(" ") > 6:
        return None
    if text[-1] in ".,;!。，；！" or text[0] in "-*+•|>#<`" or text[0].isdigit():
        return None
    if index and lines[index - 1].kind == "text" and lines[index - 1].text.strip():
        return None
    part = part_of(text)
    if part in _STORY and _is_title(text):
        return Heading(part, text, COLON_LEVEL)
    return None


def _is_title(text: str) -> bool:
    return not text[0].islower() and (not text.isascii() or len(text) > 4)
