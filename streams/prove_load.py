"""`bugstream prove --load`: ten thousand webhooks at a fixed rate, with Kafka and without it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count as numbers_from
from urllib.parse import urlsplit

from processors.ports import Progress
from schemas.errors import FatalError, TransientError
from streams.broker import Broker, temporary_broker
from streams.figures import Figures, machine
from streams.prove_direct import NAME as DIRECT
from streams.prove_direct import WRITE_S_MAX
from streams.prove_outage import ANSWER_S_MAX, without_inbox
from streams.prove_webhooks import PATH, count, real_system, webhook

SENDERS = 32
"""Connections that are kept open, as a provider's are."""
ROUTE = "github/issues"
SETTLE_S_MAX = 300.0
CONTROL_WEBHOOKS_MAX = 64
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class _Phase:
    """What the senders heard in one phase. Seconds count from when a webhook was due."""

    name: str
    statuses: Sequence[int]
    took_s: Sequence[float]
    wall_s: float

    @property
    def accepted(self) -> int:
        """Return how many were answered 2xx in time."""
        return sum(200 <= status < 300 for status in self.statuses)

    def row(self, lost: int, doubled: int) -> tuple[str | int | float, ...]:
        """Return it as a row of the table."""
        took = sorted(self.took_s)
        return (
            *(self.name, len(took), round(len(took) / self.wall_s, 1), self.accepted),
            *(round(1000 * took[int(share * (len(took) - 1))], 1) for share in (0.5, 0.99, 1.0)),
            *(lost, doubled),
        )


def prove(*, webhooks: int, per_second: float, progress: Progress) -> Figures:
    """Return how `webhooks` signed deliveries are answered with Kafka up, and as many with it dead.

    Starts its own broker and processes, and ends them. Raises `FatalError` when they do not start.
    """
    few = min(webhooks, CONTROL_WEBHOOKS_MAX)
    with temporary_broker() as broker:
        with real_system(broker) as url:
            up = _send(url, "Kafka up", range(webhooks), per_second, progress)
            broker.kill()
            down = _send(url, "Kafka dead", range(webhooks, 2 * webhooks), per_second, progress)
            broker.start()
            caught_up_s = _settle(broker, 2 * webhooks, progress)
        found = count(broker, ROUTE).raw
        with without_inbox(broker, write_s=WRITE_S_MAX) as url:
            broker.kill()
            ids = range(2 * webhooks, 2 * webhooks + few)
            control = _send(url, "control: no inbox, Kafka dead", ids, per_second, progress)
            broker.start()
            seen = _seen(broker)
    phases = ((up, range(webhooks)), (down, range(webhooks, 2 * webhooks)))
    rows = []
    for phase, sent in phases:
        times = [found[webhook(number).delivery] for number in sent]
        rows.append(phase.row(times.count(0), sum(one > 1 for one in times)))
    lost_by_control = sum(webhook(number).delivery not in seen for number in ids)
    rows.append(control.row(lost_by_control, 0))
    return Figures(
        name="load",
        claim=f"{webhooks} webhooks at {per_second:g} a second are all answered 2xx and kept once,"
        " with Kafka and without it",
        measured_on=machine(),
        columns=(
            *("phase", "webhooks", "per second", "answered 2xx", "p50 ms", "p99 ms", "slowest ms"),
            *("lost", "doubled"),
        ),
        rows=rows,
        holds=all(phase.accepted == webhooks for phase in (up, down))
        and all(row[-2:] == (0, 0) for row in rows[:2]),
        control_holds=lost_by_control > 0,
        notes=(
            f"milliseconds from when a webhook was due, over {SENDERS} connections; the senders run"
            " on the same machine, and gateway, relay, normalize, dedupe and lifecycle as under"
            " `bugstream up`.",
            f"all were in Kafka {caught_up_s:.1f} s after it was started again.",
        ),
    )


def _send(url: str, name: str, ids: Sequence[int], per_second: float, progress: Progress) -> _Phase:
    """Post one webhook after the other when it is due, whether or not those before are answered."""
    # Signed beforehand: it is not the sender that is measured.
    made = [webhook(number) for number in ids]
    statuses, took_s = [0] * len(made), [ANSWER_S_MAX] * len(made)
    places = numbers_from()
    lock = threading.Lock()
    began_s = time.monotonic() + 0.5

    def mine() -> Iterator[int]:
        while True:
            with lock:
                place = next(places)
            if place >= len(made):
                return
            yield place

    def work() -> None:
        with closing(_connection(url)) as connection:
            for place in mine():
                due_s = began_s + place / per_second
                time.sleep(max(0.0, due_s - time.monotonic()))
                one = made[place]
                with suppress(OSError, http.client.HTTPException):
                    try:
                        connection.request("POST", PATH, one.body, dict(one.headers))
                        answer = connection.getresponse()
                        answer.read()
                        statuses[place] = answer.status
                    except BaseException:
                        connection.close()  # The next request opens it again.
                        raise
                took_s[place] = time.monotonic() - due_s
                if place % 100 == 0:
                    progress(place, len(made), f"webhooks sent ({name})")

    threads = [threading.Thread(target=work) for _ in range(min(SENDERS, len(made)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _Phase(name, statuses, took_s, time.monotonic() - began_s)


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S_MAX)


def _settle(broker: Broker, wanted: int, progress: Progress) -> float:
    """Wait until as many deliveries as `wanted` are in Kafka; return how long that took."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < SETTLE_S_MAX:
        # The broker has only just come back: it may even contradict itself about its leaders.
        with suppress(TransientError, FatalError):
            there = len(count(broker, ROUTE).raw)
            progress(there, wanted, "webhooks in Kafka")
            if there >= wanted:
                break
        time.sleep(_POLL_S)
    return time.monotonic() - began_s


def _seen(broker: Broker) -> set[str]:
    deadline_s = time.monotonic() + SETTLE_S_MAX
    while True:
        try:
            return set(count(broker, DIRECT).raw)
        except (TransientError, FatalError):
            if time.monotonic() > deadline_s:
                raise
            time.sleep(_POLL_S)
