"""Ids that people and programs use."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.event import derived_id, human_id


def test_human_id_is_the_year_and_five_characters_without_look_alikes() -> None:
    bug_id = UUID("11111111-2222-5333-8444-0000001e9e62")

    assert human_id(bug_id, 2026) == "BUG-2026-1X7K2"
    assert re.fullmatch(r"BUG-\d{4}-[0-9A-HJKMNP-TV-Z]{5}", human_id(bug_id, 2026))


def test_human_id_depends_on_the_end_of_the_id_alone() -> None:
    first = UUID("11111111-2222-5333-8444-000000000001")
    second = UUID("11111111-2222-5333-8444-000000000002")

    assert human_id(first, 2026) != human_id(second, 2026)


@given(cause=st.uuids(), step=st.text(), index=st.integers(0, 10**6))
def test_a_derived_id_is_the_uuid5_of_its_cause(cause: UUID, step: str, index: int) -> None:
    assert derived_id(cause, step, index) == uuid5(cause, f"{step}/{index}")
