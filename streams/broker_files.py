"""The folder of an embedded broker: its lock, what is remembered between runs, its settings."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import random
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from schemas.errors import UserError

HOST = "127.0.0.1"
PORT_DEFAULT = 9092
OFFSETS_RETENTION_MINUTES = 60 * 24 * 3650
"""Ten years: Kafka forgets the position of a group at rest after a week otherwise."""
# Below where the system takes ports for outgoing connections, so that none is lost to one.
_PORTS = range(20_000, 32_000)
_PORT_TRIES_MAX = 200
_LOCK_S_MAX = 1.0

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
offsets.retention.minutes={offsets_retention_minutes}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A broker killed with -9 may come back at once: nine seconds of waiting by default.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=200
"""

# On one node nobody else has the record: it must be on disk before it is acknowledged. Three times
# the time of a small transaction, and more on a slow disk.
_POWER_SAFE = "log.flush.interval.messages=1\n"

_LOGGING = """\
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName={folder}/server.log
appender.file.filePattern={folder}/server.log.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c{{1}} %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=3
rootLogger.level=warn
rootLogger.appenderRef.file.ref=file
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What outlives a run. `pid` means something only while the folder's lock is held."""

    cluster_id: str
    port: int
    controller_port: int
    pid: int = 0
    archive: str = ""
    """The class-data archive that the running JVM leaves when it ends; empty: it has one."""

    @property
    def archive_draft(self) -> str:
        """Return where it is written first: a JVM killed meanwhile leaves half a file."""
        return f"{self.archive}.{self.cluster_id}"


class BrokerFolder:
    """Paths and files of one broker. Nothing here starts or ends a process."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.data = self.path / "data"
        self.settings = self.path / "server.properties"
        self.logging = self.path / "log4j2.properties"
        self.output = self.path / "broker.out"
        self.log = self.path / "server.log"
        self._memory = self.path / "broker.json"
        self._lock = self.path / "broker.lock"

    def recall(self) -> Remembered | None:
        """Return what an earlier or the present run left; None when there was none."""
        try:
            return Remembered(**json.loads(self._memory.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{self._memory} cannot be read ({error}). If it was edited, restore it; its "
                f"cluster_id must be the one in {self.data / 'meta.properties'}."
            ) from error

    def remember(self, what: Remembered) -> None:
        """Replace what is remembered, at once and durably."""
        draft = self._memory.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(what), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._memory)

    def lock(self) -> int | None:
        """Return a file descriptor that holds the folder, or None when a broker has it.

        The broker inherits the descriptor, so the lock lives exactly as long as its process does:
        whoever started it may die, and no other process can be taken for it.
        """
        self.make()
        give_up = time.monotonic() + _LOCK_S_MAX
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Someone who only asks `is_held` has it for a moment.
                if time.monotonic() > give_up:
                    os.close(descriptor)
                    return None
                time.sleep(0.02)
            else:
                return descriptor

    def is_held(self) -> bool:
        """Return whether a broker runs on this folder, or is being started on it."""
        try:
            descriptor = os.open(self._lock, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def make(self) -> None:
        """Create the folder. Raises `UserError` when it cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.settings.touch()
        except OSError as error:
            raise UserError(
                f"The broker's folder {self.path} cannot be written: {error.strerror}. Give "
                "another one with --data-dir or BUGSTREAM_DATA_DIR."
            ) from error

    def prepare(self, port: int | None, *, power_safe: bool) -> Remembered:
        """Write the settings for the next run, with ports that are free now, and return them.

        `port` None: as last time, at first 9092; 0: as last time, at first any.
        Raises `UserError` when the data belongs to another Kafka cluster.
        """
        before = self.recall()
        found = self._cluster_of_data()
        if before is None:
            cluster_id = base64.urlsafe_b64encode(b"\x00" + uuid4().bytes[1:]).decode()[:22]
            before = Remembered(cluster_id, PORT_DEFAULT if port is None else port, 0)
        if found not in (None, before.cluster_id):
            raise UserError(
                f"{self.data} holds data of another Kafka cluster ({found}, not "
                f"{before.cluster_id}). Give another folder with --data-dir or BUGSTREAM_DATA_DIR."
            )
        first = _free_port(port or before.port)
        second = _free_port(before.controller_port, taken=first)
        now = replace(before, port=first, controller_port=second, pid=0)
        settings = _SETTINGS.format(
            host=HOST,
            port=first,
            controller_port=second,
            data=self.data,
            offsets_retention_minutes=OFFSETS_RETENTION_MINUTES,
        )
        settings += _POWER_SAFE if power_safe else ""
        self.settings.write_text(settings, encoding="utf-8")
        self.logging.write_text(_LOGGING.format(folder=self.path), encoding="utf-8")
        return now

    def is_formatted(self) -> bool:
        """Return whether the data folder has been given its cluster id."""
        return self._cluster_of_data() is not None

    def last_words(self) -> str:
        """Return the end of what the broker printed and logged, for an error message."""
        words = []
        for file in (self.output, self.log):
            if file.is_file():
                words += file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n  ".join(line[:300] for line in words[-8:])

    def _cluster_of_data(self) -> str | None:
        try:
            text = (self.data / "meta.properties").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return values.get("cluster.id", "of unknown id")


def _free_port(wanted: int, *, taken: int = 0) -> int:
    """Return `wanted` if it can be had, else some other port that is free now."""
    for _ in range(_PORT_TRIES_MAX):
        if wanted and wanted != taken and _is_free(wanted):
            return wanted
        wanted = random.choice(_PORTS)  # noqa: S311  # no secret: it only spreads processes
    raise UserError(f"No free port on {HOST} was found in {_PORT_TRIES_MAX} tries; close some.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the JVM does: ports of connections just closed count as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
