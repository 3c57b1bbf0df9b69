from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import FatalError, UserError
from streams import cli_run, exit_codes
from streams.cli import app
from streams.config import HANDED_DOWN, Settings
from streams.log import FencedError, RetriableError
from streams.serving import listen
from streams.supervisor import ChildEvent

SECRETS = {
    "github_webhook_secrets": ("hook-secret",),
    "api_tokens": ("api-token",),
    "anthropic_api_key": "model-key",
    "github": {"token": "forge-token", "repositories": ["acme/shop"]},
}


@dataclass(frozen=True, slots=True)
class Stub:
    """A worker that raises, or waits to be stopped."""

    error: Exception | None

    def run(self, stop: threading.Event) -> None:
        if self.error is not None:
            raise self.error
        assert stop.wait(10)


def test_each_child_gets_its_own_secrets_only(tmp_path: Path) -> None:
    conf = Settings.model_validate({"data_dir": tmp_path, **SECRETS})

    seen = {child.name: child.env[HANDED_DOWN] for child in cli_run.children(conf)}

    for name, text in seen.items():
        assert ("model-key" in text) == (name == "fix")
        asks_github = name in {"pollers", "locate", "release", "notify"}
        assert ("forge-token" in text) == asks_github
        assert ("hook-secret" in text) == ("api-token" in text) == (name == "gateway")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FencedError("taken over"), exit_codes.FENCED),
        (RetriableError("no answer"), exit_codes.UNREACHABLE),
        (FatalError("unknown outcome"), exit_codes.FAILED),
        (UserError("wrong setting"), exit_codes.MISUSED),
    ],
)
def test_one_worker_that_fails_ends_the_process_with_its_status(
    error: Exception, status: int
) -> None:
    stop = threading.Event()

    assert cli_run.work([("relay", Stub(None)), ("normalize", Stub(error))], stop) == status
    assert stop.is_set()


def test_an_error_that_nobody_expected_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        cli_run.work([("relay", Stub(ZeroDivisionError()))], threading.Event())


def test_a_taken_port_is_said_before_anything_is_started(tmp_path: Path) -> None:
    conf = Settings(data_dir=tmp_path)
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])

        with pytest.raises(UserError, match=f"port {port} .*--port"):
            CliRunner().invoke(app, ["up", "--port", port], obj=conf, catch_exceptions=False)

    assert not (tmp_path / "kafka").exists()


def test_what_happens_to_a_child_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    cli_run.tell(ChildEvent("fix", "crashed", 17, status=-9, again_in_s=0.5))

    assert capsys.readouterr().err == "fix [17] crashed (status -9); again in 0.5 s\n"
