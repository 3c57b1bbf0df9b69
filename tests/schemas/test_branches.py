"""A branch of ours is known by its name, and nothing else is taken for one."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.branches import branch_name, bug_of
from schemas.event import human_id


@given(bug_id=st.uuids(), attempt=st.integers(1, 9_999), year=st.integers(2020, 2100))
def test_every_branch_names_its_bug(bug_id: UUID, attempt: int, year: int) -> None:
    name = human_id(bug_id, year)

    assert bug_of(branch_name(name, attempt)) == name


@pytest.mark.parametrize(
    "branch",
    [
        "",
        "main",
        "bugstream/bug-2026-7f3k2",
        "bugstream/bug-2026-7f3k2/a0",
        "bugstream/bug-2026-7f3k2/a1\n",
        "bugstream/bug-2026-7f3k2/a1/x",
        "x/bugstream/bug-2026-7f3k2/a1",
        "bugstream/bug-2026-7f3ku/a1",
        "bugstream/bug-2026-7f3k/a1",
    ],
)
def test_other_branches_name_none(branch: str) -> None:
    assert bug_of(branch) is None
