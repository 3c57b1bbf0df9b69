"""`bugstream dead-letters` at a terminal, on a real Kafka."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas import topics
from schemas.errors import UserError
from streams.cli_dead_letters import register
from streams.failures import ERROR_CLASS, ERROR_TEXT, OFFSET, PARTITION, TOPIC
from streams.kafka_log import KafkaLog
from streams.log import Outgoing
from tests.streams.logs import write
from tests.streams.stages import request, source_record

pytestmark = pytest.mark.kafka
STAGE = "release"
"""No other test on the shared broker has dead letters of this stage."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, kafka_bootstrap: str) -> typer.Typer:
    monkeypatch.setenv("BUGSTREAM_KAFKA", kafka_bootstrap)
    made = typer.Typer()
    register(made)
    made.command("other")(lambda: None)
    return made


def _run(app: typer.Typer, *words: str) -> str:
    result = CliRunner().invoke(app, ["dead-letters", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _json(app: typer.Typer, *words: str) -> Any:
    return json.loads(_run(app, *words, "--json"))


def _letter(n: int, text: str) -> Outgoing:
    made = source_record(request(n))
    why = {TOPIC: "t", PARTITION: "0", OFFSET: str(n), ERROR_CLASS: "PoisonError", ERROR_TEXT: text}
    headers = tuple((name, value.encode()) for name, value in why.items())
    return Outgoing(topics.dead_letters(STAGE).name, 0, made.key, made.value, headers)


def test_from_an_empty_list_to_decisions_and_back(app: typer.Typer, kafka_bootstrap: str) -> None:
    assert "No open dead letters of release" in _run(app, "list", "--stage", STAGE)
    assert _json(app, "list", "--stage", STAGE) == []
    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics(topics.ALL)
        write(log, *(_letter(n, "\x1b[31mbad [red]x") for n in range(4)))

    first, second, third, fourth = [one["id"] for one in _json(app, "list", "--stage", STAGE)]
    listed = _run(app, "list", "--stage", STAGE)
    assert "\x1b[31m" not in listed
    assert "PoisonError" in listed
    shown = _json(app, "show", first)
    assert shown["value"]["type"] == "locate.requested"
    assert shown["origin"] == "t/0/0"
    assert "\x1b" not in _run(app, "show", first)

    assert f"Requeued 1: {first}" in _run(app, "requeue", first)
    assert _json(app, "discard", second, "--reason", "an old one") == [second]
    assert _json(app, "requeue", "--stage", STAGE, "--all") == [third, fourth]
    assert "Nothing to do" in _run(app, "requeue", "--stage", STAGE, "--all")
    assert "an old" in _run(app, "list", "--stage", STAGE, "--decided")
    verbs = [one["decision"]["verb"] for one in _json(app, "list", "--stage", STAGE, "--decided")]
    assert verbs == ["requeued", "discarded", "requeued", "requeued"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--stage", "nowhere"], "--stage nowhere: the stages are"),
        (["show", "release/0/999"], "there is no dead letter"),
        (["requeue"], "name the letters"),
        (["requeue", "--all"], "name the letters"),
        (["requeue", "release/0/0", "--stage", "release"], "name the letters"),
        (["discard", "release/0/0", "--reason", ""], "--reason"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    app: typer.Typer, words: list[str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        _run(app, *words)


def test_discarding_without_a_reason_is_a_usage_error(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["dead-letters", "discard", "release/0/0"])

    assert result.exit_code == 2
    assert "--reason" in result.output
