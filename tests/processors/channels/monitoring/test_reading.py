"""How the words of machines are read."""

from __future__ import annotations

import pytest

from processors.channels.monitoring.reading import (
    PAIRS_MAX,
    fenced,
    first_known,
    link,
    listed,
    moment,
    nanoseconds,
    pairs,
    severity_named,
    title_of,
)
from schemas.reports import Severity


def test_a_severity_comes_with_its_reason_or_is_unknown() -> None:
    assert severity_named("the label", " Critical ") == (
        Severity.CRITICAL,
        "the label says 'Critical'",
    )
    assert severity_named("the label", "purple") == (Severity.UNKNOWN, "")
    assert first_known([("a", ""), ("b", "info")]) == (Severity.LOW, "b says 'info'")
    assert first_known([]) == (Severity.UNKNOWN, "")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-11-26T04:00:00Z", "2026-11-26T04:00:00+00:00"),
        ("2026-11-26T04:00:00.123456789+02:00", "2026-11-26T04:00:00.123456+02:00"),
        ("2026-11-26T04:00:00", "2026-11-26T04:00:00+00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (7, None),
        ("9" * 100, None),
    ],
)
def test_a_time_has_a_zone_or_is_none(value: object, read: str | None) -> None:
    assert moment(value) == read


def test_nanoseconds_since_1970_are_a_time() -> None:
    assert nanoseconds("1764129600000000000") == "2025-11-26T04:00:00+00:00"
    assert nanoseconds(1764129600000000000) == "2025-11-26T04:00:00+00:00"
    for odd in ("0", "", None, "x", "9" * 400, [1]):
        assert nanoseconds(odd) is None


def test_only_web_addresses_are_links() -> None:
    assert link("https://a.example/b") == "https://a.example/b"
    assert link("javascript:alert(1)") is link("https://a b") is link(None) is None


def test_names_and_values_are_one_line_each_and_not_without_end() -> None:
    assert listed(pairs({"a": "x\ny", "b": "", "c": 3, "d": ["no"]})) == "- a: x y\n- c: 3"
    assert len(pairs({str(n): "x" for n in range(1000)})) == PAIRS_MAX
    assert title_of("a\nb", "", "c" * 1000).startswith("a b: ccc")


def test_code_cannot_end_the_fence_around_it() -> None:
    assert fenced("a\n```\nb") == "````\na\n```\nb\n````"
    assert fenced("  ") == ""
