"""One real broker for all tests that need it, the log port on both back ends, an inbox, blobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.broker import temporary_broker
from streams.kafka_log import KafkaLog
from streams.log import Log
from streams.memory_log import MemoryLog


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """Yield the address of one broker for the whole session; names in it must be unique."""
    with temporary_broker() as broker:
        yield broker.bootstrap


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """Yield a log on each back end."""
    if request.param == "memory":
        with MemoryLog() as memory:
            yield memory
    else:
        with KafkaLog(request.getfixturevalue("kafka_bootstrap")) as kafka:
            yield kafka


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """Yield an empty inbox on the disk."""
    opened = Inbox.open(tmp_path / "inbox.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def blobs() -> MemoryBlobs:
    """Return an empty store."""
    return MemoryBlobs()


@pytest.fixture
def unique() -> str:
    """Return a name that no other test uses."""
    return uuid4().hex[:12]
