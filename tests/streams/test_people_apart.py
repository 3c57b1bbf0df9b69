"""What people answer to suggestions, through the log: the next ones keep to it and learn from it.

Dedupe, lifecycle and the views are real; nobody works on the bugs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from connectors.database import open_engine
from projections.views import Views
from schemas import bugs, commands, topics
from schemas.event import Event
from schemas.identity import BugsKeptApart
from schemas.reports import ReportNormalized
from streams.answers import Answers
from streams.audit import replay
from streams.broker import temporary_broker
from streams.kafka_log import KafkaLog
from streams.log import Log, outgoing
from streams.memory_log import MemoryLog
from streams.projector import build
from tests.factories import EPOCH, normalized
from tests.streams.logs import write
from tests.streams.test_people_merge import asked, bug_of, run, system, told, until

COUPON = (
    "The total of an order ignores the coupon when the cart holds more than nine articles of it.",
    "The total of an order ignores the coupon in the cart once a gift card has been used as well.",
    "The total of an order ignores the coupon in the cart after a gift card was taken back.",
)


def report(item: str, title: str, text: str) -> ReportNormalized:
    made = normalized(text, item=item, title=title)
    return made.model_copy(update={"occurred_at": EPOCH + timedelta(seconds=int(item))})


def coupon(n: int) -> Event:
    return report(str(n), f"coupon {n} ignored", COUPON[n])


def suggestions(log: Log, item: str) -> list[bugs.LinkSuggested]:
    found = [event for event in told(log) if isinstance(event, bugs.LinkSuggested)]
    return [event for event in found if event.bug_id == bug_of(item)]


def suggested(log: Log, item: str) -> list[UUID]:
    return [event.other_bug_id for event in suggestions(log, item)]


@contextmanager
def shown(log: Log, folder: Path) -> Iterator[tuple[Views, Answers]]:
    """Yield the views of the whole log and what they answer."""
    engine = open_engine(folder / "views.sqlite")
    try:
        build(log, engine)
        views = Views(engine)
        yield views, Answers(views, MemoryBlobs())
    finally:
        engine.dispose()


def lines(answers: Answers, bug_id: UUID, kind: str) -> list[str]:
    timeline = answers.story(str(bug_id)).timeline.timeline
    return [each.sentence for each in timeline if each.type == kind]


def test_a_suggestion_is_answered_with_no_and_the_next_report_like_it_is_not_asked_again(
    tmp_path: Path,
) -> None:
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        write(log, outgoing(coupon(0)), outgoing(coupon(1)))
        run(log)
        assert suggested(log, "1") == [bug_of("0")]
        write(log, outgoing(asked(commands.KeepApart, "no", bug_of("1"), other_bug_id=bug_of("0"))))
        run(log)
        write(log, outgoing(coupon(2)))
        run(log)

        assert suggested(log, "2") == [bug_of("1")]
        with shown(log, tmp_path) as (views, answers):
            names = [views.find(str(bug_of(item))).human_id for item in ("0", "1")]
            said = {item: lines(answers, bug_of(item), "bug.kept_apart") for item in ("0", "1")}
            [asks] = lines(answers, bug_of("1"), "link.suggested")
            audits = [replay(log, views, bug_of(item)) for item in ("0", "1")]

    assert said == {
        mine: [f"Kept apart from bug {other}: a person said that these are two faults"]
        for mine, other in (("0", names[1]), ("1", names[0]))
    }
    assert asks.startswith(f"Perhaps the same as bug {names[0]}.")
    assert f"`bugstream bug merge {names[1]} --into {names[0]}`" in asks
    assert f"`bugstream bug keep-apart {names[1]} --from {names[0]}`" in asks
    assert all(audit.equals_live for audit in audits)


def test_unless_a_person_says_no_the_next_report_is_asked_about_both() -> None:
    """The negative control of the test above."""
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        write(log, *(outgoing(coupon(n)) for n in range(3)))
        run(log)

        assert suggested(log, "2") == [bug_of("1"), bug_of("0")]


@pytest.mark.kafka
def test_it_does_the_same_on_kafka(tmp_path: Path) -> None:
    with temporary_broker() as broker, KafkaLog(broker.bootstrap) as log:
        log.ensure_topics(topics.ALL)
        with system(log, tmp_path, []) as settle:
            write(log, outgoing(coupon(0)), outgoing(coupon(1)))
            until(lambda: suggested(log, "1") == [bug_of("0")], settle)
            no = asked(commands.KeepApart, "no", bug_of("1"), other_bug_id=bug_of("0"))
            write(log, outgoing(no))
            until(lambda: sum(isinstance(e, BugsKeptApart) for e in told(log)) == 2, settle)
            settle()  # The word is on its way to dedupe.
            write(log, outgoing(coupon(2)))
            until(lambda: bool(suggested(log, "2")), settle)

        assert suggested(log, "2") == [bug_of("1")]


# --- what the answers teach ---


def couple(number: int, *, same: bool) -> Iterator[Event]:
    """Yield two reports in words of their own; with `same` they share twice as many."""
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}") * 2
    words = [f"{name}{letter}" for letter in "abcdefghijklmnopqrst"]
    kept = 16 if same else 8
    others = [f"{name}z{letter}" for letter in "abcdefghijklmnopqrst"]
    yield report(str(2 * number), f"{name} breaks", " ".join(words))
    yield report(str(2 * number + 1), f"{name} fails", " ".join((*words[:kept], *others[kept:])))


def answered(log: MemoryLog, count: int) -> None:
    """Let `count` suggestions be made and answered: every other one with yes."""
    for number in range(count):
        write(log, *(outgoing(each) for each in couple(number, same=number % 2 == 0)))
    run(log)
    for number in range(count):
        one, other = bug_of(str(2 * number + 1)), bug_of(str(2 * number))
        assert other in suggested(log, str(2 * number + 1))
        model: Any = commands.MergeBugs if number % 2 == 0 else commands.KeepApart
        write(log, outgoing(asked(model, f"answer {number}", one, other_bug_id=other)))
    run(log)


@pytest.mark.parametrize("count", [49, 50])
def test_after_enough_answers_a_suggestion_says_how_likely_it_is_confirmed(
    tmp_path: Path, count: int
) -> None:
    alike, unlike = 900, 901
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        answered(log, count)
        for number in (alike, unlike):
            write(log, *(outgoing(each) for each in couple(number, same=number == alike)))
        run(log)
        found = [suggestions(log, str(2 * number + 1))[0] for number in (alike, unlike)]
        with shown(log, tmp_path) as (_, answers):
            said = [lines(answers, each.bug_id, "link.suggested")[0] for each in found]
        refused = [e.reason for e in told(log) if isinstance(e, bugs.CommandRefused)]

    assert refused == []
    assert [each.other_bug_id for each in found] == [bug_of(str(2 * n)) for n in (alike, unlike)]
    if count < 50:
        assert [each.probability for each in found] == [None, None]
        assert all("uncalibrated" in each for each in said)
        return
    likely, unlikely = (each.probability for each in found)
    assert likely is not None
    assert unlikely is not None
    assert unlikely < 0.2 < 0.8 < likely
    for probability, sentence in zip((likely, unlikely), said, strict=True):
        assert f"confirmed in {probability:.0%} of such" in sentence
    assert not any("uncalibrated" in each for each in said)
