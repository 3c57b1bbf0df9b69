from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.forms import FormReading, read_form
from processors.report_text.templates import read_templates
from tests.processors.report_text.hostile import slowest, texts

FORM = b"""
name: Bug report
body:
  - type: textarea
    id: what
    attributes: {label: What happened?, value: A bug happened!}
  - type: textarea
    id: steps
    attributes: {label: Tell us more}
  - type: dropdown
    id: version
    attributes: {label: Version, options: [1.0.2, "1.0.3, with a comma"]}
  - type: dropdown
    attributes: {label: Browsers, multiple: true, options: [Firefox, Chrome]}
  - type: textarea
    attributes: {label: Relevant log output, render: shell}
  - type: checkboxes
    attributes: {label: Checks, options: [{label: I looked}, {label: I read}]}
"""
SHORT = b"""
name: Question
body:
  - type: textarea
    attributes: {label: What happened?}
"""
OLD = b"""---
name: Old
---
**Describe the bug**
Tell us what the bug is.

**To Reproduce**
1. Go to '...'
2. Do the thing we ask for

**Expected behavior**
Tell us what you expected.

**Desktop:**
 - OS: the system
"""
TEMPLATES = read_templates(
    {
        ".github/ISSUE_TEMPLATE/bug.yml": FORM,
        ".github/ISSUE_TEMPLATE/a-question.yml": SHORT,
        ".github/ISSUE_TEMPLATE/old.md": OLD,
    }
)
BODY = """### What happened?

It crashes.

```md
### Version
```

### Tell us more

1. Open it
2. Press save

### Version

1.0.3, with a comma

### Browsers

Firefox, Chrome

### Relevant log output

```shell
boom
```

### Checks

- [X] I looked
- [ ] I read
"""


def read(body: str) -> FormReading:
    found = read_form(body, TEMPLATES)
    assert found is not None
    return found


def test_a_body_is_read_by_the_form_that_it_was_made_with() -> None:
    found = read(BODY)

    assert (found.template.name, found.exact) == ("Bug report", True)
    assert [answer.value for answer in found.answers] == [
        "It crashes.\n\n```md\n### Version\n```",
        "1. Open it\n2. Press save",
        "1.0.3, with a comma",
        "Firefox, Chrome",
        "boom",
        "I looked",
    ]
    assert found.answers[-1].checked == ("I looked",)
    assert found.parts.steps == ("Open it", "Press save")
    assert found.parts.version == "1.0.3, with a comma"
    assert dict(found.parts.environment) == {"Browsers": "Firefox, Chrome"}
    assert found.parts.actual.startswith("It crashes.")


def test_no_response_and_what_the_form_filled_in_are_no_answers() -> None:
    body = BODY.replace("1. Open it\n2. Press save", "_No response_").replace("It crashes.", "")
    body = body.replace("```md\n### Version\n```", "A bug happened!")
    found = read(body)

    assert found.exact
    assert [answer.value for answer in found.answers[:2]] == ["", ""]
    assert (found.parts.steps, found.parts.actual) == ((), "")


def test_a_description_may_hold_what_no_question_asked_for() -> None:
    body = BODY.replace("boom", "boom").replace("It crashes.", "It crashes on Windows 10.")

    assert dict(read(body).parts.environment)["Browsers"] == "Firefox, Chrome"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.0.3, with a comma", "7.7"),
        ("### Checks", "### My checks"),
        ("### What happened?", "### Hello\n\n### What happened?"),
    ],
)
def test_a_form_that_was_edited_is_read_as_free_text(old: str, new: str) -> None:
    found = read(BODY.replace(old, new))

    assert (found.template.name, found.exact, found.answers) == ("Bug report", False, ())
    assert found.parts.actual.startswith("It crashes.")


def test_a_shorter_form_does_not_win_over_the_one_that_fits_whole() -> None:
    assert read(BODY).template.name == "Bug report"
    assert read("### What happened?\n\nA thing").template.name == "Question"


def test_untouched_text_of_an_old_template_says_nothing() -> None:
    untouched = OLD.decode().split("---\n")[2]
    found = read(untouched)

    assert (found.template.name, found.exact) == ("Old", False)
    assert found.parts.steps == ()
    assert found.parts.expected == ""
    assert found.parts.environment == ()


def test_what_was_written_into_an_old_template_is_read() -> None:
    body = OLD.decode().split("---\n")[2]
    body = body.replace("2. Do the thing we ask for", "2. Press save").replace(
        "OS: the system", "OS: Debian 12"
    )
    found = read(body)

    assert found.parts.steps == ("Press save",)
    assert found.parts.environment == (("OS", "Debian 12"),)


def test_free_text_fits_no_template() -> None:
    assert read_form("It is broken.", TEMPLATES) is None
    assert read_form(BODY, ()) is None


_PIECES = st.sampled_from(BODY.split("\n") + OLD.decode().split("\n"))


@given(st.lists(_PIECES, max_size=40).map("\n".join) | st.text())
def test_no_body_breaks_it_and_each_is_read_the_same_again(body: str) -> None:
    assert read_form(body, TEMPLATES) == read_form(body, TEMPLATES)


def test_a_megabyte_takes_no_second() -> None:
    many = TEMPLATES * 15
    bodies = [
        piece * (1_000_000 // len(piece)) for piece in (BODY, "### What happened?\n", "- [x] a\n")
    ]
    seconds, text = slowest(lambda body: read_form(body, many), [*bodies, *texts()[::20]])

    assert seconds < 1, text
