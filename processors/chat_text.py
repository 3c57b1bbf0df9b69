"""Our answers, written in Markdown, as Slack and Discord show them.

Whatever the text says, it mentions nobody, and each message fits. It is written by hand because the
converters to be had let a mention in a bug's title through, which calls a whole company.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processors.chat_lines import Line, lines_of, packed, pieces

TEXT_CHARS_MAX = 60_000
SLACK_SECTION_CHARS_MAX = 3000
SLACK_SECTIONS_MAX = 12
"""Of one message: they stay below its limit of 40,000 characters."""
SLACK_NOTICE_CHARS_MAX = 300
DISCORD_CHARS_MAX = 2000
MESSAGES_MAX = 5
CUT_SIGN = "… (the rest is in the bug's timeline)"
LINK_CHARS_MAX = 1400
"""Of Slack's: less than half a section, so that none is ever cut."""
_BREAK = "\u200b"
"""A zero-width space: invisible, and enough to keep a mention from being one."""

_CALLS = re.compile(r"@(?=everyone|here|channel)", re.IGNORECASE)
_BLOCK = re.compile(r"(?<=``)(?=`)")
_TAG = re.compile(r"</?(?:sub|sup|b|i|em|strong|kbd|details|summary|br|p)[ ]?/?>", re.IGNORECASE)
_SMALL = re.compile(r"\s{0,9}<sub>(.{1,2000})</sub>\s{0,9}", re.IGNORECASE)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]{1,9}(.*)")
_ITEM = re.compile(r"([ \t]{0,40})[-*+][ \t]{1,9}")
_TOKEN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|`(?P<code>[^`\n]{1,2000})`"
    r"|\[(?P<label>[^\[\]\n]{1,200})\]\((?P<target>https?://[^\s()<>|\"\\]{1,1000})\)"
    r"|\*\*(?=\S)(?P<bold>[^*\n]{1,500})(?<=\S)\*\*"
    r"|(?<![\w*])\*(?=[^\s*])(?P<slanted>[^*\n]{1,500})(?<=\S)\*(?![\w*])"
    r"|~~(?=\S)(?P<gone>[^~\n]{1,500})(?<=\S)~~"
)
_EMPHASIS = {"bold": "*", "slanted": "_", "gone": "~"}


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What `chat.postMessage` takes."""

    text: str
    """For notifications, which show no blocks."""
    blocks: tuple[Mapping[str, Any], ...]


def to_slack(markdown: str) -> tuple[SlackMessage, ...]:
    """Return the messages that say `markdown`, none when it says nothing."""
    lines = tuple(lines_of(_bounded(markdown)))
    parts = pieces(lines, _slack_line, chars_max=SLACK_SECTION_CHARS_MAX)
    sections = packed(parts, chars_max=SLACK_SECTION_CHARS_MAX)
    most = SLACK_SECTIONS_MAX * MESSAGES_MAX
    if len(sections) > most:
        sections = [*sections[: most - 1], CUT_SIGN]
    return tuple(
        _slack_message(sections[start : start + SLACK_SECTIONS_MAX])
        for start in range(0, len(sections), SLACK_SECTIONS_MAX)
    )


def to_discord(markdown: str, *, chars_max: int = DISCORD_CHARS_MAX) -> tuple[str, ...]:
    """Return the contents that say `markdown`, none when it says nothing.

    Send them with `allowed_mentions` that allow none all the same: two locks, two keys.
    """
    lines = tuple(lines_of(_bounded(markdown)))
    contents = packed(pieces(lines, _discord_line, chars_max=chars_max), chars_max=chars_max)
    if len(contents) > MESSAGES_MAX:
        contents = [*contents[: MESSAGES_MAX - 1], CUT_SIGN]
    return tuple(contents)


def _bounded(markdown: str) -> str:
    if len(markdown) <= TEXT_CHARS_MAX:
        return markdown
    return f"{markdown[:TEXT_CHARS_MAX]}\n\n{CUT_SIGN}"


# --- Slack ---


def _slack_message(sections: Sequence[str]) -> SlackMessage:
    first = next((line for line in sections[0].splitlines() if line.strip("` \t")), "")
    is_short = 0 < len(first) <= SLACK_NOTICE_CHARS_MAX and "<" not in first
    return SlackMessage(
        text=first if is_short else "bugstream has an answer",
        blocks=tuple(
            {"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": True}}
            for section in sections
        ),
    )


def _slack_line(line: Line) -> str:
    if line.block is not None:
        return _quiet(_escaped(line.text))
    text = _TAG.sub("", line.text)
    if heading := _HEADING.fullmatch(text):
        words = _slack_words(heading[1].rstrip("# ").replace("**", ""))
        return _quiet(f"*{words}*" if words.strip() else "")
    item = _ITEM.match(text)
    lead, rest = (f"{item[1]}• ", text[item.end() :]) if item else ("", text)
    return _quiet(lead + _slack_words(rest))


def _slack_words(text: str) -> str:
    said: list[str] = []
    end = 0
    for found in _TOKEN.finditer(text):
        said += [_escaped(text[end : found.start()]), _slack_token(found)]
        end = found.end()
    return "".join(said) + _escaped(text[end:])


def _slack_token(found: re.Match[str]) -> str:
    kind, words = found.lastgroup or "", found[found.lastgroup or 0]
    if kind in _EMPHASIS:
        return f"{_EMPHASIS[kind]}{_slack_words(words)}{_EMPHASIS[kind]}"
    if kind == "code":
        return f"`{_escaped(words)}`"
    if kind == "target":
        link = f"<{_escaped(words.replace('@', '%40'))}|{_escaped(found['label'])}>"
        return link if len(link) <= LINK_CHARS_MAX else _escaped(found["label"])
    # mrkdwn has no escape; between these a mark of emphasis is none.
    return f"{_BREAK}{words}{_BREAK}" if words in "*_~`" else _escaped(words)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quiet(text: str) -> str:
    """Return a finished line that calls nobody and opens no block of code, wherever it is cut.

    Last of all: a tag that is left out joins what stood around it.
    """
    return _BLOCK.sub(_BREAK, _CALLS.sub(f"@{_BREAK}", text))


# --- Discord ---

_MENTION = re.compile(r"<(?=[@#:/]|a:|t:|id:)", re.IGNORECASE)
_PERSON = re.compile(r"<(?=@)")


def _discord_line(line: Line) -> str:
    if line.block is not None:
        return _quiet(_PERSON.sub(f"<{_BREAK}", line.text))
    small = _SMALL.fullmatch(line.text)
    text = f"-# {small[1]}" if small else line.text
    return _quiet(_MENTION.sub(f"<{_BREAK}", _TAG.sub("", text)))
