"""Every status means one thing."""

from __future__ import annotations

from streams import exit_codes


def test_no_two_are_the_same_and_none_can_be_a_signal() -> None:
    values = [value for name, value in vars(exit_codes).items() if name.isupper()]

    assert len(values) == len(set(values)) == 5
    assert all(0 <= value < 126 for value in values)
