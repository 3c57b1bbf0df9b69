"""What `prove --effects` kills: fix, release and notify on the long-task runner, in one process.

Release and notify are the real stages. Fix asks a scripted model; a stand-in for lifecycle, without
its decisions, leads from one stage to the next.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from connectors.blobs import FolderBlobs
from connectors.checkouts import GitCheckouts
from connectors.database import open_engine
from connectors.forge import GitForge
from connectors.ledger import SqlLedger
from connectors.webhook_messenger import WebhookMessenger
from processors import notify, release
from processors.base import Processor, Task
from processors.ports import Blobs, Clock, Done, Effect, EffectOutcome, Ledger
from schemas import topics
from schemas.bugs import FixProposed, FixReleased, FixRequested, NotifyRequested, ReleaseRequested
from schemas.errors import TransientError
from schemas.event import Event, caused_by, derived_id, human_id
from schemas.fixes import FileEdit, Proposal
from schemas.projects import Project
from streams.clock import SystemClock
from streams.environment import git_env
from streams.kafka_log import KafkaLog
from streams.long_tasks import LongTaskRunner
from streams.prove_process import stop_with_parent
from streams.runner import Runner

APP = "prove"
FILE = "bugs.txt"
TEXT = "The file that every patch adds a line to.\n"
CONCURRENCY = 3
LEASE_S = 5.0
"""Short, so that a kill costs seconds; still many times what an answer outside takes."""
RESERVE_USD_MICROS = 10_000
BUDGET_USD_MICROS = 1_000_000
MODEL_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Where everything is; handed to workers as JSON."""

    bootstrap: str
    folder: str
    git_url: str
    model_url: str
    answer_url: str
    has_ledger: bool

    @property
    def project(self) -> Project:
        """Return the one project."""
        return Project(id=APP, git_url=self.git_url, answer_url=self.answer_url)


class NoLedger:
    """The negative control: do it whenever asked, as a stage without a ledger would."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time by `clock`."""
        self._clock = clock

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        """Do it."""
        del effect, look
        done = do()
        return EffectOutcome(done.result, done.cost_usd_micros, self._clock.now(), reused=False)


def fix(blobs: Blobs, ledger: Ledger, model_url: str) -> Task:
    """Return a fix stage that takes whatever the scripted model says."""

    def handle(event: Event) -> Iterator[FixProposed]:
        if not isinstance(event, FixRequested):
            return
        question = json.dumps({"bug": str(event.bug_id)}).encode()
        effect = Effect(
            key=derived_id(event.event_id, "model.call"),
            kind="model.call",
            project=event.project,
            bug_id=event.bug_id,
            attempt=event.attempt,
            request_sha256=hashlib.sha256(question).hexdigest(),
            reserve_usd_micros=RESERVE_USD_MICROS,
            budget_usd_micros=BUDGET_USD_MICROS,
        )
        answered = ledger.perform(effect, look=lambda: None, do=lambda: _ask(model_url, question))
        edit = FileEdit(path=FILE, before=TEXT, after=TEXT + str(answered.result["line"]))
        proposal = Proposal(proposer="scripted", edits=(edit,), diff="")
        patch = blobs.put(
            proposal.model_dump_json().encode(), media_type="application/json", subject=APP
        )
        envelope = caused_by(event, "fix")
        envelope["occurred_at"] = answered.occurred_at
        yield FixProposed(
            **envelope,
            bug_id=event.bug_id,
            attempt=event.attempt,
            base_commit=event.base_commit,
            patch=patch,
            proposer=proposal.proposer,
            files=(FILE,),
            cost_usd_micros=answered.cost_usd_micros,
        )

    return Task("fix", (topics.BUGS_EVENTS,), (FixRequested,), handle, concurrency=CONCURRENCY)


def _ask(model_url: str, question: bytes) -> Done:
    request = urllib.request.Request(model_url, data=question, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=MODEL_S_MAX) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise TransientError("the model does not answer") from error
    return Done({"line": said["line"]}, cost_usd_micros=said["cost_usd_micros"])


def lead_on(event: Event) -> Iterator[Event]:
    """Yield what lifecycle would ask for next if every patch passed."""
    match event:
        case FixProposed():
            yield ReleaseRequested(
                **caused_by(event, "lifecycle"),
                bug_id=event.bug_id,
                attempt=event.attempt,
                base_commit=event.base_commit,
                patch=event.patch,
                verification=event.event_id,
                name=human_id(event.bug_id, event.occurred_at.year),
            )
        case FixReleased():
            yield NotifyRequested(
                **caused_by(event, "lifecycle"),
                bug_id=event.bug_id,
                attempt=event.attempt,
                name=human_id(event.bug_id, event.occurred_at.year),
                origin={"channel": "http", "container": APP, "item": str(event.bug_id)},  # type: ignore[arg-type]  # pydantic reads it
                outcome="fixed",
                reason=f"pushed to {event.branch}",
                branch=event.branch,
                commit=event.commit,
            )
        case _:
            return


LEAD_ON = Processor("lifecycle", (topics.BUGS_EVENTS,), lead_on)


def work(setup: Setup, slot: int) -> int:
    """Run the stages, one thread each, until our input ends or one of them does."""
    folder = Path(setup.folder)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_with_parent())
        engine = open_engine(folder / "ledger.sqlite")
        stack.callback(engine.dispose)
        ledger: Ledger = NoLedger(SystemClock())
        if setup.has_ledger:
            ledger = SqlLedger(engine, lease_s=LEASE_S)
        blobs = FolderBlobs(folder / "blobs")
        forge = GitForge(GitCheckouts(folder / "mirrors", environment=git_env()))
        messenger = WebhookMessenger(lambda _: setup.answer_url)
        tasks = (
            fix(blobs, ledger, setup.model_url),
            release.make(blobs, ledger, forge, lambda _: setup.project),
            notify.make(blobs, ledger, notify.Outlets(messenger, lambda _: True)),
        )
        log = stack.enter_context(KafkaLog(setup.bootstrap))
        runners = [
            Runner(LEAD_ON, log, app=APP, slot=slot),
            *(LongTaskRunner(task, log, app=APP, slot=slot) for task in tasks),
        ]
        failed = threading.Event()
        threads = [threading.Thread(target=_run, args=(runner, stop, failed)) for runner in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return int(failed.is_set())


def _run(runner: Runner | LongTaskRunner, stop: threading.Event, failed: threading.Event) -> None:
    try:
        runner.run(stop)
    except Exception:
        logging.getLogger(__name__).exception("a stage ended")
        failed.set()
        raise
    finally:
        stop.set()  # The process ends with the first of them; its successor finds out.


def main(setup: str, slot: str) -> int:
    """Run as a process."""
    return work(Setup(**json.loads(setup)), int(slot))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
