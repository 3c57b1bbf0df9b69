from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from schemas.bugs import BugEvent
from schemas.codec import decode
from schemas.identity import BugSplit, IdentityEvent

GOLDEN = Path(__file__).parents[2] / "schemas" / "examples" / "bugs.events.v1"


def test_they_are_facts_of_a_bugs_life() -> None:
    assert set(get_args(IdentityEvent)) <= set(get_args(get_args(BugEvent)[0]))


def test_a_split_of_before_there_were_regressions_was_a_persons_word() -> None:
    fields = json.loads((GOLDEN / "bug.split.v1.json").read_bytes())
    del fields["why"]

    old = decode(json.dumps(fields).encode())

    assert isinstance(old, BugSplit)
    assert old.why == "split"
