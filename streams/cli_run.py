"""`bugstream up|run`: everything in one go, or single stages as processes of their own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import BugstreamError, UserError
from streams import exit_codes
from streams.cli_context import KAFKA_FOLDER, bootstrap_of, settings
from streams.config import Settings

if TYPE_CHECKING:
    from streams.supervisor import Child, ChildEvent
    from streams.wiring import Worker

PROGRAM = (sys.executable, "-P", "-m", "streams")
"""This program as a child: -P, or modules in the current folder would be taken for ours."""

STAGE_NICENESS = 5
_Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port of the gateway; 0: any free one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("up")(up)
    app.command("run")(run)


def up(ctx: typer.Context, port: _Port = None) -> None:
    """Start everything: Kafka (unless --bootstrap names yours), all stages, the HTTP gateway.

    Stays in the foreground; Ctrl-C drains and stops.

    Example: bugstream up --port 9000
    """
    from streams.broker import STOP_S_MAX
    from streams.data_folder import alone
    from streams.oversights import oversights
    from streams.signals import stop_on_signals
    from streams.supervisor import Supervisor

    conf = settings(ctx)
    if port is not None:
        conf = conf.model_copy(update={"port": port})
    # What a killed owner left behind: its stages drain, and its Kafka stops.
    leftovers_s_max = conf.drain_s_max + STOP_S_MAX
    with (
        stop_on_signals() as stop,
        alone(conf.data_path, leftovers_s_max=leftovers_s_max) as held,
        _with_kafka(_with_port(conf)) as ready,
    ):
        prepare(ready)
        for said in oversights(conf):
            typer.echo(f"Note: {said}", err=True)
        typer.echo(f"Kafka {ready.kafka}; data in {ready.data_path}; HTTP on port {ready.port}")
        started = [*children(ready), *([] if conf.kafka else [_broker(conf)])]
        supervisor = Supervisor(started, conf.data_path, conf.drain_s_max, tell, inherited=(held,))
        status = supervisor.run(stop)
    raise typer.Exit(status)


def run(
    ctx: typer.Context,
    names: Annotated[
        list[str], typer.Argument(help="Stages, or gateway, relay, projector.", show_default=False)
    ],
    port: _Port = None,
    slot: Annotated[
        int, typer.Option(min=0, help="Number of this worker among those of its stage.")
    ] = 0,
) -> None:
    """Run some stages in this process.

    Example: bugstream run fix verify --slot 1
    """
    from streams.kafka_log import KafkaLog
    from streams.signals import stop_on_signals
    from streams.wiring import Parts, worker

    conf = settings(ctx)
    if port is not None:
        conf = conf.model_copy(update={"port": port})
    with (
        stop_on_signals() as stop,
        KafkaLog(bootstrap_of(conf), conf.kafka_options) as log,
        Parts(conf, log) as parts,
    ):
        made = [(name, worker(name, parts, slot=slot)) for name in names]
        raise typer.Exit(work(made, stop))


def _with_port(conf: Settings) -> Settings:
    """Return `conf`, if its port is free. Raises `UserError` before anything was started.

    What takes it later is the gateway's trouble, which then tries again and again.
    """
    from streams.serving import listen

    listen(conf.host, conf.port).close()
    return conf


@contextmanager
def _with_kafka(conf: Settings) -> Iterator[Settings]:
    """Yield settings that name a running Kafka: the one of `conf`, else the embedded one."""
    from streams.broker import embedded_broker

    if conf.kafka:
        yield conf
        return
    broker = embedded_broker(conf.data_path / KAFKA_FOLDER)
    try:
        yield conf.model_copy(update={"kafka": broker.bootstrap})
    finally:
        broker.stop()


def _broker(conf: Settings) -> Child:
    """Return the process that starts the embedded Kafka again when it dies, and ends it last."""
    from streams.supervisor import Child

    argv = [*PROGRAM, "broker", "up", "--foreground"]
    return Child("kafka", argv, conf.for_child(()), needed_by_others=True)


def prepare(conf: Settings) -> None:
    """Make the topics and the tables. Raises `UserError` when Kafka cannot be used."""
    from schemas import topics
    from streams.kafka_log import KafkaLog

    with KafkaLog(conf.kafka or "", conf.kafka_options) as log:
        log.ensure_topics(topics.ALL)


def children(conf: Settings) -> list[Child]:
    """Return the processes of `bugstream up`, each with its own secrets only."""
    from streams.channels import pollers
    from streams.environment import git_env
    from streams.supervisor import Child
    from streams.wiring import GATEWAY, GIT_GROUPS, GROUPS, POLLERS, SECRETS_OF

    made = []
    for group, names in GROUPS.items():
        if group == POLLERS and not pollers(conf):
            continue
        env = conf.for_child((*SECRETS_OF.get(group, ()), "kafka_options"))
        if group in GIT_GROUPS:
            env = git_env() | env
        # Who delivers waits for a second at most; what was kept can wait.
        niceness = 0 if group == GATEWAY else STAGE_NICENESS
        made.append(Child(group, [*PROGRAM, "run", *names], env, niceness=niceness))
    return made


def tell(event: ChildEvent) -> None:
    """Say what happened to a child."""
    again = f"; again in {event.again_in_s:.1f} s" if event.again_in_s is not None else ""
    status = f" (status {event.status})" if event.status is not None else ""
    typer.echo(f"{event.name} [{event.pid}] {event.what}{status}{again}", err=True)


def work(workers: Sequence[tuple[str, Worker]], stop: threading.Event) -> int:
    """Run `workers`, a thread each, until `stop` or the first failure.

    Returns the exit status: a failed worker ends the process, and its restart finds out.
    """
    failures: list[tuple[str, BaseException]] = []

    def one(name: str, worker: Worker) -> None:
        try:
            worker.run(stop)
        except BaseException as error:  # noqa: BLE001  # whatever it was, the process must end
            failures.append((name, error))
        finally:
            stop.set()

    threads = [threading.Thread(target=one, args=pair, name=pair[0]) for pair in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _status(*failures[0]) if failures else exit_codes.OK


def _status(name: str, error: BaseException) -> int:
    from streams.log import FencedError, RetriableError

    if not isinstance(error, BugstreamError):
        raise error
    typer.echo(f"{name}: {error}", err=True)
    for kind, status in (
        (FencedError, exit_codes.FENCED),
        (RetriableError, exit_codes.UNREACHABLE),
        (UserError, exit_codes.MISUSED),
    ):
        if isinstance(error, kind):
            return status
    return exit_codes.FAILED
