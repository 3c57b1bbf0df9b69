"""The values are plain data: frozen, comparable, and the same objects under both names."""

from __future__ import annotations

import dataclasses
from uuid import UUID

import pytest

from processors import ports
from schemas import values


def test_an_effect_cannot_be_changed_after_it_was_made() -> None:
    effect = values.Effect(
        key=UUID(int=1),
        kind="git.push",
        project="shop",
        bug_id=UUID(int=2),
        attempt=1,
        request_sha256="0" * 64,
    )

    with pytest.raises(dataclasses.FrozenInstanceError):
        effect.attempt = 2  # type: ignore[misc]


def test_ports_hand_out_the_same_classes_so_that_except_clauses_match() -> None:
    shared = {name for name in ports.__all__ if hasattr(values, name)}

    assert {"Effect", "ErasedError", "BudgetExceededError", "SandboxResult"} <= shared
    assert all(getattr(ports, name) is getattr(values, name) for name in shared)
