"""`bugstream prove --outage`: webhooks while Kafka is dead, over real HTTP into the real system."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from processors.ports import Progress
from schemas.errors import FatalError, TransientError
from streams.broker import Broker, temporary_broker
from streams.figures import Figures, machine
from streams.prove_direct import NAME as DIRECT
from streams.prove_direct import WRITE_S_MAX
from streams.prove_process import ChildProcess
from streams.prove_webhooks import PATH, Counted, address, count, real_system, webhook

ANSWER_S_MAX = 10.0
"""What GitHub waits for; a later answer is none."""
SENDERS = 8
REDELIVERED_EVERY = 10
SETTLE_S_MAX = 240.0
LATE_S = 3.0
CONTROL_WEBHOOKS_MAX = 40
CONTROL_OUTAGE_S_MAX = 15.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a sender heard; status 0: nothing in time."""

    delivery: str
    status: int
    took_s: float


def prove(*, webhooks: int, outage_s: float, progress: Progress) -> Figures:
    """Return what became of `webhooks` signed deliveries that arrive while the broker is dead.

    Starts its own broker and processes, and ends them. Raises `FatalError` when they do not start.
    """
    with temporary_broker() as broker:
        with real_system(broker) as url:
            proof = _run(broker, url, "proof", webhooks, outage_s, progress)
        few = min(webhooks, CONTROL_WEBHOOKS_MAX)
        short_s = min(outage_s, CONTROL_OUTAGE_S_MAX)
        with without_inbox(broker, write_s=min(short_s, WRITE_S_MAX)) as url:
            control = _run(broker, url, "control", few, short_s, progress)
    return Figures(
        name="outage",
        claim="Webhooks that arrive while Kafka is dead are all answered 2xx and processed once",
        measured_on=machine(),
        columns=(
            *("run", "webhooks", "requests", "answered 2xx", "median s", "slowest s", "lost"),
            *("raw records", "normalized", "broker dead s", "caught up after s"),
        ),
        rows=[proof.row, control.row],
        holds=proof.is_exact,
        control_holds=control.lost > 0 or control.accepted < control.requests,
        notes=(
            f"every {REDELIVERED_EVERY}th webhook is delivered twice; gateway, relay, normalize,"
            " dedupe and lifecycle run as under `bugstream up`.",
            f"control: no inbox; the webhook is written to Kafka before the answer, which comes"
            f" within {ANSWER_S_MAX:.0f} s or not at all. GitHub does not send again.",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one run came to."""

    name: str
    webhooks: int
    requests: int
    accepted: int
    median_s: float
    slowest_s: float
    found: Counted
    lost: int
    outage_s: float
    settled_s: float

    @property
    def is_exact(self) -> bool:
        """Return whether all were answered in time, and each is there once at both places."""
        once = Counter(dict.fromkeys(self.found.raw, 1)) == self.found.raw
        processed = len(self.found.normalized) == self.found.normalized.total() == self.webhooks
        return self.accepted == self.requests and not self.lost and once and processed

    @property
    def row(self) -> tuple[str | int | float, ...]:
        """Return it as a row of the table."""
        return (
            *(self.name, self.webhooks, self.requests, self.accepted, self.median_s),
            *(self.slowest_s, self.lost, self.found.raw.total(), self.found.normalized.total()),
            *(self.outage_s, self.settled_s),
        )


def _run(
    broker: Broker, url: str, name: str, webhooks: int, outage_s: float, progress: Progress
) -> _Outcome:
    answers = _send_during_outage(broker, url, webhooks, outage_s, progress)
    wanted = {answer.delivery for answer in answers}
    found, settled_s = _settled(broker, wanted, progress, is_control=name == "control")
    took = sorted(answer.took_s for answer in answers)
    return _Outcome(
        name=name,
        webhooks=webhooks,
        requests=len(answers),
        accepted=sum(200 <= answer.status < 300 for answer in answers),
        median_s=took[len(took) // 2],
        slowest_s=took[-1],
        found=found,
        lost=len(wanted - found.raw.keys()),
        outage_s=outage_s,
        settled_s=settled_s,
    )


@contextmanager
def without_inbox(broker: Broker, *, write_s: float) -> Iterator[str]:
    """Yield the address of the negative control: a gateway that writes to Kafka itself."""
    child = ChildProcess("streams.prove_children", "direct", broker.bootstrap, str(write_s))
    try:
        yield address(lambda: f"http://127.0.0.1:{child.done}" if child.done else None)
    finally:
        child.stop()


def _send_during_outage(
    broker: Broker, url: str, webhooks: int, outage_s: float, progress: Progress
) -> list[_Answer]:
    """Kill the broker, deliver while it is dead, and start it again after `outage_s`."""
    numbers = [n for n in range(webhooks) for _ in range(2 if n % REDELIVERED_EVERY == 0 else 1)]
    broker.kill()
    killed_s = time.monotonic()
    done = 0

    def send(place: int) -> _Answer:
        nonlocal done
        # Spread over the first nine tenths, so that the last one still meets a dead broker.
        due_s = killed_s + 0.9 * outage_s * place / len(numbers)
        time.sleep(max(0.0, due_s - time.monotonic()))
        answer = _post(url, numbers[place])
        done += 1
        progress(done, len(numbers), "webhooks sent while Kafka is dead")
        return answer

    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(send, range(len(numbers))))
    time.sleep(max(0.0, killed_s + outage_s - time.monotonic()))
    broker.start()
    return answers


def _post(url: str, number: int) -> _Answer:
    made = webhook(number)
    request = urllib.request.Request(f"{url}{PATH}", data=made.body, headers=made.headers)  # noqa: S310
    began_s = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S_MAX) as answer:  # noqa: S310
            status = answer.status
    except urllib.error.HTTPError as error:
        error.close()
        status = error.code
    except (OSError, http.client.HTTPException):
        status = 0
    return _Answer(made.delivery, status, time.monotonic() - began_s)


def _settled(
    broker: Broker, wanted: set[str], progress: Progress, *, is_control: bool
) -> tuple[Counted, float]:
    """Count until everything is there, or until it is clear that it will not come."""
    began_s = time.monotonic()
    route = DIRECT if is_control else "github/issues"
    settle_s = 0.0 if is_control else SETTLE_S_MAX
    while True:
        # The broker has only just come back: it may even contradict itself about its leaders.
        with suppress(TransientError, FatalError):
            found = count(broker, route)
            progress(found.normalized.total(), len(wanted), "webhooks processed")
            if found.raw.keys() >= wanted and len(found.normalized) >= len(wanted):
                break
        if time.monotonic() - began_s > settle_s + LATE_S:
            break
        time.sleep(_POLL_S)
    # A doubled record may come late: give it the time to.
    time.sleep(LATE_S)
    return count(broker, route), time.monotonic() - began_s - LATE_S
