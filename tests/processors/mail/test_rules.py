from __future__ import annotations

import importlib.util
import time

import pytest

from processors.mail.rules import (
    DEFAULT_RULES,
    Finders,
    Phrase,
    RuleSet,
    finders_for,
    spacy_is_here,
    verdict,
)
from tests.processors.mail.hostile import LIMIT_S, texts

WITH = [
    pytest.param(False, id="plain"),
    pytest.param(
        True,
        id="spacy",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("spacy") is None, reason="needs the extra nlp"
        ),
    ),
]


@pytest.fixture(scope="module", params=WITH)
def finders(request: pytest.FixtureRequest) -> Finders:
    return finders_for(DEFAULT_RULES, use_spacy=request.param)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Crash when the coupon is empty", "Hi,\nplease look."),
        ("Checkout", "Steps to reproduce:\n1. open\nExpected: a page. It fails."),
        ("Checkout", "Traceback (most recent call last):\n  File 'a.py'\nKeyError: 'x'"),
        ("Checkout", "java.lang.NullPointerException\n    at shop.Cart.total(Cart.java:7)"),
        ("Export funktioniert nicht", "Guten Tag"),
        ("Export", "Der Export funktioniert nicht, es kommt eine Fehlermeldung"),
        ("导出时报错", "大家好"),
        ("导出", "点击导出后崩溃，出现错误"),
        ("Login doesn't work", "since the update"),
        ("Login doesn’t work", "since the update"),
    ],
)
def test_bug_reports_are_found(subject: str, text: str, finders: Finders) -> None:
    assert verdict(subject, text, finders=finders).is_bug


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Lunch on Friday?", "Shall we go?"),
        ("Feature request: dark mode", "It would be nice to have a dark mode."),
        ("Invoice 42", "Please find the invoice attached."),
        ("Our newsletter", "Special offer! Unsubscribe here. View in browser. No error."),
        ("Re: meeting", "Terror and crashed-looking words like errorless do not count."),
        ("", ""),
    ],
)
def test_other_mails_are_not(subject: str, text: str, finders: Finders) -> None:
    assert not verdict(subject, text, finders=finders).is_bug


def test_every_point_has_its_reason(finders: Finders) -> None:
    found = verdict("Crash", "Feature request: it fails", finders=finders)

    assert found.score == 3
    assert found.reasons == (
        "+3 'crash' in the subject",
        "+1 'fails' in the body",
        "-1 'feature request' in the body",
    )


@pytest.mark.parametrize("spacy", WITH)
def test_a_team_has_its_own_phrases(spacy: bool) -> None:
    rules = RuleSet((Phrase("blue screen", 2), Phrase("蓝屏", 2, "subject")))
    finders = finders_for(rules, use_spacy=spacy)

    assert verdict("A Blue Screen", "", rules=rules, finders=finders).is_bug
    assert verdict("", "a blue screen", rules=rules, finders=finders).is_bug
    assert verdict("电脑蓝屏", "", rules=rules, finders=finders).is_bug
    assert not verdict("", "blue, screen", rules=rules, finders=finders).is_bug


def test_without_spacy_the_plain_finder_is_used() -> None:
    assert (type(finders_for(DEFAULT_RULES).body).__name__ == "SpacyFinder") == spacy_is_here()


@pytest.mark.parametrize("name", texts())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str, finders: Finders) -> None:
    text = texts()[name]
    started = time.process_time()
    verdict(text, text, finders=finders)

    assert time.process_time() - started < LIMIT_S
