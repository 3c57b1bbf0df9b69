"""A real Kafka: starts, survives kill -9, moves off a taken port, and leaves nothing behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from schemas.errors import UserError
from streams.broker import Broker, embedded_broker, temporary_broker

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with temporary_broker() as broker:
        yield broker


def _write(broker: Broker, topic: str, values: list[bytes]) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for made in admin.create_topics([NewTopic(topic, num_partitions=1)]).values():
        made.result()
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(10) == 0


def _read(broker: Broker, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "none"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in consumer.consume(count, timeout=10)]
    finally:
        consumer.close()


def test_only_loopback_is_listened_on(broker: Broker) -> None:
    host, port = broker.bootstrap.split(":")
    own_address = socket.gethostbyname(socket.gethostname())

    assert host == "127.0.0.1"
    if not own_address.startswith("127."):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((own_address, int(port)), timeout=2)


def test_positions_of_groups_at_rest_are_kept_for_years(broker: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (described,) = admin.describe_configs([ConfigResource(ResourceType.BROKER, "1")]).values()
    config = described.result(timeout=10)

    assert int(config["offsets.retention.minutes"].value) > 5 * 365 * 24 * 60
    assert config["auto.create.topics.enable"].value == "false"


def test_records_survive_kill_9_and_a_taken_port(broker: Broker) -> None:
    _write(broker, "kept.v1", [b"one", b"two"])
    port, cluster = int(broker.bootstrap.split(":")[1]), broker.cluster_id

    broker.kill()
    assert not broker.is_running()
    assert broker.pid is None
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        broker.start()

    assert int(broker.bootstrap.split(":")[1]) != port
    assert broker.cluster_id == cluster
    assert _read(broker, "kept.v1", 2) == [b"one", b"two"]


def test_a_second_broker_on_the_folder_is_refused_and_the_first_found(broker: Broker) -> None:
    with pytest.raises(UserError, match="already runs"):
        Broker(broker.data_dir).start()

    found = embedded_broker(broker.data_dir)

    assert (found.bootstrap, found.pid) == (broker.bootstrap, broker.pid)


def test_a_stale_state_is_not_taken_for_a_broker(tmp_path: Path) -> None:
    """Its process id may have gone to somebody else, who must not be killed."""
    from streams.broker_files import BrokerFolder, Remembered

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        folder = BrokerFolder(tmp_path)
        folder.make()
        folder.remember(Remembered("cluster", 1, 2, pid=bystander.pid))
        broker = Broker(tmp_path)

        broker.stop()
        broker.kill()

        assert not broker.is_running()
        assert bystander.poll() is None
        bystander.kill()


def test_a_folder_never_used_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bugstream broker up"):
        _ = Broker(tmp_path).bootstrap


def test_a_temporary_broker_outlives_no_owner() -> None:
    """Even one that is killed with -9 takes its broker and the folder with it."""
    code = (
        "from streams.broker import temporary_broker\n"
        "with temporary_broker() as b: print(b.bootstrap, b.data_dir, flush=True); input()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as owner:
        assert owner.stdout is not None
        bootstrap, folder = owner.stdout.readline().split(maxsplit=1)
        owner.send_signal(signal.SIGKILL)

    give_up = time.monotonic() + 20
    while Path(folder.strip()).parent.exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not Path(folder.strip()).parent.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(bootstrap.split(":")[1])), timeout=2)
