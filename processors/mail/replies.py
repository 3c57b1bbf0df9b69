"""Find in a mail what its sender wrote now: without quotes of older mails and signatures.

Answers between the quoted lines keep the quotes they answer. When in doubt a line stays: a quote
too many costs the reader a second, a lost line may be the bug.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from processors.mail import reply_marks as marks

TEXT_CHARS_MAX = 1024 * 1024
LINES_MAX = 10_000
"""Marks are looked for in so many lines; what follows is kept or dropped with the last of them."""
ATTRIBUTION_LINES_MAX = 5
ATTRIBUTIONS_TRIED_MAX = 3_000
HEADERS_MIN = 3
SIGNATURE_LINES_MAX = 20
DEEP_MAX = 4
"""So many times a mail may begin with the marks of another, each inside the last."""

Label = Literal["text", "empty", "quote", "attribution", "header", "dashes", "mobile", "code"]

_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_ENDS_ADDRESS = re.compile(r">\s{0,2}(?::|wrote\b|\Z)")
"""The end of an address that was wrapped: it looks like a quote."""
_CODE_IN_SIGNATURE = re.compile(
    r"traceback|exception\b|^\s+at\s\S|\berror:|steps to reproduce|expected\b.{0,20}:|^\s*\$ ",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is new in a mail, and the older mail below it, if one was found."""

    text: str
    older: str


@dataclass(slots=True)
class _Line:
    text: str
    label: Label


def trim(text: str) -> str:
    """Return what the sender wrote, without quotes and signatures. Never raises."""
    return reply(text).text


def reply(text: str) -> Reply:
    """Return what the sender wrote, and what stood below it. Never raises.

    A mail that is nothing but a quote or a forwarded mail is returned as that.
    """
    text = text[:TEXT_CHARS_MAX].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    # Everything after the last line that is looked at stays in one piece.
    rows = text.replace("\u00a0", " ").replace("\u200b", "").split("\n", LINES_MAX)
    tail = rows[LINES_MAX:]
    lines = _labelled(rows[:LINES_MAX])
    kept, older = _without_older(lines)
    if tail and not older:
        # Longer than is looked at, and no older mail in it: a log. Its end is not known.
        return Reply(_joined([*lines, *(_Line(rest, "text") for rest in tail)]), "")
    new = _joined(_without_signature(kept))
    return Reply(new or _joined(lines), _joined(older) if new else "")


def _joined(lines: list[_Line]) -> str:
    rows = [line.text.rstrip() for line in lines]
    # Empty lines go, the indent of the first line stays: it may be code.
    while rows and not rows[0]:
        rows.pop(0)
    return "\n".join(rows).rstrip()


def _labelled(rows: list[str]) -> list[_Line]:
    lines = [_Line(row, _label(row)) for row in rows]
    _keep_code(lines)
    _find_prompts(lines)
    _find_attributions(lines)
    _find_headers(lines)
    _mend_quotes(lines)
    return lines


def _label(row: str) -> Label:
    bare = row.strip()
    if not bare:
        return "empty"
    if bare[0] == ">":
        return "quote"
    if marks.is_dashes(row):
        return "dashes"
    return "mobile" if marks.is_mobile(row) else "text"


def _keep_code(lines: list[_Line]) -> None:
    """Label what stands between two fences: nothing in it is a mark."""
    fence: int | None = None
    for number, line in enumerate(lines):
        if not _FENCE.match(line.text):
            continue
        if fence is None:
            fence = number
        else:
            for inside in lines[fence : number + 1]:
                inside.label = "code"
            fence = None


def _find_prompts(lines: list[_Line]) -> None:
    """Label a Python session as code: its prompts look like quotes of quotes of quotes."""
    depth = 0
    for line in lines:
        if line.label != "quote":
            depth = 0 if line.label != "empty" else depth
        elif line.text.lstrip().startswith(">>> ") and depth == 0:
            line.label = "code"
        else:
            depth = 1


def _find_attributions(lines: list[_Line]) -> None:
    tried = 0
    number = 0
    while number < len(lines) and tried < ATTRIBUTIONS_TRIED_MAX:
        line = lines[number]
        if line.label != "text":
            number += 1
            continue
        if marks.is_separator(line.text):
            line.label = "attribution"
        elif marks.may_start(line.text):
            tried += 1
            size = _attribution_size(lines, number)
            for part in lines[number : number + size]:
                part.label = "attribution"
            number += max(size - 1, 0)
        elif marks.is_weak_attribution(line.text) and _next_label(lines, number + 1) == "quote":
            line.label = "attribution"
        number += 1


def _attribution_size(lines: list[_Line], start: int) -> int:
    """Return over how many lines an attribution starts at `start`; none is 0."""
    joined = ""
    shown = 0
    for number in range(start, min(start + 2 * ATTRIBUTION_LINES_MAX, len(lines))):
        line = lines[number]
        if line.label == "empty":
            # Some programs put the address on lines of its own, between empty ones.
            if not _bracketed(lines, number + 1):
                return 0
            continue
        shown += 1
        if line.label not in {"text", "quote"} or shown > ATTRIBUTION_LINES_MAX:
            return 0
        if line.label == "quote" and not _ENDS_ADDRESS.match(line.text):
            return 0
        joined = f"{joined} {line.text.strip()}".strip()
        if len(joined) > marks.LINE_CHARS_MAX:
            return 0
        if marks.may_end(line.text):
            quoted = _next_label(lines, number + 1) == "quote"
            if marks.is_attribution(joined) or (quoted and marks.is_weak_attribution(joined)):
                return number - start + 1
    return 0


def _bracketed(lines: list[_Line], number: int) -> bool:
    return number < len(lines) and lines[number].text.lstrip().startswith("<")


def _next_label(lines: list[_Line], number: int) -> Label | None:
    while number < len(lines) and lines[number].label == "empty":
        number += 1
    return lines[number].label if number < len(lines) else None


def _find_headers(lines: list[_Line]) -> None:
    """Label the blocks of headers that stand above an older mail, with the rule above them."""
    number = 0
    while number < len(lines):
        if lines[number].label != "text" or marks.header_kind(lines[number].text) is None:
            number += 1
            continue
        end, kinds = _header_block(lines, number)
        if len(kinds) >= HEADERS_MIN and "from" in kinds:
            for line in lines[_rule_above(lines, number) : end]:
                line.label = "header"
        number = max(end, number + 1)


def _header_block(lines: list[_Line], start: int) -> tuple[int, set[str]]:
    """Return where the block ends, and which kinds of headers it has."""
    kinds: set[str] = set()
    number = start
    end = start
    while number < len(lines):
        line = lines[number]
        shown = line.label in {"text", "mobile", "attribution"}
        kind = marks.header_kind(line.text) if shown else None
        if kind is not None:
            kinds.add(kind)
            end = number + 1
        elif line.label != "text" or number - end >= 2:
            # Two lines at most go on where a header stopped: a long subject, many receivers.
            break
        number += 1
    # A line that goes on without an empty line after it belongs to the last header.
    if end < number and (number >= len(lines) or lines[number].label == "empty"):
        end = number
    return end, kinds


def _rule_above(lines: list[_Line], number: int) -> int:
    start = number
    while start > 0 and lines[start - 1].label == "empty":
        start -= 1
    above = lines[start - 1] if start > 0 else None
    if above is not None and (above.label == "attribution" or marks.is_rule(above.text)):
        return start - 1
    return number


def _mend_quotes(lines: list[_Line]) -> None:
    """Label as quote what a mail program broke off a quoted line when it wrapped it."""
    for number in range(1, len(lines) - 1):
        before, line, after = lines[number - 1 : number + 2]
        if line.label == "text" and before.label == after.label == "quote":
            long = len(before.text) >= 60
            if long and line.text[:1].islower():
                line.label = "quote"


def _without_older(
    lines: list[_Line], *, deep_max: int = DEEP_MAX
) -> tuple[list[_Line], list[_Line]]:
    """Return the lines that are new, and those of the older mail."""
    if deep_max == 0:
        return lines, []
    first = next(
        (n for n, line in enumerate(lines) if line.label in {"attribution", "header"}), None
    )
    if first is None:
        return _without_quotes_around(lines), []
    if not any(_is_said(line) for line in lines[:first]):
        return _below(lines[first:], deep_max=deep_max - 1)
    start = _rule_above(lines, first)
    after = lines[first:]
    if lines[first].label == "attribution" and _answers_below(after):
        # Answers between the quotes: only the line that says who wrote them goes.
        kept = [line for line in lines if line.label != "attribution"]
        return _without_quotes_around(kept), []
    return _without_quotes_around(lines[:start]), lines[start:]


def _is_said(line: _Line) -> bool:
    return line.label in {"text", "code", "quote"}


def _below(lines: list[_Line], *, deep_max: int) -> tuple[list[_Line], list[_Line]]:
    """Return what is new in a mail that begins with the mark of an older one."""
    about = {"empty", "attribution", "header"}
    size = next((n for n, line in enumerate(lines) if line.label not in about), len(lines))
    head, body = lines[:size], lines[size:]
    if any(line.label == "header" for line in head):
        # Only a forwarded mail: what it says is what its sender wanted to say.
        return _without_older(body, deep_max=deep_max)[0], []
    first_text = next((n for n, line in enumerate(body) if line.label in {"text", "code"}), None)
    if first_text is None:
        return body, []
    quotes = body[:first_text]
    if _answers_between(body, first_text):
        return _without_quotes_around([n for n in body if n.label != "attribution"]), []
    later = body[first_text:]
    if any(line.label in {"attribution", "header"} for line in later):
        new, older = _without_older(later, deep_max=deep_max)
        return new, older
    return _without_quotes_around(later), quotes


def _answers_between(body: list[_Line], first_text: int) -> bool:
    """Tell whether a mail that begins with a quote answers it piece by piece."""
    again = next(
        (n for n, line in enumerate(body) if n > first_text and line.label == "quote"), None
    )
    return (
        again is not None
        and body[0].label == "quote"
        and not any(line.label in {"attribution", "header"} for line in body[:again])
        and any(line.label in {"text", "code"} for line in body[again:])
    )


def _answers_below(lines: list[_Line]) -> bool:
    """Tell whether text that is no signature follows marked quotes below an attribution."""
    quoted = False
    for line in lines:
        if line.label == "quote":
            quoted = True
        elif line.label in {"header", "dashes"}:
            return False
        elif line.label in {"text", "code"}:
            # Text before any `>`: the program marks its quotes in no way, all of it is one.
            return quoted and not marks.is_rule(line.text)
    return False


def _without_quotes_around(lines: list[_Line]) -> list[_Line]:
    """Return `lines` without the quotes at their end, unless there is nothing else."""
    lines = _without_signature(lines)
    end = len(lines)
    while end > 0 and lines[end - 1].label in {"quote", "empty", "mobile"}:
        end -= 1
    return lines[:end] if any(line.label in {"text", "code"} for line in lines[:end]) else lines


def _without_signature(lines: list[_Line]) -> list[_Line]:
    """Return `lines` up to the signature at their end."""
    left = SIGNATURE_LINES_MAX + 1
    start = len(lines)
    while start > 0 and left > 0:
        start -= 1
        left -= lines[start].label not in {"empty", "quote"}
    for number in range(start, len(lines)):
        line = lines[number]
        mark = line.label == "dashes" or (line.label == "text" and marks.is_heavy_rule(line.text))
        if mark and _may_sign(lines[number + 1 :]):
            lines = lines[:number]
            break
    end = len(lines)
    while end > 0 and _may_go(lines[end - 1]):
        end -= 1
    return lines[:end]


def _may_go(line: _Line) -> bool:
    return line.label in {"empty", "mobile"} or (line.label == "text" and marks.is_rule(line.text))


def _may_sign(lines: list[_Line]) -> bool:
    """Tell whether `lines` can be a signature: short, and with nothing of a report in it."""
    said = [line for line in lines if line.label not in {"empty", "quote"}]
    return len(said) <= SIGNATURE_LINES_MAX and not any(
        line.label == "code" or _CODE_IN_SIGNATURE.search(line.text[: marks.LINE_CHARS_MAX])
        for line in said
    )
