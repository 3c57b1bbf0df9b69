from __future__ import annotations

from typing import Any

import pytest

from processors.similarity.features import NO_MODEL, Features, features_of
from processors.similarity.verdict import Verdict, why
from schemas.raw import Origin
from schemas.reports import Frame, StackTrace
from tests.processors.similarity.reports import SPACES, features, matcher, report

BODY = (
    "When I put nothing into the cart and ask for the total, the program stops with an error"
    " that I cannot make sense of, and all that I had written into the form is lost for ever"
)


def between(one: Features, other: Features) -> Verdict:
    return matcher(one).between(other, one)


def traced(message: str, *, path: str = "shop/cart.py", **more: Any) -> Features:
    frame = Frame(path=path, line=8, function="total")
    trace = StackTrace(language="python", exception="KeyError", message=message, frames=(frame,))
    return features("It fails", "no", stack_traces=(trace,), **more)


def test_the_same_words_are_the_same_report() -> None:
    verdict = between(features("Total fails", BODY), features("total fails!", BODY, item="2"))

    assert (verdict.rule, verdict.merges) == ("same-text", True)
    assert why(verdict).startswith("Merged: the words are the same")


def test_a_few_other_words_are_the_same_report() -> None:
    signs = "abcdefghij"
    long = " ".join(f"{one}{other}{one}" for one in signs for other in signs)

    for title in ("Total fails", "The total fails"):
        verdict = between(features("Total fails", long), features(title, f"{long} indeed"))
        assert (verdict.rule, verdict.merges) == ("near-identical", True)


def test_a_title_that_says_enough_is_the_same_report_in_other_words() -> None:
    title = "Total of an empty cart fails"
    verdict = between(features(title, BODY), features(title, BODY[80:]))

    assert (verdict.rule, verdict.merges) == ("same-title", True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jetty 9.4.44 breaks the build", "Jetty 9.4.39 breaks the build"),
        ("Total fails on CentOS 7", "Total fails on CentOS 8"),
        ("Update the year to 2021", "Update the year to 2020"),
        ("Backport SHOP-18671 to the branch", "Backport SHOP-17837 to the branch"),
        ("www.a.com - blank page", "www.b.com - blank page"),
        ("Total fails with caching enabled", "Total fails with caching disabled"),
        ("Total fails after login", "Total fails before login"),
        ("Backport total of the cart", "Total of the cart"),
    ],
)
def test_what_names_something_else_is_only_suggested(one: str, other: str) -> None:
    verdict = between(features(one, BODY * 3), features(other, BODY * 3))

    assert not verdict.merges
    assert verdict.vetoes
    assert "Not merged, because" in why(verdict)


def test_one_title_with_other_versions_below_is_only_suggested() -> None:
    title = "Building the shop from its sources fails"
    verdict = between(features(title, f"of 1.2.3 {BODY}"), features(title, f"of 1.3.0 {BODY}"))

    assert (verdict.rule, verdict.merges) == ("same-title", False)


def test_one_title_over_texts_about_other_things_is_nothing() -> None:
    title = "The program shows an error"
    verdict = between(features(title, "printing pages blank " * 9), features(title, "login " * 30))

    assert not verdict.merges


def test_without_a_model_the_words_say_whether_texts_speak_of_one_thing() -> None:
    title = "Total of an empty cart fails"
    one, same, other = (
        features_of(report(title, body), NO_MODEL) for body in (BODY, BODY[9:], "printing " * 30)
    )

    assert (between(one, same).rule, between(one, same).merges) == ("same-title", True)
    assert not between(one, other).merges


def test_a_title_that_says_little_merges_nothing() -> None:
    verdict = between(features("Memory usage", f"a {BODY}"), features("Memory usage", f"b {BODY}"))

    assert "the title is too general to tell" in verdict.vetoes


def test_a_short_text_merges_nothing() -> None:
    assert not between(features("Help", "broken"), features("Help", "broken")).merges


def test_the_same_place_and_message_template_are_the_same_report() -> None:
    assert between(traced("'a'"), traced("'b'")).rule == "same-stack"
    assert between(traced("'a'"), traced("'a' is gone")).rule != "same-stack"


def test_other_stack_traces_part_equal_words() -> None:
    verdict = between(traced("'a'"), traced("'a'", path="shop/till.py"))

    assert "the stack traces differ" in verdict.vetoes


def test_a_text_that_only_points_to_an_item_is_that_item() -> None:
    url = "https://shop.example/issues/12"
    origin = Origin(channel="github", container="acme/shop", item="12", url=url)
    item = features_of(report("Total fails", BODY, origin=origin), SPACES)

    assert between(item, features("From support", f"see {url}")).rule == "same-item"
    assert not between(item, features("Not this", f"{BODY} unlike {url}")).merges


def test_an_address_that_several_bugs_have_is_none_of_them() -> None:
    url = "https://shop.example/rules/7"
    rule = [alert(one, url=url) for one in ("web-a", "web-b")]
    pointing = features("From support", f"see {url}")

    alone, both = (matcher(*known).verdicts(pointing)[0] for known in (rule[:1], rule))

    assert (alone.rule, alone.merges) == ("same-item", True)
    assert (both.rule, both.merges) == ("same-item", False)
    assert "several bugs have that address" in both.vetoes


@pytest.mark.parametrize("url", [None, "https://shop.example/rules/7"])
def test_alerts_of_one_rule_with_other_labels_are_only_suggested(url: str | None) -> None:
    """In all that they say only one word differs, and it is the one that counts."""
    first = alert("web-a", url=url)

    assert between(first, alert("web-a", url=url)).merges
    assert not between(first, alert("web-b", url=url)).merges
    assert "alerts of one rule with other labels or at another time" in (
        between(first, alert("web-b", url=url)).vetoes
    )


def alert(instance: str, *, url: str | None) -> Features:
    origin = Origin(channel="monitoring", container="alertmanager", item=instance, url=url)
    text = f"{BODY}. Labels: severity warning, instance {instance}"
    return features("TooManyErrors: the cart total fails often", text, origin=origin)


def test_an_outage_that_comes_back_is_another_one() -> None:
    title = "Payment gateway of the shop is down"

    assert between(features(title, BODY), features(title, BODY, days=2)).merges
    assert not between(features(title, BODY), features(title, BODY, days=40)).merges
    assert not between(features(title, BODY, status="closed"), features(title, BODY, days=2)).merges


def test_the_same_words_after_a_year_are_asked_about() -> None:
    old = features("Total of the cart fails", BODY)

    assert between(old, features("Total of the cart fails", BODY, days=300)).merges
    assert not between(old, features("Total of the cart fails", BODY, days=400)).merges


def test_where_one_does_not_say_when_it_was_reported_no_time_parts_them() -> None:
    title = "Total of the cart fails"
    silent = features_of(report(title, BODY, created_at=None), SPACES)

    assert between(silent, features(title, BODY, days=400)).merges
    assert between(features(title, BODY, days=400), silent).merges


def test_likeness_alone_never_merges() -> None:
    verdict = between(
        features("Totals of carts fail", BODY), features("Carts fail in totals", BODY[60:] + BODY)
    )

    assert (verdict.rule, verdict.merges) == ("similar", False)
    assert "a person decides" in why(verdict)
    assert "uncalibrated" in why(verdict)


def test_a_verdict_says_what_it_rests_on() -> None:
    verdict = between(features("Total fails", BODY), features("Total fails", BODY))

    assert verdict.model_id == SPACES.model_id
    assert set(verdict.scores) == {"meaning", "words", "letters"}
    assert verdict.similarity == pytest.approx(sum(verdict.scores.values()) / 3, abs=1e-3)
