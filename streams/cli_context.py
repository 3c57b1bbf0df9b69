"""What commands open: settings, log, stores. One place, so that every command fails alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from schemas.errors import UserError
from streams.config import Settings, load

if TYPE_CHECKING:
    from connectors.blobs import FolderBlobs
    from connectors.inbox import Inbox
    from projections.views import Views
    from streams.log import Log

KAFKA_FOLDER = "kafka"


def settings(ctx: typer.Context) -> Settings:
    """Return the settings, read once for the whole command line."""
    root = ctx.find_root()
    if not isinstance(root.obj, Settings):
        root.obj = load(root.params.get("config"), kafka=root.params.get("bootstrap"))
    found = root.obj
    assert isinstance(found, Settings)  # noqa: S101  # narrows for the type checker
    return found


def bootstrap_of(settings: Settings) -> str:
    """Return where Kafka is. Raises `UserError` when none is set and the embedded one is down."""
    from streams.broker import Broker

    if settings.kafka:
        return settings.kafka
    broker = Broker(settings.data_path / KAFKA_FOLDER)
    if not broker.is_running():
        raise UserError(
            "Kafka is not running. Start everything with `bugstream up`, the embedded Kafka alone"
            " with `bugstream broker up`, or name your own with --bootstrap HOST:PORT."
        )
    return broker.bootstrap


@contextmanager
def open_log(settings: Settings) -> Iterator[Log]:
    """Yield the log. Raises `UserError` when there is no Kafka to connect to.

    What is retriable for a stage is final for a command: nobody tries again but who typed it.
    """
    from streams.kafka_log import KafkaLog
    from streams.log import RetriableError

    servers = bootstrap_of(settings)
    try:
        with KafkaLog(servers, settings.kafka_options) as log:
            yield log
    except RetriableError as error:
        raise UserError(
            f"Kafka at {servers} does not answer: {error}. Is it running? Is --bootstrap (or"
            " kafka, BUGSTREAM_KAFKA) its HOST:PORT, and do kafka_options fit it?"
        ) from error


@contextmanager
def open_inbox(settings: Settings) -> Iterator[Inbox]:
    """Yield the inbox."""
    from connectors.database import open_engine
    from connectors.inbox import Inbox

    engine = open_engine(settings.store_url("inbox"))
    try:
        yield Inbox(engine)
    finally:
        engine.dispose()


@contextmanager
def open_views(settings: Settings) -> Iterator[Views]:
    """Yield the query views."""
    from connectors.database import open_engine
    from projections.views import Views

    engine = open_engine(settings.store_url("views"))
    try:
        yield Views(engine)
    finally:
        engine.dispose()


def open_blobs(settings: Settings) -> FolderBlobs:
    """Return the blob store."""
    from connectors.blobs import FolderBlobs

    folder = settings.data_path / "blobs"
    try:
        return FolderBlobs(folder)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be used: {error.strerror}. Set data_dir (BUGSTREAM_DATA_DIR) to a"
            " folder that can be written."
        ) from error
