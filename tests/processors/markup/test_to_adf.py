"""What is written as ADF is accepted by the schema that Atlassian publishes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from processors.markup import adf_to_markdown, markdown_to_adf
from processors.markup.document import Code, Heading, Listing, Panel, Paragraph, Quote, Rule, Span
from processors.markup.to_adf import write
from tests.processors.markup.texts import MARKUP, PROSE, letters, problems, said

ANSWER = """**BUG-2026-C5VKB: a fix is ready for review.**

It is commit `d3717d9df231` on branch `bugstream/x`, see [the log](https://ci.example/1).

| check | verdict |
| --- | --- |
| it `fits` | **failed** |

```python
if order.coupon is None:
    return 0
```

1. first
   - inner

     ```
     code
     ```
2. second

> quoted
>
> # with a title
>
> > and a quote

---

<sub>Written by bugstream</sub>
"""


def test_an_answer_of_ours_keeps_its_form() -> None:
    document = markdown_to_adf(ANSWER)

    assert problems(document) == []
    kinds = [node["type"] for node in document["content"]]
    assert kinds == [
        *("paragraph", "paragraph", "table", "codeBlock", "orderedList", "blockquote", "rule"),
        "paragraph",
    ]
    assert '"attrs": {"href": "https://ci.example/1"}' in json.dumps(document)


@given(text=MARKUP)
def test_whatever_comes_in_the_schema_accepts_what_goes_out(text: str) -> None:
    document = markdown_to_adf(text)

    assert problems(document) == []
    assert "mention" not in json.dumps(document)
    json.dumps(document, ensure_ascii=False).encode()


@given(text=PROSE)
def test_plain_text_survives(text: str) -> None:
    document = markdown_to_adf(text)

    assert letters(said(document)) == letters(text)
    assert letters(adf_to_markdown(document)) == letters(text)


def test_what_may_not_stand_somewhere_loses_its_form_and_no_words() -> None:
    title = Heading(1, (Span("title"),))
    inner = (title, Quote((Paragraph((Span("deep"),)), Panel("tip", "box", (Rule(),)))), Code("c"))
    document = write(
        (Listing((inner,)), Quote(inner), Panel("info", "", inner), Panel("note", "", ()))
    )

    assert problems(document) == []
    assert said(document).count("title") == said(document).count("deep") == 3


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "../x", "file:///etc/passwd", "data:,x"]
)
def test_only_addresses_of_the_web_and_of_mail_become_links(address: str) -> None:
    document = markdown_to_adf(f"[here]({address})")

    assert "href" not in json.dumps(document)
    assert "here" in said(document)
