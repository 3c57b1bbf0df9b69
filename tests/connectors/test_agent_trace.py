"""Records are valid under the specification, and notes lose nobody's lines."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from connectors.agent_trace import (
    METADATA_KEY,
    Contributor,
    Range,
    TracedFile,
    canonical_line,
    merged,
    range_of,
    record,
)
from tests.connectors.agent_trace_schema import problems

TRACE = UUID("6f1c2b9e-1111-5222-8333-444455556666")
WHEN = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
TEMPLATE = Contributor(proposer="template", template="off-by-one")
MODEL = Contributor(
    proposer="anthropic", model="claude-sonnet-5-5", conversation_url="https://example.org/c/1"
)


def made(contributor: Contributor = TEMPLATE, *files: TracedFile) -> dict[str, Any]:
    return record(
        trace_id=TRACE,
        when=WHEN,
        revision="a" * 40,
        contributor=contributor,
        files=files or (TracedFile("shop/cart.py", (Range(3, 4, "sha256:" + "0" * 64),)),),
    )


@pytest.mark.parametrize("contributor", [TEMPLATE, MODEL], ids=["template", "model"])
def test_a_record_is_valid_under_the_specification(contributor: Contributor) -> None:
    assert problems(made(contributor)) == []


@pytest.mark.parametrize("field", ["version", "id", "timestamp", "files"])
def test_the_schema_of_the_test_bites(field: str) -> None:
    broken = {name: value for name, value in made().items() if name != field}

    assert problems(broken)
    assert problems({**made(), field: "1.0" if field == "version" else 7})


def test_a_template_edit_is_by_a_machine_that_is_no_model() -> None:
    trace = made(TEMPLATE)
    (conversation,) = trace["files"][0]["conversations"]

    assert conversation["contributor"] == {"type": "ai"}
    assert trace["metadata"][METADATA_KEY] == {"proposer": "template", "template": "off-by-one"}


def test_a_model_is_named_with_its_vendor_and_a_link_to_the_conversation() -> None:
    (conversation,) = made(MODEL)["files"][0]["conversations"]

    assert conversation["contributor"] == {
        "type": "ai",
        "model_id": "anthropic/claude-sonnet-5-5",
    }
    assert conversation["url"] == "https://example.org/c/1"


def test_a_conversation_that_is_no_link_is_left_out() -> None:
    trace = made(Contributor(proposer="anthropic", conversation_url="please fix my secret bug"))

    assert "secret" not in canonical_line(trace)


def test_lines_only_taken_out_stand_in_the_metadata() -> None:
    trace = made(TEMPLATE, TracedFile("gone.py", (), deleted_lines=3))

    assert trace["files"] == []
    assert trace["metadata"][METADATA_KEY]["deleted_lines"] == {"gone.py": 3}


def test_the_time_is_utc_whatever_zone_it_came_in() -> None:
    elsewhere = record(
        trace_id=TRACE,
        when=WHEN.astimezone(timezone(timedelta(hours=8))),
        revision="a" * 40,
        contributor=TEMPLATE,
        files=(),
    )

    assert elsewhere["timestamp"] == made()["timestamp"] == "2026-11-22T12:30:00Z"


def test_the_hash_is_of_the_exact_bytes_line_ends_included() -> None:
    content = b"one\r\ntwo\nthree"

    assert range_of(content, 1, 2).content_hash == (
        "sha256:" + hashlib.sha256(b"one\r\ntwo\n").hexdigest()
    )
    assert range_of(content, 3, 3).content_hash == "sha256:" + hashlib.sha256(b"three").hexdigest()


def test_a_record_is_one_line_and_equal_records_are_equal_bytes() -> None:
    line = canonical_line(made())

    assert "\n" not in line
    assert json.loads(line) == made()
    assert line == canonical_line(dict(reversed(made().items())))


def test_adding_a_record_keeps_what_others_wrote() -> None:
    line = canonical_line(made())

    note = merged('{"id":"other"}\n\nnot even json\n', line)

    assert set(note.splitlines()) == {'{"id":"other"}', "not even json", line}
    assert note.endswith("\n")


def test_adding_a_record_again_changes_nothing_even_from_a_newer_release() -> None:
    note = merged("", canonical_line(made()))
    newer = {**made(), "tool": {"name": "bugstream", "version": "99"}}

    assert merged(note, canonical_line(newer)) == note


def test_the_order_in_which_records_are_added_does_not_matter() -> None:
    lines = [canonical_line({**made(), "id": str(UUID(int=number))}) for number in (1, 2, 3)]
    forward = backward = ""
    for line in lines:
        forward = merged(forward, line)
    for line in reversed(lines):
        backward = merged(backward, line)

    assert forward == backward
