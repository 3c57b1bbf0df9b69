"""The gateway without an inbox: it works while Kafka does, so the control is a fair one."""

from __future__ import annotations

import threading
import urllib.request

import pytest

from schemas import topics
from schemas.codec import decode
from schemas.raw import RawReceived
from streams.kafka_log import KafkaLog
from streams.log import partitions_of
from streams.prove_direct import serve


@pytest.mark.kafka
def test_it_writes_what_it_answered(kafka_bootstrap: str, unique: str) -> None:
    ports: list[int] = []
    stop, told = threading.Event(), threading.Event()

    def tell(port: int) -> None:
        ports.append(port)
        told.set()

    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics([topics.RAW["github"]])
        thread = threading.Thread(target=serve, args=(kafka_bootstrap, 9.0, stop, tell))
        thread.start()
        assert told.wait(20)
        request = urllib.request.Request(
            f"http://127.0.0.1:{ports[0]}/webhooks/github",
            data=b"{}",
            headers={"X-GitHub-Delivery": unique},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            status = answer.status
        stop.set()
        thread.join(20)
        records = list(log.read(dict.fromkeys(partitions_of(topics.RAW["github"]), 0)))

    assert status == 202
    events = [decode(record.value) for record in records]
    assert [e.delivery_id for e in events if isinstance(e, RawReceived)].count(unique) == 1
