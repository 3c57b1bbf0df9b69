"""The demo's parts: what it posts, what it waits for, and what it reads from the shop's remote."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from git import Repo

from connectors.blobs import MemoryBlobs
from processors.normalize import normalize
from projections.bugs import Bug
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.raw import RawReceived
from schemas.reports import ReportNormalized, Trust
from streams import demo, demo_shop
from streams.channels import PARSERS
from streams.config import Settings
from streams.demo_world import World
from streams.log import partitions_of
from streams.memory_log import MemoryLog
from streams.relay import Relay
from streams.serving import Gateway, address_of
from streams.wiring import Parts, outline

SECRET = "of the webhook"
LOG_END = "the disk is full"


@contextmanager
def gateway(settings: Settings) -> Iterator[tuple[str, Parts]]:
    """Yield the address of a real gateway on a log in memory, and what it works with."""
    stop = threading.Event()
    with MemoryLog() as log, Parts(settings, log) as parts:
        thread = threading.Thread(target=Gateway(parts, outline()).run, args=(stop,))
        thread.start()
        try:
            give_up = time.monotonic() + 20
            while (url := address_of(settings)) is None and time.monotonic() < give_up:
                time.sleep(0.02)
            assert url is not None
            yield url, parts
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "data_dir": tmp_path / "data",
            "port": 0,
            "github_webhook_secrets": (SECRET,),
            "project": (demo._project(tmp_path / "shop.git", "http://x", Path(sys.executable)),),
        }
    )


@pytest.fixture
def ended(settings: Settings, tmp_path: Path) -> Iterator[demo.Demo]:
    """Yield a demo whose `bugstream up` has ended with a last word."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (tmp_path / "bugstream.log").write_text(LOG_END, encoding="utf-8")
    with World() as world:
        yield demo.Demo(settings, SECRET, tmp_path / "shop.git", world, process)


@pytest.mark.parametrize(
    ("association", "trust"), [("MEMBER", Trust.MEMBER), ("NONE", Trust.STRANGER)]
)
def test_an_issue_comes_through_the_real_door_as_a_report_of_the_shop(
    settings: Settings, association: str, trust: Trust
) -> None:
    issue = demo_shop.ISSUES[0]
    body = demo.payload_of(issue, association=association)

    with gateway(settings) as (url, parts):
        assert demo.post_webhook(url, body, SECRET) == 202
        relay = Relay(parts.inbox, parts.log, app=settings.app)
        give_up = time.monotonic() + 20
        while parts.inbox.waiting() and time.monotonic() < give_up:
            relay.step()
        relay.close()
        places = dict.fromkeys(partitions_of(topics.RAW["github"]), 0)
        [record] = parts.log.read(places)

    raw = decode(record.value)
    assert isinstance(raw, RawReceived)
    [event] = normalize(raw, MemoryBlobs(), settings.project, PARSERS)
    assert isinstance(event, ReportNormalized)
    assert (event.project, event.trust) == (demo.PROJECT, trust)
    assert event.report.title == issue.title
    assert event.report.origin.container == demo_shop.CONTAINER


def test_a_delivery_with_another_secret_is_refused(settings: Settings) -> None:
    body = demo.payload_of(demo_shop.ISSUES[0])

    with gateway(settings) as (url, _), pytest.raises(urllib.error.HTTPError) as refused:
        demo.post_webhook(url, body, "a guess")

    with refused.value:
        assert refused.value.code == 401


def test_who_waits_for_a_system_that_ended_is_told_its_last_words(ended: demo.Demo) -> None:
    with pytest.raises(FatalError, match=LOG_END):
        demo.wait_until_ready(ended)


def test_watching_a_system_that_ended_is_not_success(ended: demo.Demo) -> None:
    seen: list[list[Bug]] = []

    assert demo.watch(ended, seen.append) is False
    assert seen == []


def test_the_address_of_a_gateway_that_is_gone_is_an_error(ended: demo.Demo) -> None:
    with pytest.raises(FatalError, match="not running"):
        _ = ended.url


def test_branches_and_authors_are_read_from_the_remote(ended: demo.Demo, tmp_path: Path) -> None:
    demo_shop.make_remote(tmp_path)
    with Repo(ended.remote) as remote:
        commit = remote.commit(demo_shop.BRANCH).hexsha
        span = '{"start_line": 3, "end_line": 4}'
        spans = f'[{{"contributor": {{"type": "ai"}}, "ranges": [{span}]}}]'
        note = f'{{"files": [{{"path": "shop/api.py", "conversations": {spans}}}]}}'
        author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        remote.git.execute(
            ["git", *author, "notes", "--ref=agent-trace", "add", "-m", note, commit]
        )

    assert demo.branches(ended) == [demo_shop.BRANCH]
    assert demo.written_by(ended, commit) == ["shop/api.py:3-4 ai"]
