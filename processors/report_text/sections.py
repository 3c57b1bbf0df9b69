"""Find the parts of a report in free text. What is not there stays empty; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.report_text.environment import Environment, add_mentions, read_environment
from processors.report_text.headings import BOLD_LEVEL, COLON_LEVEL, Heading, heading_at
from processors.report_text.lines import Line, read_lines
from processors.report_text.steps import read_steps
from processors.report_text.values import is_empty, value_of
from processors.report_text.vocabulary import Part, entry_kind, part_of

SHORT_CHARS_MAX = 200
"""Of a version and a component."""
PROSE_LINE_CHARS_MAX = 600
"""Of each line that is searched for products named in passing."""
_JIRA = re.compile(r"[ \t]{0,3}(?:h[1-6]\. |\{(?:code|noformat|panel|quote)\b)")
_SHORT = (Part.ENTRY, Part.VERSION, Part.COMPONENT)


@dataclass(frozen=True, slots=True)
class ReportParts:
    """What the parts of a report say, as its author wrote them. Empty: it does not say."""

    steps: tuple[str, ...] = ()
    expected: str = ""
    actual: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    version: str = ""
    component: str = ""


def read_sections(text: str) -> ReportParts:
    """Return the parts of `text`: by headings of any form, pairs, and versions named in passing.

    Never raises; reads the first `lines.LINES_MAX` lines; code is content, never a heading.
    """
    lines = read_lines(text)
    hash_lists = _counts_with_hashes(lines)
    reader = Reader()
    index = 0
    while index < len(lines):
        heading = heading_at(lines, index, hash_lists=hash_lists)
        if heading is None:
            reader.take(lines[index])
            index += 1
        else:
            reader.open(heading, lines[index])
            index += heading.lines
    return reader.finish()


def _counts_with_hashes(lines: Sequence[Line]) -> bool:
    """Return whether "# " starts the items of a list, as in Jira, and no titles."""
    before = False
    for line in lines:
        item = line.kind == "text" and line.text.startswith((" # ", "# "))
        if (item and before) or (line.kind != "code" and _JIRA.match(line.text)):
            return True
        before = item
    return False


@dataclass(slots=True)
class Reader:
    """Collects the sections of one text in the order they come."""

    steps: tuple[str, ...] = ()
    texts: dict[Part, str] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    heading: Heading | None = None
    lines: list[Line] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)

    def take(self, line: Line) -> None:
        """Add a line that is no heading to the open section."""
        now = self.heading
        inline = now is not None and bool(now.rest) and now.level == COLON_LEVEL
        if inline and now is not None and now.part is not Part.STEPS and not line.text.strip():
            # "Expected: it works" and a blank line: what comes next is about something else.
            self.close()
            return
        self.lines.append(line)
        if line.kind == "text" and line.text.lstrip()[:1] != ">":
            self.prose.append(line.text[:PROSE_LINE_CHARS_MAX])

    def open(self, heading: Heading, line: Line) -> None:
        """Close the open section for a new one, unless the heading is a part of its content."""
        now = self.heading
        if now is not None and now.part is Part.ENVIRONMENT and _is_pair(heading):
            self.take(Line(f"{heading.title}: {heading.rest}") if heading.rest else line)
            return
        if heading.part in _SHORT and heading.level == COLON_LEVEL and heading.rest:
            self.answer(heading.part, heading.title, heading.rest)
            return
        if heading.part is None and now is not None and now.part and heading.level > now.level:
            self.take(line)
            return
        self.close()
        self.heading = heading
        if heading.part is Part.ENVIRONMENT:
            self.prose.append(heading.title)
        if heading.rest:
            self.prose.append(heading.rest[:PROSE_LINE_CHARS_MAX])

    def answer(self, part: Part, title: str, value: str) -> None:
        """Keep a short answer: an entry, the version or the component."""
        value = value.strip().strip("*_`").strip()
        if is_empty(value):
            return
        if part is Part.ENTRY:
            self.environment.add(title, value)
        else:
            self.texts.setdefault(part, value[:SHORT_CHARS_MAX])

    def close(self) -> None:
        """Read the open section."""
        heading, lines = self.heading, self.lines
        self.heading, self.lines = None, []
        if heading is not None and heading.part is not None:
            self.read(heading.part, heading.title, lines, first=heading.rest)

    def read(self, part: Part, title: str, lines: Sequence[Line], *, first: str = "") -> None:
        """Read the lines of a part; the first section of a kind that says something counts."""
        if part is Part.STEPS:
            self.steps = self.steps or read_steps(lines, first=first)
        elif part in (Part.EXPECTED, Part.ACTUAL):
            if value := value_of(lines, first=first):
                self.texts.setdefault(part, value)
        elif part is Part.ENVIRONMENT:
            read_environment(lines, self.environment, first=first)
        elif part is not Part.OTHER:
            self._read_short(part, title, lines, first)

    def _read_short(self, part: Part, title: str, lines: Sequence[Line], first: str) -> None:
        """Read a section that holds one answer. Several lines under it are pairs as a rule."""
        said = [line.text for line in lines if line.kind != "fence" and not is_empty(line.text)]
        if first:
            said.insert(0, first)
        if len(said) > 1 and part is not Part.COMPONENT:
            read_environment(lines, self.environment, first=first)
            if part is Part.ENTRY:
                return
        if said:
            self.answer(part, title, said[0].strip().lstrip("-*+• "))

    def finish(self) -> ReportParts:
        """Return what was found."""
        self.close()
        add_mentions(self.prose, self.environment)
        for part in (Part.VERSION, Part.COMPONENT):
            self._answer_from_entries(part)
        return ReportParts(
            steps=self.steps,
            expected=self.texts.get(Part.EXPECTED, ""),
            actual=self.texts.get(Part.ACTUAL, ""),
            environment=tuple(self.environment.entries.items()),
            version=self.texts.get(Part.VERSION, ""),
            component=self.texts.get(Part.COMPONENT, ""),
        )

    def _answer_from_entries(self, part: Part) -> None:
        """Take the answer from the one entry that gives it; of several, which one is a guess."""
        found = [
            value[:SHORT_CHARS_MAX]
            for key, value in self.environment.entries.items()
            if part_of(key) is part and not entry_kind(key)
        ]
        if len(found) == 1:
            self.texts.setdefault(part, found[0])


def _is_pair(heading: Heading) -> bool:
    """Return whether a heading inside the environment is one of its pairs."""
    return heading.level >= BOLD_LEVEL and (heading.part is None or heading.part in _SHORT)
