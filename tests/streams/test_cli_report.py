"""`bugstream report`, as typed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import uvicorn
from typer.testing import CliRunner, Result

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from schemas.codec import decode
from schemas.errors import TransientError, UserError
from schemas.event import subject_id
from schemas.raw import RawReceived
from streams.cli_report import REPORT_BYTES_MAX, as_bug, read_report, register
from streams.config import Settings
from streams.environment import account
from streams.gateway import create_app

SETTINGS = """
[[project]]
id = "shop"
"""


def run(folder: Path, *arguments: str, text: str | None = None) -> Result:
    (folder / "bugstream.toml").write_text(SETTINGS)
    app = typer.Typer()

    @app.callback()
    def options(ctx: typer.Context) -> None:
        from streams.config import load

        ctx.find_root().obj = load(
            folder / "bugstream.toml", data_dir=folder / "data", api_tokens=("t0ken",)
        )

    register(app)
    return CliRunner().invoke(app, arguments, input=text, catch_exceptions=False)


def rows(folder: Path) -> list[RawReceived]:
    inbox = Inbox.open(Settings(data_dir=folder / "data").store_url("inbox"))
    inbox.number(100)
    events = [decode(row.event) for row in inbox.numbered(1, 100)]
    inbox.close()
    return [event for event in events if isinstance(event, RawReceived)]


def test_a_text_is_kept_with_its_first_line_as_title(tmp_path: Path) -> None:
    file = tmp_path / "bug.md"
    file.write_text("\n# Total is wrong\n\nIt says 3.\n")
    result = run(tmp_path, "report", str(file), "--json")
    (event,) = rows(tmp_path)

    assert result.exit_code == 0
    assert json.loads(result.stdout)["report_id"] == str(event.origin.report_id)
    assert (event.origin.channel, event.origin.container) == ("http", "cli")
    assert event.actor.id == subject_id(f"os:{account()}")
    assert event.project == "unassigned"
    assert event.body is not None
    assert json.loads(event.body) | {"id": ""} == {
        "tool": "cli",
        "id": "",
        "title": "Total is wrong",
        "description": "It says 3.",
        "reporter": account(),
    }


def test_the_input_is_read_and_a_project_can_be_named(tmp_path: Path) -> None:
    result = run(tmp_path, "report", "-", "--project", "shop", "--id", "mine", text="A bug")
    (event,) = rows(tmp_path)

    assert result.exit_code == 0
    assert (event.project, event.origin.item) == ("shop", "mine")


def test_the_same_file_twice_is_one_report(tmp_path: Path) -> None:
    answers = [run(tmp_path, "report", "-", text="A bug").stdout for _ in range(2)]

    assert answers[0].startswith("Kept as report")
    assert answers[1].startswith("Known already")
    assert len(rows(tmp_path)) == 1


def test_json_is_taken_as_the_api_takes_it(tmp_path: Path) -> None:
    given = {"title": "x", "tool": "ci", "id": "9", "severity": "high", "labels": ["a"]}
    file = tmp_path / "bug.json"
    file.write_text(json.dumps(given))
    found = read_report(file)

    assert (found.tool, found.id, found.severity, found.labels) == ("ci", "9", "high", ("a",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "first line"),
        (b" \n#\n", "first line"),
        (b"\xff\xfe", "UTF-8"),
        (b"{", "not valid JSON"),
        (b"{}", "title"),
        (b'{"title": "x", "sevrity": "high"}', "sevrity"),
        (b"x" * (REPORT_BYTES_MAX + 1), "larger than"),
        (b"{" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_a_report_is_answered_with_the_way_out(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "bug.txt"
    file.write_bytes(content)

    with pytest.raises(UserError, match=words):
        read_report(file)


def test_a_missing_file_and_an_unknown_project_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        run(tmp_path, "report", str(tmp_path / "none.md"))
    with pytest.raises(UserError, match="shop"):
        run(tmp_path, "report", "-", "--project", "nope", text="A bug")


def test_a_very_long_first_line_is_cut_and_kept_whole_below(tmp_path: Path) -> None:
    file = tmp_path / "bug.md"
    file.write_text("x" * 3000)
    found = read_report(file)

    assert len(found.title) == 1000
    assert found.description == "x" * 3000


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[str]:
    inbox = Inbox.open(tmp_path / "other.sqlite")
    app = create_app(inbox=inbox, blobs=MemoryBlobs(), api_tokens=("t0ken",))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()
    inbox.close()


def test_a_report_can_go_to_a_running_gateway(tmp_path: Path, gateway: str) -> None:
    arguments = ("report", "-", "--url", gateway, "--json")
    first = json.loads(run(tmp_path, *arguments, text="A bug").stdout)
    again = json.loads(run(tmp_path, *arguments, text="A bug").stdout)

    assert first["status"] == "accepted"
    assert again == first | {"status": "duplicate"}
    assert rows(tmp_path) == []


def test_a_gateway_that_refuses_is_quoted(tmp_path: Path, gateway: str) -> None:
    with pytest.raises(UserError, match=r"401.*Authorization"):
        run(tmp_path, "report", "-", "--url", gateway, "--token", "wrong", text="A bug")
    with pytest.raises(UserError, match="--url"):
        run(tmp_path, "report", "-", "--url", "ftp://x", text="A bug")
    with pytest.raises(UserError, match="--project"):
        run(tmp_path, "report", "-", "--url", gateway, "--project", "shop", text="A bug")


def test_a_gateway_that_is_away_is_no_fault_of_the_report(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TransientError, match="no usable answer"):
        run(tmp_path, "report", "-", "--url", f"http://127.0.0.1:{port}", text="A bug")


def test_a_report_in_a_file_is_read_as_the_stages_read_it(tmp_path: Path) -> None:
    file = tmp_path / "bug.md"
    file.write_text('Total is wrong\n\nTraceback:\n  File "cart.py", line 3, in total\nKeyError: 1')
    found = as_bug(read_report(file))

    assert found.title == "Total is wrong"
    assert [trace.exception for trace in found.stack_traces] == ["KeyError"]
    assert found.report_id == as_bug(read_report(file)).report_id
