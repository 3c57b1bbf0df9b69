from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.severity import severity_of
from schemas.reports import Severity


@pytest.mark.parametrize(
    ("title", "text", "labels", "severity", "reason"),
    [
        ("Crash on save", "", (), Severity.HIGH, "title says 'Crash'"),
        # Evidence outweighs its place: lost data is lost data where the title says less.
        ("Crash on save", "data loss!", (), Severity.CRITICAL, "text says 'data loss'"),
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


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("P0", Severity.CRITICAL),
        ("P1 - urgent", Severity.HIGH),
        ("sev-2", Severity.HIGH),
        ("severity/critical", Severity.CRITICAL),
        ("Priority: Highest", Severity.CRITICAL),
        ("严重程度：高", Severity.HIGH),
        ("security", Severity.CRITICAL),
        ("minor bug", Severity.LOW),
    ],
)
def test_a_label_that_names_a_severity_decides(label: str, severity: Severity) -> None:
    assert severity_of("Crash", "data loss", (label,), has_trace=True)[0] is severity


@pytest.mark.parametrize(
    "label",
    ["high contrast theme", "low hanging fruit", "error messages", "not critical", "bug", ""],
)
def test_a_label_about_something_else_decides_nothing(label: str) -> None:
    assert severity_of("", "", (label,), has_trace=False)[0] is Severity.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "This is not a crash.",
        "It does not crash",
        "There was no data loss",
        "Data loss: none",
        "It works without any exception",
        "It no longer crashes",
        "没有崩溃",
        "并没有数据丢失",
        "不会崩溃",
        "fixes the crash",
    ],
)
def test_what_is_denied_is_no_evidence(text: str) -> None:
    assert severity_of("", text, (), has_trace=False)[0] is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("It crashes, not only here", Severity.HIGH),
        ("Not a security issue, but it crashes", Severity.HIGH),
        ("SQL injection in the search box", Severity.CRITICAL),
        ("存在安全漏洞", Severity.CRITICAL),
        ("数据丢失了", Severity.CRITICAL),
        ("The server is down", Severity.CRITICAL),
        ("It crashes for all users", Severity.CRITICAL),
        ("所有用户都闪退", Severity.CRITICAL),
        ("It crashes. Workaround: restart it.", Severity.MEDIUM),
        ("It crashes and there is no workaround", Severity.HIGH),
        ("Data loss; a workaround is to save often", Severity.CRITICAL),
        ("The wrong colour, purely cosmetic", Severity.LOW),
        ("A typo: it says 'wrong'", Severity.LOW),
        ("无法登录", Severity.HIGH),
        ("按钮不起作用", Severity.MEDIUM),
        ("I would like a new button", Severity.UNKNOWN),
        ("```\nexception\n```\nHow do I use it?", Severity.UNKNOWN),
    ],
)
def test_the_worst_that_is_said_counts(text: str, severity: Severity) -> None:
    assert severity_of("", text, (), has_trace=False)[0] is severity


@pytest.mark.parametrize(
    ("level", "severity"),
    [("fatal", Severity.CRITICAL), ("error", Severity.HIGH), ("Warning", Severity.MEDIUM)],
)
def test_the_level_of_an_alert_comes_before_words(level: str, severity: Severity) -> None:
    found = severity_of("typo", "", (), has_trace=True, alert_level=level)

    assert found == (severity, f"alert level {level!r}")


def test_many_users_make_it_high_at_least() -> None:
    assert severity_of("typo", "", (), has_trace=False, users_affected=1200) == (
        Severity.HIGH,
        "1200 users are affected",
    )
    assert severity_of("outage", "", (), has_trace=False, users_affected=5)[0] is Severity.CRITICAL


@given(st.text(), st.text(), st.lists(st.text()).map(tuple), st.booleans(), st.text())
def test_every_text_gets_a_severity_and_a_reason(
    title: str, text: str, labels: tuple[str, ...], has_trace: bool, level: str
) -> None:
    severity, reason = severity_of(title, text, labels, has_trace=has_trace, alert_level=level)

    assert severity in Severity
    assert 0 < len(reason) < 400


@pytest.mark.parametrize(
    "piece",
    [
        "not a ",
        "crash ",
        "not a crash ",
        "```\n",
        "没有",
        "lost all of my ",
        "security ",
        "no " * 9,
    ],
)
def test_a_megabyte_takes_no_second(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    severity_of(text, text, (text,) * 50, has_trace=False, alert_level=text)

    assert time.process_time() - started < 1
