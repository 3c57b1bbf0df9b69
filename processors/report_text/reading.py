"""Everything a report's text holds, in one answer: what people see of it, its parts, its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from processors.report_text.forms import FormReading, read_form
from processors.report_text.hidden import VisibleText, visible_text
from processors.report_text.sections import ReportParts, read_sections
from processors.report_text.templates import Template


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `form` is None where no template of the repository fits."""

    visible: VisibleText
    parts: ReportParts
    form: FormReading | None = None


def read_report(text: str, templates: Sequence[Template] = ()) -> Reading:
    """Return what `text` holds, read from what people see of it. Never raises.

    With the repository's `templates` by the one it was written with, else by its headings.
    """
    visible = visible_text(text)
    form = read_form(visible.text, templates) if templates else None
    return Reading(visible, form.parts if form else read_sections(visible.text), form)
