"""The main job on real parts: Kafka, every stage, three signed webhooks, and what came of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from git import Repo

from projections.bugs import Bug
from projections.views import Filter, NotReadyError
from schemas.errors import FatalError
from schemas.lifecycle import CLOSED
from schemas.projects import Project
from schemas.raw import Origin
from streams import demo_shop
from streams.answer_box import AnswerBox
from streams.cli_context import open_blobs, open_log, open_views
from streams.config import Settings
from streams.environment import base_env
from streams.one_fix import facts_of
from streams.serving import address_of
from streams.story import Story

PROJECT = "shop"
TEST_COMMAND = (
    *("-m", "pytest", "-q"),
    # Plugins of our own tests that happen to be installed beside; the shop needs none of them.
    *("-pno:hypothesispytest", "-pno:xdist", "-pno:xdist.looponfail", "-pno:anyio", "-pno:timeout"),
)
START_S_MAX = 120.0
WORK_S_MAX = 600.0
STOP_S_MAX = 40.0
POLL_S = 0.5
SETTLE_POLLS = 3


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    settings: Settings
    secret: str
    remote: Path
    answers: AnswerBox
    process: subprocess.Popen[bytes]
    sent: dict[str, demo_shop.Issue] = field(default_factory=dict)
    """Origin key of each webhook that was posted."""

    @property
    def url(self) -> str:
        """Return the address of the gateway. Raises `FatalError` when it is gone."""
        found = address_of(self.settings)
        if found is None:
            raise FatalError("the gateway is not running")
        return found


@contextmanager
def running(folder: Path, *, python: Path | None = None) -> Iterator[Demo]:
    """Yield a demo whose Kafka and stages run on a data folder below `folder`; then stop them."""
    secret = secrets.token_hex(20)
    remote = demo_shop.make_remote(folder)
    with AnswerBox() as answers:
        settings = Settings.model_validate(
            {
                "data_dir": folder / "data",
                "port": 0,
                "github_webhook_secrets": (secret,),
                "project": (_project(remote, answers.url, python or Path(sys.executable)),),
            }
        )
        log = (folder / "bugstream.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams", "up"],
            env=base_env() | settings.for_child(("github_webhook_secrets",)),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Demo(settings, secret, remote, answers, process)
        finally:
            _stop(process)
            log.close()


def _project(remote: Path, answer_url: str, python: Path) -> Project:
    return Project(
        id=PROJECT,
        sources=(f"github:{demo_shop.CONTAINER}",),
        git_url=remote.as_uri(),
        branch=demo_shop.BRANCH,
        python=python,
        test_command=TEST_COMMAND,
        answer_url=answer_url,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(demo: Demo) -> None:
    """Return when deliveries are taken. Raises `FatalError` with the end of the log."""
    give_up = time.monotonic() + START_S_MAX
    while time.monotonic() < give_up and demo.process.poll() is None:
        address = address_of(demo.settings)
        if address is not None and _answers(f"{address}/ready"):
            return
        time.sleep(POLL_S)
    log = (demo.settings.data_path.parent / "bugstream.log").read_text("utf-8", "replace")
    raise FatalError(f"bugstream did not start; its log ends:\n{log[-3000:]}")


def post_issues(demo: Demo) -> None:
    """Post every issue as GitHub does: signed, by a member of the repository."""
    for issue in demo_shop.ISSUES:
        origin = Origin(channel="github", container=demo_shop.CONTAINER, item=str(issue.number))
        post_webhook(demo.url, payload_of(issue), demo.secret)
        demo.sent[origin.key] = issue


def payload_of(issue: demo_shop.Issue, *, association: str = "MEMBER") -> bytes:
    """Return what GitHub sends when `issue` was opened, by someone so close to the repository."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps(
        {
            "action": "opened",
            "issue": {
                "number": issue.number,
                "title": issue.title,
                "body": issue.body,
                "state": "open",
                "user": {"login": "ann", "type": "User"},
                "author_association": association,
                "labels": [],
                "assignee": None,
                "html_url": f"https://github.example/{demo_shop.CONTAINER}/issues/{issue.number}",
                "created_at": now,
                "updated_at": now,
            },
            "repository": {"full_name": demo_shop.CONTAINER},
            "sender": {"login": "ann", "type": "User"},
        }
    ).encode()


def post_webhook(url: str, body: bytes, secret: str, *, event: str = "issues") -> int:
    """Post `body` as a signed GitHub delivery and return the status."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310  # our own gateway
        f"{url}/webhooks/github",
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own gateway
        return int(answer.status)


def watch(demo: Demo, told: Callable[[list[Bug]], None]) -> bool:
    """Tell how the bugs stand until every issue has its answer. Returns whether all have."""
    give_up = time.monotonic() + WORK_S_MAX
    settled = 0
    with open_views(demo.settings) as views:
        while time.monotonic() < give_up and demo.process.poll() is None:
            try:
                bugs = views.bugs(Filter(), limit=len(demo.sent) + 1)
            except NotReadyError:
                bugs = []
            told(bugs)
            ended = len(bugs) == len(demo.sent) and all(bug.status in CLOSED for bug in bugs)
            answered = ended and len(demo.answers.received) >= len(demo.sent)
            settled = settled + 1 if answered else 0
            if settled >= SETTLE_POLLS:
                return True
            time.sleep(POLL_S)
    return False


def stories(demo: Demo) -> list[Story]:
    """Return what happened to each bug, from the log, in the order of the issues."""
    with open_log(demo.settings) as log:
        facts = facts_of(log)
    blobs = open_blobs(demo.settings)
    found = []
    for bug_id in dict.fromkeys(fact.event.bug_id for fact in facts):
        mine = [fact for fact in facts if fact.event.bug_id == bug_id]
        story = Story.of(mine, blobs)
        if story is not None:
            found.append(story)
    return found


def written_by(demo: Demo, commit: str) -> list[str]:
    """Return who wrote which lines, as the Agent Trace note on `commit` in the remote says."""
    with Repo(demo.remote) as repo:
        note = repo.git.notes("--ref=agent-trace", "show", commit)
    lines = []
    for record in (json.loads(line) for line in note.splitlines() if line.strip()):
        for file in record["files"]:
            for conversation in file["conversations"]:
                for span in conversation["ranges"]:
                    who = (span.get("contributor") or conversation["contributor"])["type"]
                    where = f"{file['path']}:{span['start_line']}-{span['end_line']}"
                    lines.append(f"{where} {who}")
    return lines


def branches(demo: Demo) -> list[str]:
    """Return the branches of the remote."""
    with Repo(demo.remote) as repo:
        return [head.name for head in repo.heads]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own gateway
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
