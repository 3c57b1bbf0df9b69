from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.templates import (
    DEPTH_MAX,
    TEMPLATE_BYTES_MAX,
    TEMPLATES_MAX,
    FormField,
    read_templates,
    read_yaml,
)

FORM = b"""
name: Bug report
description: Something is broken
title: "[Bug]: "
labels: ["bug", "triage"]
body:
  - type: markdown
    attributes: {value: Thanks!}
  - type: textarea
    id: what-happened
    attributes: {label: What happened?, value: "A bug! <!-- say more -->"}
    validations: {required: true}
  - type: dropdown
    id: version
    attributes: {label: Version, options: [1.0, "1.1, beta"]}
  - type: checkboxes
    attributes:
      label: Checks
      options:
        - label: I looked
          required: true
  - type: nonsense
  - 3
"""
OLD = b"---\nname: Old\nlabels: bug, old\n---\n" + (
    b"**Describe the bug**\nWords. <!-- x -->\n - OS: [e.g. iOS]\n"
)


def test_a_form_is_read_as_its_questions() -> None:
    (form,) = read_templates({".github/ISSUE_TEMPLATE/bug.yml": FORM})

    assert (form.name, form.labels) == ("Bug report", ("bug", "triage"))
    assert form.fields == (
        FormField("What happened?", "textarea", "what-happened", (), "A bug!"),
        FormField("Version", "dropdown", "version", ("1.0", "1.1, beta")),
        FormField("Checks", "checkboxes", "", ("I looked",)),
    )


def test_an_old_template_is_read_as_its_lines() -> None:
    (old,) = read_templates({".github/ISSUE_TEMPLATE/old.md": OLD})

    assert (old.name, old.labels) == ("Old", ("bug", "old"))
    assert old.lines == ("**Describe the bug**", "Words.", "- OS: [e.g. iOS]")


@pytest.mark.parametrize(
    "path", [".github/ISSUE_TEMPLATE.md", "ISSUE_TEMPLATE.md", "docs/issue_template.md"]
)
def test_the_one_template_of_a_repository_is_found(path: str) -> None:
    assert [found.path for found in read_templates({path: b"# Steps\n"})] == [path]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".github/ISSUE_TEMPLATE/config.yml", b"blank_issues_enabled: false"),
        (".github/ISSUE_TEMPLATE/a.yml", b"body: ["),
        (".github/ISSUE_TEMPLATE/a.yml", b"body: [{type: input}]"),
        (".github/ISSUE_TEMPLATE/a.yml", b"\xff\xfe\x00"),
        (".github/ISSUE_TEMPLATE/a.yml", b"a: &a [x]\nbody: *a"),
        (".github/workflows/ci.yml", FORM),
        (".github/ISSUE_TEMPLATE/a.yml", FORM + b"#" * TEMPLATE_BYTES_MAX),
    ],
)
def test_what_is_no_template_is_passed_over(path: str, content: bytes) -> None:
    assert read_templates({path: content}) == ()


def test_yaml_becomes_texts_and_nothing_else() -> None:
    assert read_yaml("a: yes\nb: [1, ~, 2020-01-01]\n!!python/name:os.system c: d") == {
        "a": "yes",
        "b": ["1", "~", "2020-01-01"],
        "c": "d",
    }
    assert read_yaml("") is None
    assert read_yaml("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)) is None


@given(st.text(alphabet="ab:-[]{}&*!#|>'\"\n ,?%@`~0\t") | st.text())
def test_no_yaml_breaks_it(text: str) -> None:
    read_yaml(text)
    found = read_templates(
        {
            ".github/ISSUE_TEMPLATE/a.yml": text.encode(errors="replace"),
            "ISSUE_TEMPLATE.md": b"---\n" + text.encode(errors="replace") + b"\n---\n",
        }
    )

    assert len(found) <= 2


@pytest.mark.parametrize(
    "piece", [b"[", b"- ", b"a: ", b"{a: ", b"- a\n", b"&a ", b"x", b"'", b"---\n", b"? "]
)
def test_many_templates_take_no_second(piece: bytes) -> None:
    content = piece * (TEMPLATE_BYTES_MAX // len(piece))
    files = {f".github/ISSUE_TEMPLATE/{number:03}.yml": content for number in range(100)}
    files |= {f".github/ISSUE_TEMPLATE/{number:03}.md": content for number in range(100)}
    started = time.process_time()
    found = read_templates(files)

    assert time.process_time() - started < 1
    assert len(found) <= TEMPLATES_MAX
