"""What counts as an answer in a report: placeholders and "N/A" do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.report_text.lines import Line

VALUE_CHARS_MAX = 4_000
EMPTY_CHARS_MAX = 200

_NOTHING = re.compile(
    r"(?:no response|n/?a|none|null|nil|nothing|not applicable|tbd|unknown"
    r"|无|没有|暂无|不适用|未知|空|略)?",
    re.IGNORECASE,
)
_PUNCTUATION = " \t\r\n_*.-–—/。?？…"
# The text of GitHub's own starter templates, left as it was.
_STARTER = re.compile(
    r"(?:\d\.\s?)?(?:go to|click on|scroll down to) '\.{3,4}'|(?:\d\.\s?)?see error"
    r"|a clear and concise description of .{0,80}|if applicable, add screenshots .{0,60}"
    r"|add any other context about .{0,40}|steps to reproduce the behavior:?"
    r"|.{0,40}\[e\.g\.,? .{0,40}\].{0,4}",
    re.IGNORECASE,
)


def is_empty(value: str) -> bool:
    """Return whether `value` says nothing: blank, "N/A", `_No response_`, a starter's own text."""
    bare = value.strip()
    if len(bare) > EMPTY_CHARS_MAX:
        return False
    if _NOTHING.fullmatch(bare.strip(_PUNCTUATION)):
        return True
    return _STARTER.fullmatch(bare.strip("*_ ")) is not None


def value_of(lines: Sequence[Line], *, first: str = "") -> str:
    """Return the text of a section, its empty lines at the ends and its placeholders left out."""
    kept: list[str] = [first] if first and not is_empty(first) else []
    chars = 0
    for line in lines:
        if line.kind == "text" and line.text and is_empty(line.text):
            continue
        kept.append(line.text)
        chars += len(line.text) + 1
        if chars > VALUE_CHARS_MAX:
            break
    text = "\n".join(kept).strip()
    return "" if is_empty(text) else text[:VALUE_CHARS_MAX].rstrip()
