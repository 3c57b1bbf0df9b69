"""Exceptions are told from words by their place and their ending."""

from __future__ import annotations

import pytest

from processors.traces.heads import head_of


@pytest.mark.parametrize(
    ("line", "exception", "message", "role"),
    [
        ("TypeError: x is undefined", "TypeError", "x is undefined", "raised"),
        ("Uncaught (in promise) TypeError: x", "TypeError", "x", "raised"),
        ("Unhandled Rejection (TypeError): x", "TypeError", "x", "raised"),
        ("RangeError (index): Invalid value: 3", "RangeError", "Invalid value: 3", "raised"),
        ("TypeError [ERR_INVALID_ARG_TYPE]: x", "TypeError", "x", "raised"),
        ('Exception in thread "main" shop.Gone: x', "shop.Gone", "x", "raised"),
        ("Caused by: shop.Gone", "shop.Gone", "", "cause"),
        ("\tSuppressed: java.io.IOException: x", "java.io.IOException", "x", "suppressed"),
        ("---> (Inner Exception #1) A.BException: x", "A.BException", "x", "member"),
        ("unexpected exception:a.BException: x", "a.BException", "x", "raised"),
        ("12:01 [main] ERROR c.e.Cart - a.BError: x: y", "a.BError", "x: y", "raised"),
    ],
)
def test_type_message_and_role_are_read(line: str, exception: str, message: str, role: str) -> None:
    head = head_of(line)

    assert head is not None
    assert (head.exception, head.message, head.role) == (exception, message, role)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "we looked at it: no",
        "x = 3",
        ": :",
        "look at (this)",
        "java.lang.Thread.State: BLOCKED",
    ],
)
def test_prose_names_no_exception(line: str) -> None:
    assert head_of(line) is None


def test_what_only_looks_like_a_type_is_not_sure() -> None:
    head = head_of("Details: x")

    assert head is not None
    assert not head.sure
