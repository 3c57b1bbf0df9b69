"""How fast we write is ours to say, and how long to wait the provider's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from connectors.governor import (
    BURST_MESSAGES_MAX,
    CLOSED_S_MAX,
    QUEUE_S_MAX,
    GovernedMessenger,
    GovernedTracker,
    Governor,
)
from connectors.webhook_messenger import RecordingMessenger
from schemas.errors import LimitedError
from schemas.raw import Origin

ORIGIN = Origin(channel="slack", container="T01/C02", item="1.2")


@dataclass
class Time:
    now_s: float = 100.0

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def governor(time: Time, per_minute_max: int = 60) -> Governor:
    return Governor("slack", per_minute_max, monotonic_s=time.monotonic_s, sleep=time.sleep)


def limited(retry_after_s: float) -> Callable[[], str]:
    def call() -> str:
        raise LimitedError("slow down", retry_after_s=retry_after_s, reason="per-issue-on-write")

    return call


def test_a_burst_goes_through_and_the_rest_at_the_rate_of_the_settings() -> None:
    time = Time()
    governed = governor(time, per_minute_max=60)

    for number in range(BURST_MESSAGES_MAX + 10):
        if number >= BURST_MESSAGES_MAX:
            with pytest.raises(LimitedError) as raised:
                governed.writing(str)
            time.now_s += raised.value.retry_after_s
        governed.writing(str)

    assert time.now_s - 100.0 == pytest.approx(10.0, abs=0.1)


def test_each_who_is_sent_away_is_told_a_time_of_its_own_and_is_let_in_then() -> None:
    time = Time()
    governed = governor(time)
    for _ in range(BURST_MESSAGES_MAX):
        governed.writing(str)

    told: list[float] = []
    for method in (governed.writing, governed.looking, governed.writing):
        with pytest.raises(LimitedError) as raised:
            method(told.clear)
        told.append(time.now_s + raised.value.retry_after_s)

    assert told == [pytest.approx(100.0 + second) for second in (1, 2, 3)]
    for at in told:
        time.now_s = at
        assert governed.looking(lambda: None) is None
        assert governed.writing(lambda: "posted") == "posted"


def test_what_would_wait_long_is_put_off_and_others_go_first() -> None:
    time = Time()
    governed = governor(time, per_minute_max=6)
    for _ in range(BURST_MESSAGES_MAX):
        governed.writing(str)

    with pytest.raises(LimitedError) as raised:
        governed.writing(str)

    assert QUEUE_S_MAX < raised.value.retry_after_s <= 10.0
    assert raised.value.reason == "messages_per_minute_max"
    time.now_s += raised.value.retry_after_s
    assert governed.writing(lambda: "posted") == "posted"


def test_while_the_provider_wants_patience_nobody_calls_it() -> None:
    time = Time()
    calls: list[str] = []
    governed = governor(time)
    with pytest.raises(LimitedError):
        governed.writing(limited(30.0))

    for method in (governed.writing, governed.reading):
        with pytest.raises(LimitedError, match="30 s more") as raised:
            method(lambda: calls.append("called"))
        assert (raised.value.retry_after_s, raised.value.reason) == (30.0, "per-issue-on-write")

    assert calls == []
    time.now_s += 31.0
    assert governed.reading(lambda: "found") == "found"


def test_of_two_words_the_longer_one_holds_and_none_holds_for_ever() -> None:
    time = Time()
    governed = governor(time)

    def shorter() -> str:
        # Another call was on its way when the longer wait was asked for.
        with pytest.raises(LimitedError):
            governed.reading(limited(30.0))
        return limited(5.0)()

    with pytest.raises(LimitedError):
        governed.reading(shorter)
    time.now_s += 29.0
    with pytest.raises(LimitedError, match="1 s more"):
        governed.reading(str)
    time.now_s += 2.0
    with pytest.raises(LimitedError):
        governed.reading(limited(1e9))
    time.now_s += CLOSED_S_MAX + 1.0

    assert governed.reading(lambda: "found") == "found"


def test_threads_share_one_allowance() -> None:
    posted: list[int] = []
    refused: list[int] = []
    governed = governor(Time(), per_minute_max=1)

    def post() -> None:
        try:
            governed.writing(lambda: posted.append(1))
        except LimitedError:
            refused.append(1)

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (len(posted), len(refused)) == (BURST_MESSAGES_MAX, 20 - BURST_MESSAGES_MAX)


def test_messengers_and_trackers_keep_to_it() -> None:
    class Labels:
        def mark(self, origin: Origin, outcome: str) -> str | None:
            return f"{origin.item} {outcome}"

    governed = governor(Time())
    messenger = GovernedMessenger(RecordingMessenger(), governed)
    key = UUID(int=1)

    assert messenger.find(ORIGIN, key) is None
    assert messenger.post(ORIGIN, "text", key) == messenger.find(ORIGIN, key) == str(key)
    assert GovernedTracker(Labels(), governed).mark(ORIGIN, "fixed") == "1.2 fixed"
    with pytest.raises(LimitedError):
        governed.reading(limited(5.0))
    with pytest.raises(LimitedError):
        messenger.find(ORIGIN, key)
