from __future__ import annotations

import pytest

from processors.mail import reply_marks as marks


@pytest.mark.parametrize(
    "line",
    [
        "On Monday I wrote:",
        "He wrote: it works",
        "The service wrote this on 2026-11-02:",
        "See 2026-11-02 for details:",
        "On this day",
        "https://example.com/on-2026-someone-wrote-about-it",
        "x" * 501 + " <a@b.c> wrote:",
    ],
)
def test_prose_is_no_attribution(line: str) -> None:
    assert not marks.is_attribution(line)


def test_a_name_alone_is_a_weak_attribution() -> None:
    assert marks.is_weak_attribution("Jane Doe wrote:")
    assert not marks.is_attribution("Jane Doe wrote:")
    assert not marks.is_weak_attribution("this is what the server wrote:")


def test_headers_are_known_by_what_they_are_for() -> None:
    assert marks.header_kind("*Von:* Jane") == "from"
    assert marks.header_kind("Envoyé le : lundi") == "date"
    assert marks.header_kind("收件人：a") == "to"
    assert marks.header_kind("Oggetto: x") == "subject"
    assert marks.header_kind("Error: x") is None


def test_a_separator_needs_its_dashes() -> None:
    assert marks.is_separator("*-------- Original Message --------*")
    assert marks.is_separator("---- Forwarded by Jane on 2 Nov ----")
    assert not marks.is_separator("The original message is lost")
    assert not marks.is_separator("Original message")


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my desk, is much easier than my mobile phone.",
        "The notification was sent from my iPhone app.",
        "Sent from the main server.",
        "From the log we see errors",
        "从数据库读取失败",
        "Mit freundlichen Grüßen",
    ],
)
def test_sentences_are_no_signatures(line: str) -> None:
    assert not marks.is_mobile(line)


def test_rules_and_dashes_are_told_apart() -> None:
    assert marks.is_dashes("-- ")
    assert not marks.is_dashes("---")
    assert marks.is_rule("-----")
    assert not marks.is_heavy_rule("-----")
    assert marks.is_heavy_rule("_____")
