"""The Kafka in use is asked for what will hurt later."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import doctor_kafka
from streams.config import Settings
from streams.doctor_kafka import check_kafka


def test_an_embedded_one_that_does_not_run_is_no_fault(tmp_path: Path) -> None:
    check = check_kafka(Settings(data_dir=tmp_path))

    assert check.state == "note"
    assert "bugstream up" in check.way_out


def test_ones_own_that_does_not_answer_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_kafka, "REACH_S_MAX", 0.3)

    check = check_kafka(Settings(data_dir=tmp_path, kafka="127.0.0.1:9"))

    assert check.state == "missing"
    assert "127.0.0.1:9" in check.found
    assert "--bootstrap" in check.way_out


def test_an_option_that_does_not_exist_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, kafka="127.0.0.1:9", kafka_options={"sasl.typo": "x"})

    check = check_kafka(settings)

    assert check.state == "missing"
    assert "sasl.typo" in check.found


@pytest.mark.kafka
def test_a_real_broker_is_found_with_its_age_and_retention(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    check = check_kafka(Settings(data_dir=tmp_path, kafka=kafka_bootstrap))

    assert check.state == "ok"
    assert "version 4.0 or newer, offsets kept 3650 days" in check.found


@pytest.mark.parametrize(
    ("version", "minutes", "state"),
    [
        ("3.6-IV2", 10**6, "missing"),
        ("3.7-IV4", 10**6, "ok"),
        (None, 10**6, "ok"),
        (None, 10080, "note"),
    ],
)
def test_old_brokers_and_short_memories_are_told(
    version: str | None, minutes: int, state: str
) -> None:
    values: dict[str, str | None] = {"offsets.retention.minutes": str(minutes)}
    if version:
        values["inter.broker.protocol.version"] = version

    check = doctor_kafka._judge("here", values)

    assert check.state == state
    assert bool(check.way_out) is (state != "ok")
