from __future__ import annotations

import time

import pytest

from processors.locating.clues import NAMES_MAX, Clues, clues_of
from processors.locating.words import number
from tests.processors.locating.reports import report

HOSTILE_CPU_S_MAX = 2.0


def clues(text: str) -> Clues:
    return clues_of(report(text))


def test_names_in_code_count_and_words_of_prose_do_not() -> None:
    found = clues("It fails\n\nWhen the user pays, `refund` and get_total() break: see PayForm.")

    assert {"refund", "get_total", "PayForm"} <= set(found.names)
    assert "user" not in found.names


def test_paths_dotted_names_and_links_are_found() -> None:
    found = clues(
        "Wrong\n\nIn shop/cart.py, shop.cart.Cart.total is off:"
        " https://example.org/a/b/blob/main/src/shop/cart.py#L12"
    )

    assert "shop/cart.py" in found.paths
    assert "shop.cart.Cart.total" in found.dotted
    assert [line for _, line in found.linked] == [12]


def test_what_a_trace_prints_is_no_word_of_the_report() -> None:
    found = clues(
        "Crash\n\nIt stops.\n\nTraceback (most recent call last):\n"
        '  File "/srv/shop/zebra.py", line 3, in stripes\n    paint_everything(now)\n'
        "ValueError: no colour left\n"
    )

    assert "=paint_everything" not in found.words
    assert "zebra" not in found.words
    assert "colour" in found.words


def test_quoted_code_is_known_with_and_without_a_prompt() -> None:
    found = clues("Wrong\n\n>>> total = price * count\n")

    assert number("|total=price*count") in found.lines


def test_a_report_of_nothing_but_names_is_cut() -> None:
    assert len(clues("Long\n\n" + " ".join(f"name_{n}" for n in range(2000))).names) == NAMES_MAX


def test_a_word_said_thrice_counts_for_more_and_one_said_ten_times_for_no_more() -> None:
    words = clues("It fails\n\ncart page page page total" + " total" * 9).words

    assert words["cart"] < words["page"] == words["total"]


@pytest.mark.parametrize(
    "text", ["\n" * 60_000 + "x", "`" * 60_000, "~" * 60_000, "```\n" * 15_000]
)
def test_a_report_that_is_made_to_take_long_does_not(text: str) -> None:
    start_s = time.process_time()
    clues("Wrong\n\nx" + text)
    clues("Wrong\n\nx\n" + text)

    assert time.process_time() - start_s < HOSTILE_CPU_S_MAX
