"""Read the steps of a reproduction: numbered, bulleted or plain lines, with the code they show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.report_text.lines import Line
from processors.report_text.values import is_empty

STEPS_MAX = 50
STEP_CHARS_MAX = 1_000

_ITEM = re.compile(
    r"(?P<indent>[ \t]{0,12})(?:(?P<number>\d{1,3}[.)、．:：](?!\d)|[(（]\d{1,2}[)）]|[①-⑳]"
    r"|(?:step|步骤|第)[ \t]?[#\d一二三四五六七八九十]{1,3}(?:[ \t]?步)?(?:[.:：)、,，]|[ \t]-)"
    r"|\#{1,3}[ \t]|[a-h][.)][ \t])|(?P<bullet>[-*+•·●→»][ \t]|[•·●→»]))"
    r"[ \t]{0,8}(?P<text>.{0,2000})$",
    re.IGNORECASE,
)
_CHECKBOX = re.compile(r"\[[ xX]\][ \t]+")
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?(?P<number>\d{1,2})[.)、][ \t]{0,3}(?=\S)")


def read_steps(lines: Sequence[Line], *, first: str = "") -> tuple[str, ...]:
    """Return the steps in the lines of a section; `first` is what stood behind its title.

    Where any line is numbered or bulleted the others belong to an item or to none; otherwise
    each line is a step. Code belongs to the step above it.
    """
    texts = [line for line in lines if line.kind != "fence"]
    listed = any(line.kind == "text" and _item(line.text) for line in texts)
    steps = _Steps(listed=listed)
    if first and not is_empty(first):
        for step in _split_inline(first):
            steps.start(step, indent=0)
    coded = next((line.kind == "code" for line in texts if line.text.strip()), False)
    for line in texts:
        if coded and not listed and line.kind == "text" and line.text.strip():
            break  # The code is the reproduction; prose behind it tells what came of it.
        steps.take(line)
    found = (step for part in steps.found if not is_empty(step := "\n".join(part).strip()))
    return tuple(step[:STEP_CHARS_MAX] for step in found)


def _item(text: str) -> re.Match[str] | None:
    found = _ITEM.match(text)
    return found if found and (found["text"] or found["number"]) else None


class _Steps:
    """The steps so far, and whether the next line may still belong to the last of them."""

    def __init__(self, *, listed: bool) -> None:
        self.found: list[list[str]] = []
        self._listed = listed
        self._indent = 0
        self._after_blank = False
        self._chars = 0

    def start(self, text: str, *, indent: int) -> None:
        if len(self.found) < STEPS_MAX:
            self.found.append([text])
            self._indent = indent
            self._chars = len(text)

    def take(self, line: Line) -> None:
        if line.kind == "code":
            self._append(line.text, opens=True)
            return
        if not line.text.strip():
            self._after_blank = True
            return
        item = _item(line.text)
        inline = _split_inline(line.text.strip())
        if item is not None and len(inline) == 1:
            self._take_item(item)
        elif item is not None:
            for step in inline:
                self.start(step, indent=0)
        elif not self._listed:
            for step in _split_inline(line.text.strip()):
                self.start(step, indent=0)
        elif self.found and (not self._after_blank or line.text[0].isspace()):
            self._append(line.text.strip(), opens=False)
        elif not self.found and not line.text.endswith((":", "：")):
            self.start(line.text.strip(), indent=0)
        self._after_blank = False

    def _take_item(self, item: re.Match[str]) -> None:
        indent = len(item["indent"].expandtabs(4))
        text = _CHECKBOX.sub("", item["text"].strip(), count=1)
        nested = bool(self.found) and indent >= self._indent + 2 and bool(item["bullet"])
        if nested:
            self._append(f"- {text}", opens=False)
        else:
            self.start(text, indent=indent)

    def _append(self, text: str, *, opens: bool) -> None:
        if not self.found:
            if opens:
                self.start(text, indent=0)
            return
        if self._chars < STEP_CHARS_MAX:
            self.found[-1].append(text)
            self._chars += len(text) + 1


def _split_inline(text: str) -> list[str]:
    """Return the steps of "1. open it 2. press save": only where they count up from one."""
    marks = list(_INLINE.finditer(text))
    counts = all(int(mark["number"]) == number for number, mark in enumerate(marks, start=1))
    if len(marks) < 2 or not counts:
        return [text]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    steps = [text[mark.end() : end].strip(" ;,，；") for mark, end in zip(marks, ends, strict=True)]
    before = text[: marks[0].start()].strip()
    return [before, *steps] if before and not before.endswith((":", "：")) else steps
