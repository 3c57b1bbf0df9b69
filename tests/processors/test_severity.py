from __future__ import annotations

import pytest

from processors.severity import severity_of
from schemas.reports import Severity


@pytest.mark.parametrize(
    ("title", "text", "labels", "severity", "reason"),
    [
        ("Crash on save", "data loss!", (), Severity.HIGH, "title says 'Crash'"),
        ("Save", "We had data loss", (), Severity.CRITICAL, "text says 'data loss'"),
        ("Crash", "", ("priority: low",), Severity.LOW, "label 'priority: low'"),
        ("Changed things", "", (), Severity.UNKNOWN, "nothing in the report tells"),
        ("支付时崩溃", "", (), Severity.HIGH, "title says '崩溃'"),
    ],
)
def test_severity_comes_with_its_reason(
    title: str, text: str, labels: tuple[str, ...], severity: Severity, reason: str
) -> None:
    assert severity_of(title, text, labels, has_trace=False) == (severity, reason)


def test_a_stack_trace_alone_makes_it_high() -> None:
    assert severity_of("Hm", "", (), has_trace=True)[0] is Severity.HIGH
