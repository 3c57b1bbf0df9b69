"""`bugstream prove --relay`: inbox to Kafka exactly once, while everything is being killed."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from connectors.inbox import Inbox
from processors.ports import Progress
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.raw import RawReceived
from streams.broker import Broker, temporary_broker
from streams.exit_codes import FENCED
from streams.figures import Figures, machine
from streams.kafka_log import KafkaLog
from streams.log import Log, partitions_of
from streams.prove_process import ChildProcess

RECEIVERS = ("a", "b")
BROKER_DOWN_S = 5.0
STALLED_S_MAX = 120.0
CONTROL_KILLS = 5
"""However few the proof has: one kill may by chance hit no relay between its two writes."""
KILL_RECEIVER_SHARE = 0.3
KILL_DELAY_S_MAX = 0.5
TWO_RELAYS_EVERY_KILLS = 4
_POLL_S = 0.02
_TOPIC = topics.RAW["http"]


@dataclass(slots=True)
class Outcome:
    """What one run came to."""

    name: str
    rows: int = 0
    records: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    kills: int = 0
    fenced: int = 0
    broker_kills: int = 0
    broker_down_s: float = 0.0
    stall_s: float = 0.0
    wall_s: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Return whether records are rows, each once, in order per key."""
        return self.lost == self.doubled == self.disordered == 0 and self.rows == self.records > 0


def prove(*, kills: int, rows: int, progress: Progress) -> Figures:
    """Return what became of at least `rows` rows under `kills` kills, and of a control.

    Starts its own broker and ends it. Raises `FatalError` when nothing moves any more.
    """
    with temporary_broker() as broker:
        proof = _Run(broker, "proof", rows=rows, kills=kills, progress=progress).go()
        run = _Run(broker, "control", rows=1, kills=CONTROL_KILLS, progress=progress)
        control = run.go(is_control=True)
    return Figures(
        name="relay",
        claim="Every row of the inbox is in Kafka exactly once and in order per key",
        measured_on=machine(),
        columns=(
            *("run", "rows", "records", "lost", "doubled", "disordered", "kills", "fenced"),
            *("broker kills", "broker down s", "longest stall s"),
        ),
        rows=[_row(proof), _row(control)],
        holds=proof.is_exact and proof.kills >= kills,
        control_holds=control.doubled + control.lost > 0,
        detail={"seconds": proof.wall_s + control.wall_s},
        notes=(
            "proof: position in the transaction of the records; two relays at once at the start"
            " and after every fourth kill; the broker is killed in the middle.",
            "control: the same relay with its position in a file, written after the transaction.",
        ),
    )


def _row(found: Outcome) -> tuple[str | int | float, ...]:
    return (
        *(found.name, found.rows, found.records, found.lost, found.doubled, found.disordered),
        *(found.kills, found.fenced, found.broker_kills, found.broker_down_s, found.stall_s),
    )


class _Moved:
    """Sees to it that a wait for progress has an end."""

    def __init__(self) -> None:
        self._last: object = None
        self._at_s = time.monotonic()

    def check(self, now: object, what: str) -> None:
        """Raise `FatalError` when `now` has stayed the same for too long."""
        if now != self._last:
            self._last, self._at_s = now, time.monotonic()
        if time.monotonic() - self._at_s > STALLED_S_MAX:
            raise FatalError(f"nothing moves for {STALLED_S_MAX:.0f} s: {what}")


class _Run:
    """One run: receivers write, relays send, and both are killed as the rows come in."""

    def __init__(
        self, broker: Broker, name: str, *, rows: int, kills: int, progress: Progress
    ) -> None:
        self._broker = broker
        self._rows = rows
        self._kills = kills
        self._progress = progress
        # Only a killed relay can show the control's fault.
        self._receiver_share = 0.0 if name == "control" else KILL_RECEIVER_SHARE
        self._random = Random(kills * 1_000_003 + rows)  # noqa: S311  # who dies is no secret
        self._receivers: dict[str, ChildProcess] = {}
        self._told = dict.fromkeys(RECEIVERS, 0)
        self._relays: list[ChildProcess] = []
        self._relay_arguments: tuple[str, ...] = ()
        self.outcome = Outcome(name)

    def go(self, *, is_control: bool = False) -> Outcome:
        """Run to the end, and count."""
        started_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bugstream-prove-") as folder:
            path = Path(folder) / "inbox.sqlite"
            position = (str(Path(folder) / "position"),) if is_control else ()
            self._relay_arguments = (str(path), self._broker.bootstrap, *position)
            inbox = Inbox.open(path)
            try:
                with KafkaLog(self._broker.bootstrap) as log:
                    log.ensure_topics([_TOPIC])
                self._write_and_kill(path, with_broker=not is_control)
                self._wait_until_sent(inbox)
            finally:
                self._end()
                inbox.close()
        with KafkaLog(self._broker.bootstrap) as log:
            _count(log, self._told, self.outcome)
        self.outcome.wall_s = time.monotonic() - started_s
        return self.outcome

    def _write_and_kill(self, path: Path, *, with_broker: bool) -> None:
        for name in RECEIVERS:
            self._start_receiver(path, name)
        self._relays = [self._relay(), self._relay()]
        moved = _Moved()
        while self._written() < self._rows or self.outcome.kills < self._kills:
            written = self._written()
            moved.check((written, self.outcome.kills), f"{written} rows written")
            self._progress(
                min(written * self._kills, self._rows * self.outcome.kills),
                self._rows * self._kills,
                f"{self.outcome.name}: {written} rows, {self.outcome.kills} kills",
            )
            if self._is_due(written):
                self._kill_one(path)
            if with_broker and not self.outcome.broker_kills and self._is_half(written):
                self._kill_broker()
            self._keep_one_relay()
            time.sleep(self._random.uniform(0, 2 * _POLL_S))
        for child in self._receivers.values():
            child.first_number(STALLED_S_MAX)  # A row that its predecessor kept and did not tell.
            child.stop()
        self._written()

    def _wait_until_sent(self, inbox: Inbox) -> None:
        moved = _Moved()
        while waiting := inbox.waiting():
            moved.check(waiting, f"{waiting} rows still wait")
            self._progress(1, 1, f"{self.outcome.name}: {waiting} rows wait")
            self._keep_one_relay()
            time.sleep(_POLL_S)

    def _is_due(self, written: int) -> bool:
        """Return whether it is time for a kill: spread over the rows, and never of idle relays."""
        spread = written >= self._rows * self.outcome.kills / self._kills
        return self.outcome.kills < self._kills and spread and self._active() is not None

    def _is_half(self, written: int) -> bool:
        return 2 * written >= self._rows and 2 * self.outcome.kills >= self._kills

    def _active(self) -> ChildProcess | None:
        return next((one for one in self._relays if one.done and one.exit_code is None), None)

    def _kill_one(self, path: Path) -> None:
        time.sleep(self._random.uniform(0, KILL_DELAY_S_MAX))
        active = self._active()
        if active is None or self._random.random() < self._receiver_share:
            name = self._random.choice(RECEIVERS)
            self._receivers[name].kill()
            self._written()
            self._start_receiver(path, name)
        else:
            active.kill()
            self._relays.remove(active)
            self._relays.append(self._relay())
        self.outcome.kills += 1
        if self.outcome.kills % TWO_RELAYS_EVERY_KILLS == 0:
            self._relays.append(self._relay())

    def _kill_broker(self) -> None:
        started_s = time.monotonic()
        self._broker.kill()
        time.sleep(BROKER_DOWN_S)
        self._broker.start()
        self.outcome.broker_kills += 1
        self.outcome.broker_down_s = time.monotonic() - started_s

    def _keep_one_relay(self) -> None:
        """Start a relay again as the supervisor would: not one that was fenced by another."""
        for one in list(self._relays):
            if one.exit_code is None:
                continue
            one.stop()
            self._relays.remove(one)
            self.outcome.fenced += one.exit_code == FENCED
            if one.exit_code != FENCED or not self._relays:
                self._relays.append(self._relay())

    def _written(self) -> int:
        for name, child in self._receivers.items():
            self._told[name] = max(self._told[name], child.done)
        return sum(self._told.values())

    def _start_receiver(self, path: Path, name: str) -> None:
        number = str(self._told[name])
        self._receivers[name] = _child("receive", str(path), self.outcome.name, name, number)

    def _relay(self) -> ChildProcess:
        return _child("relay", *self._relay_arguments)

    def _end(self) -> None:
        for child in (*self._receivers.values(), *self._relays):
            child.stop()


def _child(*arguments: str) -> ChildProcess:
    return ChildProcess("streams.prove_children", *arguments)


def _count(log: Log, written: Mapping[str, int], outcome: Outcome) -> None:
    """Compare what lies in the topic with what was written."""
    seen: Counter[str] = Counter()
    newest: dict[bytes | None, int] = {}
    times = []
    for record in log.read(dict.fromkeys(partitions_of(_TOPIC), 0)):
        event = decode(record.value)
        if not isinstance(event, RawReceived) or event.origin.container != outcome.name:
            continue  # Of a control that ran before on this broker.
        number = int(event.delivery_id.rpartition("-")[2])
        if number <= newest.get(record.key, -1) and not seen[event.delivery_id]:
            outcome.disordered += 1
        newest[record.key] = max(number, newest.get(record.key, -1))
        seen[event.delivery_id] += 1
        times.append(record.timestamp_ms)
    times.sort()
    expected = {f"{name}-{n}" for name, rows in written.items() for n in range(rows)}
    outcome.rows = len(expected)
    outcome.records = sum(seen.values())
    outcome.lost = len(expected - seen.keys())
    outcome.doubled = sum(count - 1 for count in seen.values())
    outcome.stall_s = max((b - a for a, b in pairwise(times)), default=0) / 1000
