"""The commands about bugs as they are typed, and a deployment that knows some: for their tests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import typer
from typer.testing import CliRunner

from connectors.blobs import FolderBlobs
from connectors.database import open_engine
from schemas import bugs
from schemas.event import BugScoped
from schemas.reports import BugReport
from schemas.topics import BUGS_EVENTS
from streams import cli_known
from streams.config import Settings
from streams.lives import lives
from streams.log import outgoing
from streams.memory_log import MemoryLog
from streams.projector import build
from tests.projections.given import fact, link

LIVES = list(lives(seed=5, count=6))
OLDER, NEWER = UUID(int=0xA << 124), UUID(int=0xB << 124)
RUNNER = CliRunner()


def run(conf: Settings, *words: str) -> Any:
    """Run the commands as they are typed; what goes wrong comes out as it was raised."""
    app = typer.Typer()
    app.callback()(lambda: None)
    cli_known.register(app)
    result = RUNNER.invoke(app, list(words), obj=conf, env={"COLUMNS": "160"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fill(conf: Settings, events: list[BugScoped]) -> None:
    log = MemoryLog()
    log.ensure_topics([BUGS_EVENTS])
    producer = log.producer("test")
    producer.init()
    producer.begin()
    for event in events:
        producer.produce(outgoing(event))
    producer.commit()
    engine = open_engine(conf.store_url("views"))
    build(log, engine)
    engine.dispose()


def opened(conf: Settings, title: str, bug_id: UUID = OLDER) -> bugs.BugOpened:
    report = BugReport(report_id=link("1").report_id, origin=link("1").origin, title=title)
    blob = FolderBlobs(conf.data_path / "blobs").put(
        report.model_dump_json().encode(), media_type="application/json", subject="someone"
    )
    made: bugs.BugOpened = fact(
        bugs.BugOpened, bug_id=bug_id, report=link("1").model_copy(update={"report_blob": blob})
    )
    return made
