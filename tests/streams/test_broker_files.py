"""The broker's folder: one owner, ports that give way, one cluster for ever."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.broker_files import BrokerFolder, Remembered


@pytest.fixture
def folder(tmp_path: Path) -> BrokerFolder:
    folder = BrokerFolder(tmp_path / "kafka")
    folder.make()
    return folder


def test_a_folder_has_one_owner_and_looking_takes_nothing(folder: BrokerFolder) -> None:
    assert not folder.is_held()
    lock = folder.lock()
    assert lock is not None
    assert folder.is_held()

    assert folder.lock() is None

    os.close(lock)
    assert not folder.is_held()


def test_the_lock_lives_as_long_as_the_process_that_inherited_it(folder: BrokerFolder) -> None:
    lock = folder.lock()
    assert lock is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=(lock,)) as heir:
        os.close(lock)
        assert folder.is_held()
        heir.kill()

    assert not folder.is_held()


def test_ports_are_remembered(folder: BrokerFolder) -> None:
    first = folder.prepare(0, power_safe=False)
    folder.remember(first)

    assert folder.prepare(0, power_safe=False) == first
    assert folder.prepare(None, power_safe=False) == first
    assert first.port != first.controller_port


def test_a_taken_port_gives_way(folder: BrokerFolder) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        planned = folder.prepare(taken, power_safe=False)

    assert planned.port not in (0, taken)
    assert f"PLAINTEXT://127.0.0.1:{planned.port}," in folder.settings.read_text()


def test_nothing_listens_beyond_this_machine(folder: BrokerFolder) -> None:
    folder.prepare(0, power_safe=True)

    listeners = [
        address
        for line in folder.settings.read_text().splitlines()
        if "listeners=" in line
        for address in line.split("=", 1)[1].split(",")
    ]
    assert len(listeners) == 3
    assert all("://127.0.0.1:" in address for address in listeners)


@pytest.mark.parametrize("power_safe", [True, False])
def test_power_safe_flushes_each_record(folder: BrokerFolder, power_safe: bool) -> None:
    folder.prepare(0, power_safe=power_safe)

    assert ("log.flush.interval.messages=1" in folder.settings.read_text()) is power_safe


def test_data_of_another_cluster_is_refused(folder: BrokerFolder) -> None:
    folder.data.mkdir()
    (folder.data / "meta.properties").write_text("version=1\ncluster.id=somebody-elses\n")

    with pytest.raises(UserError, match=r"another Kafka cluster \(somebody-elses.*--data-dir"):
        folder.prepare(0, power_safe=True)


def test_memory_that_was_damaged_is_named(folder: BrokerFolder) -> None:
    (folder.path / "broker.json").write_text('{"port": 1')

    with pytest.raises(UserError, match=r"broker\.json cannot be read.*restore it"):
        folder.recall()


def test_what_is_remembered_is_recalled(folder: BrokerFolder) -> None:
    assert folder.recall() is None
    known = Remembered("cluster", 1, 2, pid=3, archive="/a")
    folder.remember(known)

    assert folder.recall() == known


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UserError, match=r"file/kafka cannot be written.*--data-dir"):
        BrokerFolder(tmp_path / "file" / "kafka").lock()
