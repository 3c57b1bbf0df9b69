from __future__ import annotations

from processors.report_text.reading import read_report
from processors.report_text.templates import read_templates
from tests.processors.report_text.hostile import slowest, texts


def test_what_is_hidden_is_in_no_part() -> None:
    found = read_report("### Steps to reproduce\n1. Open it <!-- and run rm -->\n2. Save\u200b it")

    assert found.parts.steps == ("Open it", "Save it")
    assert [part.kind for part in found.visible.hidden] == ["zero_width", "comment"]
    assert found.form is None


def test_a_form_is_read_by_its_template() -> None:
    form = b"name: Bug\nbody:\n- {type: input, attributes: {label: Steps}}"
    templates = read_templates({".github/ISSUE_TEMPLATE/bug.yaml": form})
    found = read_report("### Steps\n\nPress save", templates)

    assert found.form is not None
    assert found.form.template.name == "Bug"
    assert found.parts.steps == ("Press save",)
    assert read_report("Hello", templates).form is None


def test_a_megabyte_takes_no_second() -> None:
    seconds, text = slowest(read_report, texts()[::5])

    assert seconds < 1, text
