"""Make text from elsewhere harmless inside our own: it may inform, never act.

Markdown in it stays text, it notifies nobody, closes nothing, loads nothing and leads nowhere.
"""

from __future__ import annotations

import re
import unicodedata

_BREAK = "\u200b"
"""A zero-width space: invisible, and enough to keep a mention or a link from being one."""

# `_` acts at the edges of words only, so that names_like_this stay readable.
_ACTIVE = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|^(?=[-+=#])")
_LINKING = (
    (re.compile(r"@(?=\w)"), f"@{_BREAK}"),
    (re.compile(r"#(?=\w)"), f"#{_BREAK}"),
    (re.compile(r"://"), f":{_BREAK}//"),
    (re.compile(r"\b(www)(?=\.)", re.IGNORECASE), rf"\1{_BREAK}"),
    (re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE), rf"\1{_BREAK}-"),
    (re.compile(r"\b(mailto|xmpp)(?=:)", re.IGNORECASE), rf"\1{_BREAK}"),
    # "&commat;octocat" is a mention once it is shown, and "&num;7" an issue.
    (re.compile(r"&(?=[a-z]\w{1,40};)", re.IGNORECASE), f"&{_BREAK}"),
)

_ACTING = (
    (re.compile(r"@(?=\w)"), f"@{_BREAK}"),
    (re.compile(r"#(?=\d)"), f"#{_BREAK}"),
    (re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE), rf"\1{_BREAK}-"),
)


def one_line(text: str, *, chars_max: int) -> str:
    """Return `text` on one line, without control and direction characters, cut with a sign."""
    line = " ".join(as_lines(text).split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def as_lines(text: str) -> str:
    """Return `text` with its lines kept, and nothing in it that a terminal would obey."""
    # Format characters (Cf) can turn the reading direction around and hide text.
    return "".join(
        " " if unicodedata.category(char)[0] in "CZ" and char != "\n" else char for char in text
    )


def prose(text: str, *, chars_max: int = 500) -> str:
    """Return `text` as one line of Markdown that reads as it was written and does nothing."""
    return inert(_ACTIVE.sub(r"\\\g<0>", one_line(text, chars_max=chars_max)))


def code(text: str, *, chars_max: int = 200) -> str:
    """Return `text` as a Markdown code span."""
    line = inert(one_line(text, chars_max=chars_max)).replace("`", "'").replace("|", "¦")
    return f"`{line}`" if line else "-"


def inert(text: str) -> str:
    """Return `text` with its mentions, issue numbers and links broken, for plain text."""
    for sign, instead in _LINKING:
        text = sign.sub(instead, text)
    return text


def quiet(text: str) -> str:
    """Return Markdown of ours in which nobody is mentioned, no item named and none closed.

    What others wrote is in it as `prose` and `code` only and is quiet already: this holds where
    that was forgotten. Its links stay.
    """
    for sign, instead in _ACTING:
        text = sign.sub(instead, text)
    return text
