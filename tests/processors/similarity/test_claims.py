from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.similarity.claims import (
    CLAIMS_PER_KIND_MAX,
    claims,
    conflicts,
    differences,
    rivals,
    turns,
)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("Jetty 9.4.44 fails", "Jetty 9.4.39 fails", "version"),
        ("fails on CentOS 7", "fails on CentOS 8", "number"),
        ("Update the year to 2021", "Update the year to 2020", "number"),
        ("Backport HADOOP-18671", "Backport HADOOP-17837", "id"),
        ("fixes #12", "fixes #13", "id"),
        ("www.a.com - blank page", "www.b.com - blank page", "host"),
        ("10.0.0.1 is down", "10.0.0.2 is down", "version"),
        ("HIPP6 is down", "HIPP7 is down", "number"),
    ],
)
def test_titles_that_name_other_facts_differ(one: str, other: str, kind: str) -> None:
    assert [*differences(claims(one), claims(other))] == [kind]


def test_a_version_is_no_number_and_its_prefix_is_nothing() -> None:
    assert claims("v1.2.3") == claims("1.2.3")
    assert set(claims("1.2.3")) == {"version"}


def test_zeros_before_a_number_are_nothing() -> None:
    assert claims("line 007") == claims("line 7")


def test_names_of_files_are_no_hosts() -> None:
    assert "host" not in claims("shop/cart.py and README.md fail, as does lib.so")


def test_a_conflict_needs_something_on_both_sides_and_nothing_in_common() -> None:
    assert [*conflicts(claims("1.2 fails"), claims("it fails"))] == []
    assert [*conflicts(claims("1.2 and 1.3 fail"), claims("1.3 and 1.4 fail"))] == []
    assert [*conflicts(claims("1.2 fails"), claims("1.4 fails"))] == ["version"]
    assert [*conflicts(claims("line 7"), claims("line 8"))] == []


def test_rivals_each_say_what_the_other_does_not() -> None:
    assert [*rivals(claims("line 7"), claims("line 7 of 8"))] == []
    assert [*rivals(claims("line 7 of 9"), claims("line 7 of 8"))] == ["number"]


@pytest.mark.parametrize(
    ("text", "word"),
    [("caching is Disabled", "disabled"), ("it cannot be", "cannot"), ("按钮打不开", "不")],
)
def test_words_that_turn_the_meaning_are_found(text: str, word: str) -> None:
    assert word in turns(text)


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_text_is_too_odd(one: str, other: str) -> None:
    assert [*differences(claims(one), claims(one))] == []
    assert {*conflicts(claims(one), claims(other))} == {*conflicts(claims(other), claims(one))}
    assert {*rivals(claims(one), claims(other))} <= {*differences(claims(one), claims(other))}


def test_what_is_kept_has_a_limit() -> None:
    found = claims(" ".join(map(str, range(3_000))))

    assert len(found["number"]) == CLAIMS_PER_KIND_MAX
