"""A real Apache Kafka of one's own: one KRaft node on loopback, started and ended from here."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from schemas.errors import FatalError, TransientError, UserError
from streams.broker_files import HOST, BrokerFolder, Remembered
from streams.environment import base_env, cache_dir
from streams.java import Java, find_java
from streams.kafka_jars import ensure_jars

START_S_MAX = 60.0
STOP_S_MAX = 30.0
_START_TRIES_MAX = 3
_FORMAT_S_MAX = 60
_POLL_S = 0.02
_ASK_S = 0.3
_JVM = (
    *("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    # Out of memory, a broker that lives on half would be worse than one that ends.
    *("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"),
    *("-Xlog:disable", "-Xlog:all=error:stderr"),
)
_ADDRESS_IN_USE = "Address already in use"

_quiet = logging.getLogger("bugstream.broker.probe")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class Broker:
    """One broker on one folder. Any process may look at it and end it; only one can run on it."""

    def __init__(self, folder: Path, *, port: int | None = None, power_safe: bool = True) -> None:
        """Look at `folder`; nothing is started.

        `port` None: as last time, at first 9092; 0: as last time, at first any. One that is taken
        gives way to another. `power_safe`: records survive a power failure, not only kill -9.
        """
        self.data_dir = folder.absolute()
        self._folder = BrokerFolder(folder)
        self._port = port
        self._power_safe = power_safe
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Return `host:port`. Raises `UserError` when no broker was ever started here."""
        return f"{HOST}:{self._known().port}"

    @property
    def cluster_id(self) -> str:
        """Return the id of the cluster that this folder holds."""
        return self._known().cluster_id

    @property
    def pid(self) -> int | None:
        """Return the id of the running broker process; None when none runs."""
        return self._known().pid or None if self.is_running() else None

    def is_running(self) -> bool:
        """Return whether a broker process runs on the folder, whoever started it."""
        if self._process is not None:
            self._process.poll()  # Reaps it, should it have died.
        return self._folder.is_held()

    @property
    def leaves_archive(self) -> bool:
        """Return whether an orderly end of this run will make later starts faster."""
        return bool(self._known().archive)

    def start(self, *, start_s_max: float = START_S_MAX) -> None:
        """Start the broker, and return when it answers.

        Raises `UserError` for what a person can mend (no Java, no jars, folder not usable, already
        running) and `FatalError` with the broker's last words when it does not come up.
        """
        java, jars = find_java(), ensure_jars()
        for attempt in range(1, _START_TRIES_MAX + 1):
            lock = self._folder.lock()
            if lock is None:
                raise UserError(f"A broker already runs on {self.data_dir}.")
            try:
                self._launch(java, jars, lock)
            finally:
                os.close(lock)
            try:
                self._wait_until_ready(start_s_max)
            except BaseException as error:
                self.kill()
                # Between asking for a free port and taking it, another may have taken it.
                if _ADDRESS_IN_USE not in str(error) or attempt == _START_TRIES_MAX:
                    raise
            else:
                return

    def stop(self, *, stop_s_max: float = STOP_S_MAX) -> None:
        """Ask the broker to end, wait, and kill it when it takes longer. Harmless when none runs.

        The first orderly end with a given Java also writes the class-data archive (some 2 s).
        """
        if not self._signal(signal.SIGTERM):
            return
        if self._wait_until_gone(stop_s_max):
            self._keep_archive()
        else:
            self.kill()

    def kill(self) -> None:
        """End the broker with -9, as a crash would. Harmless when none runs."""
        if self._signal(signal.SIGKILL) and not self._wait_until_gone(STOP_S_MAX):
            raise FatalError(f"The broker on {self.data_dir} does not die.")

    def wait(self) -> int:
        """Wait until the broker that this object started ends, and return its exit status."""
        return self._process.wait() if self._process is not None else 0

    def _known(self) -> Remembered:
        known = self._folder.recall()
        if known is None:
            raise UserError(
                f"No broker was started on {self.data_dir} yet: `bugstream broker up` does."
            )
        return known

    def _launch(self, java: Java, jars: tuple[Path, ...], lock: int) -> None:
        planned = self._folder.prepare(self._port, power_safe=self._power_safe)
        archive = _archive_for(java, jars)
        jvm = [str(java.path), *_JVM, f"-Dlog4j2.configurationFile={self._folder.logging}"]
        jvm += ["-cp", os.pathsep.join(str(jar) for jar in jars)]
        if archive.is_file():
            jvm += [f"-XX:SharedArchiveFile={archive}"]
        if not self._folder.is_formatted():
            self._format(jvm, planned.cluster_id)
        if not archive.is_file():
            planned = replace(planned, archive=str(archive))
            jvm += [f"-XX:ArchiveClassesAtExit={planned.archive_draft}"]
        with self._folder.output.open("wb") as output:
            self._process = subprocess.Popen(
                [*jvm, "kafka.Kafka", str(self._folder.settings)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.data_dir,
                env=base_env(),
                pass_fds=(lock,),
                # Ctrl-C in the terminal is for those who use the broker; they end it last.
                start_new_session=True,
            )
        self._folder.remember(replace(planned, pid=self._process.pid))

    def _format(self, jvm: list[str], cluster_id: str) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster_id]
        done = subprocess.run(
            [*jvm, *tool, "-c", str(self._folder.settings)],
            capture_output=True,
            text=True,
            env=base_env(),
            timeout=_FORMAT_S_MAX,
            check=False,
        )
        if done.returncode != 0:
            raise FatalError(
                f"Kafka could not prepare {self._folder.data}:\n  {done.stderr[-2000:]}"
            )

    def _wait_until_ready(self, start_s_max: float) -> None:
        known = self._known()
        client = AdminClient(_probe(f"{HOST}:{known.port}"), logger=_quiet)
        give_up = time.monotonic() + start_s_max
        while not _answers(client, known.cluster_id):
            if self._process is not None and self._process.poll() is not None:
                problem = "ended while starting"
            elif time.monotonic() > give_up:
                problem = f"did not answer within {start_s_max:.0f} s"
            else:
                time.sleep(_POLL_S)
                continue
            words = self._folder.last_words()
            raise FatalError(f"The broker on {self.data_dir} {problem}:\n  {words}")

    def _signal(self, number: signal.Signals) -> bool:
        """Return whether there was a broker to send it to."""
        if not self.is_running():
            return False
        pid = self._known().pid
        if pid == 0:
            raise TransientError(f"A broker is being started on {self.data_dir}; try again.")
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def _wait_until_gone(self, s_max: float) -> bool:
        give_up = time.monotonic() + s_max
        while self.is_running():
            if time.monotonic() > give_up:
                return False
            time.sleep(_POLL_S)
        if self._process is not None:
            self._process.wait()
        return True

    def _keep_archive(self) -> None:
        known = self._known()
        if known.archive and Path(known.archive_draft).is_file():
            Path(known.archive_draft).replace(known.archive)


def embedded_broker(data_dir: Path, *, port: int | None = None) -> Broker:
    """Return the broker of `data_dir`, running: the one that runs there already, else started.

    A `port` that is taken gives way to another; `Broker.bootstrap` tells which.
    """
    broker = Broker(data_dir, port=port)
    if not broker.is_running():
        broker.start()
    return broker


@contextmanager
def temporary_broker(*, port: int = 0) -> Iterator[Broker]:
    """Yield a running broker on a new folder and a free port; it is gone without trace after.

    Gone even when this process is killed: a guard process sees to it. Its data survives `kill` and
    `start`, as any Kafka's, but not a power failure.
    """
    with tempfile.TemporaryDirectory(prefix="bugstream-kafka-") as folder:
        broker = Broker(Path(folder) / "kafka", port=port, power_safe=False)
        with _guard(Path(folder)):
            try:
                broker.start()
                yield broker
                if broker.leaves_archive:
                    broker.stop()
            finally:
                broker.kill()


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Have `folder` and its broker removed if this process ends before the block does."""
    guard = [sys.executable, "-m", "streams.broker_guard", str(folder)]
    env = base_env() | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen(guard, stdin=subprocess.PIPE, env=env, start_new_session=True) as process:
        try:
            yield
        finally:
            # The end of its input would mean that this process died.
            process.kill()


def _probe(bootstrap: str) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": bootstrap,
        "socket.timeout.ms": 2000,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 100,
    }


def _answers(client: AdminClient, cluster_id: str) -> bool:
    """Return whether a broker of this very cluster answers, for each partition that it has."""
    try:
        cluster = client.list_topics(timeout=_ASK_S)
        if not cluster.brokers or cluster.cluster_id != cluster_id:
            return False
        # For a moment after a restart it names itself leader before it acts as one.
        ends = {
            TopicPartition(name, number): OffsetSpec.latest()
            for name, topic in cluster.topics.items()
            for number in topic.partitions
        }
        for end in client.list_offsets(ends, request_timeout=_ASK_S).values() if ends else ():
            end.result()
    except KafkaException:
        return False
    return True


def _archive_for(java: Java, jars: tuple[Path, ...]) -> Path:
    """Return where the class-data archive of this Java and these very files belongs."""
    files = [(str(jar), jar.stat().st_mtime_ns, jar.stat().st_size) for jar in jars]
    key = hashlib.sha256(repr((java.path, java.banner, _JVM, files)).encode()).hexdigest()[:16]
    folder = cache_dir() / "kafka-cds"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{key}.jsa"
