"""What any tool's report says."""

from __future__ import annotations

import json

import pytest

from processors.channels.http import parse
from schemas.errors import PoisonError
from tests.factories import raw_github


def test_a_stack_trace_is_part_of_the_text() -> None:
    body = {"tool": "pager", "id": "1", "title": "It broke", "stack_trace": "Traceback"}
    said = parse(raw_github("opened"), json.dumps(body).encode())

    assert said is not None
    assert (said.title, said.account) == ("It broke", "http:pager")
    assert "Traceback" in said.text


def test_what_is_no_report_is_poison_and_the_field_is_named() -> None:
    with pytest.raises(PoisonError, match="'title'"):
        parse(raw_github("opened"), b'{"tool": "pager", "id": "1"}')
