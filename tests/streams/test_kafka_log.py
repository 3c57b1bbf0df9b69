"""What only a real Kafka can show."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from schemas.errors import FatalError, UserError
from schemas.topics import Topic
from streams.broker import temporary_broker
from streams.kafka_log import KafkaLog
from streams.log import (
    Consumer,
    FencedError,
    Log,
    Record,
    RetriableError,
    TopicPartition,
    ask_until,
)
from tests.streams.logs import Recorder, poll_until, read_all, text, topic, values, write

pytestmark = pytest.mark.kafka


def test_topics_are_made_as_they_are_described(kafka_bootstrap: str, unique: str) -> None:
    names = [f"{unique}-a", f"{unique}-b"]
    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics([Topic(names[0], 90), Topic(names[1], None, compacted=True)])
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    deleted, compacted = (f.result() for f in admin.describe_configs(wanted).values())

    assert deleted["retention.ms"].value == str(90 * 24 * 3600 * 1000)
    assert deleted["cleanup.policy"].value == "delete"
    assert compacted["retention.ms"].value == "-1"
    assert compacted["cleanup.policy"].value == "compact"
    assert compacted["message.timestamp.type"].value == "LogAppendTime"


def test_what_a_killed_writer_left_open_is_ended_by_its_successor(
    kafka_bootstrap: str, unique: str
) -> None:
    program = (
        "import sys, time\n"
        "from streams.kafka_log import KafkaLog\n"
        "from streams.log import Outgoing, ask_until\n"
        "p = KafkaLog(sys.argv[1]).producer(sys.argv[2])\n"
        "ask_until(p.init, 30); p.begin(); p.produce(Outgoing(sys.argv[2], 0, None, b'dead'))\n"
        "p._producer.flush(); print('open', flush=True); time.sleep(60)\n"
    )
    with KafkaLog(kafka_bootstrap) as log:
        t = topic(log, unique)
        dead = subprocess.Popen(
            [sys.executable, "-c", program, kafka_bootstrap, unique], stdout=subprocess.PIPE
        )
        assert dead.stdout is not None
        dead.stdout.readline()
        dead.kill()
        dead.wait()
        dead.stdout.close()
        place = TopicPartition(unique, 0)
        assert log.end_offsets([place]) == {place: 0}

        successor = log.producer(unique)
        began = time.monotonic()
        ask_until(successor.init, 60)
        write(log, text(t, "alive"))
        assert values(read_all(log, t)) == ["alive"]
        assert time.monotonic() - began < 9  # Not only once the transaction's time is over.
        successor.close()


def test_a_kafka_that_does_not_answer_can_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka_log.ADMIN_S_MAX", 0.5)
    monkeypatch.setattr("streams.kafka_clients.REACH_S_MAX", 0.0)
    monkeypatch.setattr("streams.kafka_clients.CALL_S_MAX", 0.5)
    with KafkaLog("127.0.0.1:1") as log:
        made: Log = log
        producer = made.producer("x")
        with pytest.raises(RetriableError):
            producer.init()
        with pytest.raises(RetriableError):
            made.ensure_topics([Topic("t", 1)])
        with pytest.raises(RetriableError):
            made.end_offsets([TopicPartition("t", 0)])
        producer.close()


def test_a_log_that_was_there_before_kafkas_restart_can_be_asked_after_it() -> None:
    place = TopicPartition("t", 0)
    with temporary_broker() as broker, KafkaLog(broker.bootstrap) as log:
        log.ensure_topics([Topic("t", 1)])
        assert log.end_offsets([place]) == {place: 0}
        broker.kill()
        broker.start()
        began = time.monotonic()

        assert log.end_offsets([place]) == {place: 0}
        assert time.monotonic() - began < 10


def test_an_option_that_does_not_exist_is_named(kafka_bootstrap: str) -> None:
    with pytest.raises(UserError, match=r"kafka_options: .*no\.such\.option"):
        KafkaLog(kafka_bootstrap, {"no.such.option": "1"})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("away_s", [0.0, 4.0])
def test_who_was_there_before_kafka_died_goes_on_or_ends_but_never_hangs(away_s: float) -> None:
    made = Topic("before.death.v1", retention_days=1)
    with temporary_broker() as broker, KafkaLog(broker.bootstrap) as log:
        log.ensure_topics([made])
        consumer = log.consumer("group", instance="group-0")
        consumer.subscribe([made.name], Recorder(consumer))
        write(log, text(made, "before"))
        poll_until(consumer, lambda found: len(found) == 1)
        broker.kill()
        time.sleep(away_s)
        broker.start()
        with KafkaLog(broker.bootstrap) as fresh:
            write(fresh, text(made, "after"))

        # Its session may have ended meanwhile; but nobody took its place, so it may start again.
        ended = ends(consumer, lambda found: any(r.value == b"after" for r in found))
        assert not isinstance(ended, FencedError)
        consumer.close()
        assert log.committed("group", [TopicPartition(made.name, 0)]) == {}


def ends(consumer: Consumer, enough: Callable[[list[Record]], bool]) -> FatalError | None:
    """Poll until `enough`; return what it died of first, if it did."""
    try:
        poll_until(consumer, enough)
    except FatalError as error:
        return error
    return None
