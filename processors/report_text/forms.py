"""Read a report that was written with a template of its repository: by the template, not by guess.

The body of a form is a `### label` and a value for each question. It says nowhere which form it
was: that is told by the labels, all of them, in their order. A body that its author edited until
it fits no form is read as free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processors.report_text.headings import BOLD_LEVEL, Heading
from processors.report_text.lines import Line, read_lines
from processors.report_text.sections import Reader, ReportParts, read_sections
from processors.report_text.templates import FormField, Template
from processors.report_text.values import is_empty
from processors.report_text.vocabulary import Part, part_of

ANSWER_CHARS_MAX = 20_000
CHOICES_MAX = 50
SHARE_OF_TITLES_MIN = 0.5
TITLES_MIN = 2

_HEADING = re.compile(r" {0,3}###[ \t]{1,4}(?P<label>\S.{0,500})$")
_ANY_HEADING = re.compile(
    r"(?:#{1,6}[ \t]{1,4}(?P<atx>\S.{0,200})|\*\*(?P<bold>[^*\n]{1,150})\*\*[:：]?)$"
)
_CHECKBOX = re.compile(
    r"[ \t]{0,3}[-*][ \t]{1,3}\[(?P<mark>[ xX])\][ \t]{1,3}(?P<option>.{1,1000})$"
)
NO_RESPONSE = "_No response_"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report answers to one question. Of checkboxes: the options that were ticked."""

    label: str
    value: str
    id: str = ""
    checked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormReading:
    """A report read by its template."""

    template: Template
    parts: ReportParts
    answers: tuple[Answer, ...] = ()
    exact: bool = True
    """False: its author changed the form (or it is Markdown), so the parts come from free text."""


def read_form(body: str, templates: Sequence[Template]) -> FormReading | None:
    """Return the reading of `body` by the template it was made with; None where none fits.

    The same body and templates give the same reading. Never raises.
    """
    lines = read_lines(body)
    titles = {_title(line.text) for line in lines if line.kind == "text"} - {""}
    likely = _likely(titles, templates)
    labels = [(index, label) for index, line in enumerate(lines) if (label := _label(line))]
    for template in likely:
        starts = _starts(labels, template.fields)
        if not template.fields or len(starts) != len(template.fields):
            continue
        answers = _answers(lines, starts, template.fields)
        if all(map(_fits, answers, template.fields)):
            parts = _parts(lines, starts, template.fields, answers)
            return FormReading(template, parts, tuple(answers))
    for template in likely:
        if _shares_enough(template, titles):
            return FormReading(template, read_sections(_without(lines, template)), exact=False)
    return None


def _likely(titles: set[str], templates: Sequence[Template]) -> list[Template]:
    """Return the templates that share most of their titles with the body, one as a rule.

    A short form may fit a body that was made with a long one and edited: more shared titles tell.
    """
    scores: list[tuple[int, float]] = []
    for template in templates:
        own = _titles(template)
        shared = len(own & titles)
        scores.append((shared, shared / len(own) if own else 0.0))
    best = max(scores, default=(0, 0.0))
    if not best[0]:
        return []
    return [each for each, score in zip(templates, scores, strict=True) if score == best]


def _label(line: Line) -> str:
    found = _HEADING.match(line.text) if line.kind == "text" else None
    return " ".join(found["label"].split()) if found else ""


def _starts(labels: Sequence[tuple[int, str]], fields: Sequence[FormField]) -> list[int]:
    """Return the line of each label, in order, up to the first that is missing."""
    starts: list[int] = []
    at = 0
    for each in fields:
        while at < len(labels) and labels[at][1] != each.label:
            at += 1
        if at == len(labels):
            break
        starts.append(labels[at][0])
        at += 1
    # Anything above the first question was not written by the form.
    return starts if starts and labels[0][0] == starts[0] else []


def _blocks(lines: Sequence[Line], starts: Sequence[int]) -> Iterator[Sequence[Line]]:
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start + 1 : end]


def _answers(
    lines: Sequence[Line], starts: Sequence[int], fields: Sequence[FormField]
) -> list[Answer]:
    return [
        _answer(block, each) for block, each in zip(_blocks(lines, starts), fields, strict=True)
    ]


def _answer(block: Sequence[Line], asked: FormField) -> Answer:
    if asked.kind == "checkboxes":
        boxes = [found for line in block if (found := _CHECKBOX.match(line.text))]
        ticked = tuple(box["option"].strip() for box in boxes if box["mark"] != " ")
        return Answer(asked.label, "\n".join(ticked), asked.id, ticked)
    written = [index for index, line in enumerate(block) if line.text.strip()]
    said = block[written[0] : written[-1] + 1] if written else []
    if len(said) > 1 and said[0].kind == said[-1].kind == "fence":
        said = said[1:-1]  # `render:` makes a whole answer code.
    value = "\n".join(line.text for line in said).strip()[:ANSWER_CHARS_MAX]
    untouched = value in (NO_RESPONSE, asked.prefilled)
    return Answer(asked.label, "" if untouched else value, asked.id)


def _fits(answer: Answer, asked: FormField) -> bool:
    """Return whether the form could have given this answer: a choice is one of its options."""
    if asked.kind != "dropdown" or not answer.value:
        return True
    left = answer.value
    options = sorted(filter(None, asked.options), key=len, reverse=True)
    for _ in range(CHOICES_MAX):
        chosen = next((o for o in options if left == o or left.startswith(f"{o}, ")), None)
        if chosen is None:
            break
        left = left[len(chosen) + 2 :]
        if not left:
            return True
    return left in ("None", "N/A")


def _parts(
    lines: Sequence[Line],
    starts: Sequence[int],
    fields: Sequence[FormField],
    answers: Sequence[Answer],
) -> ReportParts:
    reader = Reader()
    free: list[str] = []
    for answer, asked, block in zip(answers, fields, _blocks(lines, starts), strict=True):
        if not answer.value or asked.kind == "checkboxes":
            continue
        part = part_of(asked.label) or part_of(re.sub(r"[-_]", " ", asked.id)) or Part.OTHER
        if part is Part.OTHER:
            free += ["", *(line.text for line in block)]
            continue
        reader.heading = Heading(part, asked.label, BOLD_LEVEL)
        for line in block:
            if not line.text.strip() or not is_empty(line.text):
                reader.take(line)
        reader.close()
    return _filled(reader.finish(), read_sections("\n".join(free)))


def _filled(asked: ReportParts, told: ReportParts) -> ReportParts:
    """Return what was answered; what was asked for nowhere may stand in a free description."""
    own = dict(asked.environment)
    return ReportParts(
        steps=asked.steps or told.steps,
        expected=asked.expected or told.expected,
        actual=asked.actual or told.actual,
        environment=(*own.items(), *((k, v) for k, v in told.environment if k not in own)),
        version=asked.version or told.version,
        component=asked.component or told.component,
    )


def _shares_enough(template: Template, titles: set[str]) -> bool:
    own = _titles(template)
    return len(own & titles) >= max(min(TITLES_MIN, len(own)), len(own) * SHARE_OF_TITLES_MIN)


def _titles(template: Template) -> set[str]:
    if template.fields:
        return {_plain(each.label) for each in template.fields}
    return {title for line in template.lines if (title := _title(line))}


def _title(line: str) -> str:
    found = _ANY_HEADING.match(line.strip())
    return _plain(found["atx"] or found["bold"]) if found else ""


def _plain(title: str) -> str:
    return " ".join(title.strip("*_#:： \t").casefold().split())


def _without(lines: Sequence[Line], template: Template) -> str:
    """Return the body without what the template put there: its text, untouched, says nothing."""
    given = {line for line in template.lines if not _title(line)}
    given |= {part.strip() for each in template.fields for part in each.prefilled.split("\n")}
    given.discard("")
    return "\n".join(
        line.text for line in lines if line.kind != "text" or line.text.strip() not in given
    )
