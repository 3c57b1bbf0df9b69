"""What Slack and Discord have in common: a message is a title and a text in one."""

from __future__ import annotations

import re

TITLE_CHARS_MAX = 200
LINE_CHARS_MAX = 1000
_LOUD = re.compile(r"(?<!\w)(\*\*|~~)(?=\S)(.{1,300}?)(?<=\S)\1(?!\w)")


def titled(text: str) -> tuple[str, str]:
    """Return the first line that says something, as a title, and the whole text.

    A first line that is too long for a title is cut there; the text keeps all of it.
    """
    for line in text.splitlines():
        words = _LOUD.sub(r"\2", line[:LINE_CHARS_MAX]).strip(" \t#*_`>~")
        if words:
            is_long = len(words) > TITLE_CHARS_MAX
            return (words[: TITLE_CHARS_MAX - 1].rstrip() + "…" if is_long else words), text
    return "", text
