"""Take off what channels and loggers put around the lines of a stack trace, before it is read.

Every step is linear and looks at one line, cut to `LINE_CHARS_MAX`; lines past `LINES_MAX` are left
out of the middle. Those two caps, not a clock, bound what a hostile text can cost.
"""

from __future__ import annotations

import re

from processors.trace_lines import LINE_CHARS_MAX, TEXT_CHARS_MAX, unquote

LINES_MAX = 12_000
"""Of a longer text the first and the last half stay: a log ends with what killed the program."""

_ANSI = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,4}|#x[0-9a-fA-F]{1,4});")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "nbsp": " "}
_JSON_ESCAPED = ("\\n    at ", "\\n\\tat ", "\\n  File ", "\\n#0 ", "\\n\\ngoroutine ", "\\n   at ")
_JSON_QUOTE = re.compile(r'(?<=:)\s?"|(?<!\\)"(?=[,}\]])')
_JSON_FIELD = re.compile(r'"\w{1,60}":\s?"')
_JSON_LINES_MIN = 2
_JSON_CHARS_MAX = 100_000
_DOUBLED = frozenset({1, 3, 5})
"""Blank lines after a line where each line, a blank one too, was followed by another."""
_DOUBLED_MIN = 4
"""Filled lines with one blank line after each that tell a double-spaced paste from prose."""
_OPENING = re.compile(
    r"\s{0,40}(?:<(?:pre|code|p|div|span|td|li|br)\b[^<>]{0,200}>"
    r"|\{(?:code|noformat)(?::[^{}]{0,100})?\})(?=.)"
)
_CLOSING = re.compile(r"</?(?:pre|code|p|div|span|td|li|br) ?/?>$")
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DAY = r"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.]\d\d(?:[-/.]\d{4})?|[A-Z][a-z]{2} {1,2}\d{1,2})"
_TIME = rf"[\[(]?(?:{_DAY}[T ]{{1,2}})?{_CLOCK}(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?[\])]?"
_LEVEL = (
    r"[\[(<]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|SEVERE|stderr|stdout)"
    r"[\])>]?(?: [FP](?= ))?"
)
_PREFIX = re.compile(
    r"\s{0,8}"
    r"(?:[A-Za-z][\w.-]{0,60}\s{0,30}\|(?: |$))?"  # docker compose: `web_1  | `
    r"(?:\[pod/[^\[\]\s]{1,120}\] )?"  # kubectl logs --prefix
    rf"(?:{_TIME}(?: ?[|:-])?(?:[ \t]|$))?"
    r"(?:\s{0,4}\d{1,7}\s{1,6}\d{1,7} [VDIWEF] [^\s:]{1,60}\s{0,20}: )?"  # logcat, threadtime
    r"(?:[VDIWEF]/[\w.$-]{1,60}\s{0,8}\(\s{0,8}\d{1,9}\): )?"  # logcat, brief
    r"(?:(?:[\w.-]{1,60} )?[\w.-]{1,60}\[[\w./-]{1,40}\]: ?)?"  # syslog, Heroku
    rf"(?:{_LEVEL}(?: ?[|:-])?(?:[ \t]|$))?"
)


def clean_lines(text: str) -> list[str]:
    """Return the lines of `text` without quote marks, markup, colours, time stamps and levels.

    Indentation stays. Where nothing was put around a line it is returned as it is.
    """
    text = text[:TEXT_CHARS_MAX]
    if any(mark in text for mark in _JSON_ESCAPED) or _is_json(text):
        # A whole trace in one JSON string, as structured loggers write it.
        text = _JSON_QUOTE.sub("\n", text)
        text = text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    lines = text.split("\n")
    if len(lines) > LINES_MAX:
        half = LINES_MAX // 2
        lines = [*lines[:half], "", *lines[-half:]]
    return _single_spaced([_clean(line) if line else line for line in lines])


def _is_json(text: str) -> bool:
    return text.count("\\n", 0, _JSON_CHARS_MAX) >= _JSON_LINES_MIN and (
        _JSON_FIELD.search(text, 0, _JSON_CHARS_MAX) is not None
    )


def _single_spaced(lines: list[str]) -> list[str]:
    """Return the lines without the blank ones that a channel put after each of a longer run."""
    kept: list[str] = []
    index = 0
    while index < len(lines):
        end, run = index, [lines[index]]
        while (blanks := _blanks_after(lines, end)) in _DOUBLED:
            run.extend(lines[end + 2 : end + blanks + 2 : 2])
            end += blanks + 1
        if len(run) > _DOUBLED_MIN:
            kept.extend(run)
        else:
            kept.extend(lines[index : end + 1])
        index = end + 1
    return kept


def _blanks_after(lines: list[str], index: int) -> int:
    """Return how many blank lines stand between this filled line and the next one; 0 at an end."""
    if not lines[index]:
        return 0
    for blanks in range(max(_DOUBLED) + 1):
        at = index + blanks + 1
        if at >= len(lines):
            return 0
        if lines[at]:
            return blanks
    return 0


def _clean(line: str) -> str:
    line = line[:LINE_CHARS_MAX].rstrip()
    if "\x1b" in line:
        line = _ANSI.sub("", line)
    if "&" in line:
        line = _ENTITY.sub(_entity, line)
    line = unquote(line)
    if line.endswith(">"):
        line = _CLOSING.sub("", line)
    opening = _OPENING.match(line)
    if opening is not None:
        line = line[opening.end() :]
    prefix = _PREFIX.match(line)
    if prefix is not None and prefix[0].strip():
        return line[prefix.end() :]
    return line


def _entity(match: re.Match[str]) -> str:
    name = match[0][1:-1]
    if name.startswith("#x"):
        return chr(int(name[2:], 16))
    if name.startswith("#"):
        return chr(int(name[1:]))
    return _NAMED[name]
