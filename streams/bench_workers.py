"""The four contenders of `bench throughput`, each a program: all do `work` on every record.

`python -m streams.bench_workers CONTENDER BOOTSTRAP GROUP` runs until it is ended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from processors.base import Processor
from schemas import topics
from schemas.bugs import CommandRefused
from schemas.codec import decode
from schemas.commands import RetryBug
from schemas.event import NAMESPACE, Actor, ActorKind, Event, caused_by
from streams.log import Outgoing, outgoing
from streams.runner import BATCH_RECORDS_MAX

SOURCE = topics.BUGS_COMMANDS
SINK = topics.BUGS_EVENTS
BATCH_WAIT_S = 0.005
"""As the stage's own consumer waits for a batch to fill."""
_NAME = "bench"


def commands(count: int) -> Iterator[RetryBug]:
    """Yield `count` commands, each about a bug of its own."""
    for number in range(count):
        event_id = uuid5(NAMESPACE, f"bench/{number}")
        yield RetryBug(
            event_id=event_id,
            project="bench",
            bug_id=uuid5(NAMESPACE, f"bench/bug/{number}"),
            actor=Actor(kind=ActorKind.PERSON, id="http:bench"),
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            correlation_id=event_id,
        )


def handle(event: Event) -> Iterator[Event]:
    """Yield the refusal of a command: little work, so that what surrounds it shows."""
    if isinstance(event, RetryBug):
        yield CommandRefused(
            **caused_by(event, _NAME), bug_id=event.bug_id, command=event.type, reason="benchmark"
        )


def work(value: bytes | None) -> list[Outgoing]:
    """Decode, handle, encode: the same calls in all four."""
    return [outgoing(event) for event in handle(decode(value))]


def run_stage(bootstrap: str, group: str) -> None:
    """Run it as any stage of ours."""
    from threading import Event as Stop

    from streams.kafka_log import KafkaLog
    from streams.runner import Runner

    stage = Processor(_NAME, (SOURCE,), handle)
    with KafkaLog(bootstrap) as log, Runner(stage, log, app=group) as runner:
        runner.run(Stop())


def run_bare(bootstrap: str, group: str) -> None:
    """Run the shortest right loop: consume, work, one transaction with the offsets. No checks."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": group,
            "linger.ms": 2,
            "compression.type": "lz4",
        }
    )
    producer.init_transactions()
    consumer.subscribe([SOURCE.name])
    while True:
        messages = consumer.consume(BATCH_RECORDS_MAX, timeout=BATCH_WAIT_S)
        if not messages:
            continue
        results = [out for message in messages for out in work(message.value())]
        ends = {m.partition(): (m.offset() or 0) + 1 for m in messages}
        producer.begin_transaction()
        for out in results:
            producer.produce(
                out.topic, out.value, out.key, out.partition, headers=list(out.headers)
            )
        producer.send_offsets_to_transaction(
            [TopicPartition(SOURCE.name, place or 0, end) for place, end in ends.items()],
            consumer.consumer_group_metadata(),
        )
        producer.commit_transaction()


def run_faust(bootstrap: str, group: str, **tuned: Any) -> None:
    """Run a faust agent as it comes, but for `tuned`; at least once is the most it can promise."""
    import faust

    app: Any = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        **tuned,
    )
    source = app.topic(SOURCE.name, value_type=bytes, value_serializer="raw", key_serializer="raw")
    sink = app.topic(SINK.name, value_serializer="raw", key_serializer="raw")

    async def agent(stream: Any) -> None:
        async for value in stream:
            for out in work(value):
                await sink.send(
                    key=out.key,
                    value=out.value,
                    partition=out.partition,
                    headers=dict(out.headers),
                )

    app.agent(source)(agent)
    app.worker_init()
    worker = faust.Worker(app, loglevel="WARNING", redirect_stdouts=False)
    worker.execute_from_commandline()


def run_faust_tuned(bootstrap: str, group: str) -> None:
    """Run it with the others' time to fill a batch, and with more room than it takes by itself."""
    run_faust(
        bootstrap,
        group,
        producer_linger=0.002,
        stream_buffer_maxsize=16_384,
        broker_max_poll_records=BATCH_RECORDS_MAX,
    )


CONTENDERS: dict[str, Callable[[str, str], None]] = {
    "stage": run_stage,
    "bare": run_bare,
    "faust": run_faust,
    "faust-tuned": run_faust_tuned,
}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](sys.argv[2], sys.argv[3])
