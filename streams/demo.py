"""The main job on real parts: Kafka, every stage, reports by four channels, and their answers."""

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
from projections.views import Filter, NotReadyError, Views
from schemas.bugs import NotifyRequested, ReporterNotified
from schemas.errors import FatalError
from schemas.lifecycle import CLOSED
from schemas.projects import Project
from streams import demo_reports, demo_shop, demo_world
from streams.cli_context import open_blobs, open_log, open_views
from streams.config import SECRETS, Settings
from streams.demo_world import World
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
BUGS_MAX = 20
_DOORS = ("slack", "slack-command", "alertmanager")


@dataclass(frozen=True, slots=True)
class Sent:
    """One report that was made."""

    label: str
    title: str
    channel: str
    item: str | None = None
    """Where there are several of the channel."""

    def is_of(self, bug: Bug) -> bool:
        """Return whether it is one of the bug's reports."""
        return any(
            link.origin.channel == self.channel and self.item in {None, link.origin.item}
            for link in bug.reports
        )


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    settings: Settings
    secret: str
    """The same for every door."""
    remote: Path
    world: World
    process: subprocess.Popen[bytes]
    sent: list[Sent] = field(default_factory=list)

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
    with World() as world:
        settings = Settings.model_validate(
            {
                "data_dir": folder / "data",
                "port": 0,
                "github_webhook_secrets": (secret,),
                "webhook_secrets": dict.fromkeys(_DOORS, (secret,)),
                "project": (_project(remote, world.box.url, python or Path(sys.executable)),),
                **world.settings,
            }
        )
        log = (folder / "bugstream.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams", "up"],
            env=base_env() | settings.for_child(SECRETS),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Demo(settings, secret, remote, world, process)
        finally:
            _stop(process)
            log.close()


def _project(remote: Path, answer_url: str, python: Path) -> Project:
    return Project(
        id=PROJECT,
        sources=(
            f"github:{demo_shop.CONTAINER}",
            f"email:{demo_world.MAILBOX}",
            f"slack:{demo_world.TEAM}/{demo_world.CHANNEL}",
            f"monitoring:alertmanager/{demo_reports.RECEIVER}",
        ),
        members=(f"slack:{demo_world.TEAM}:{demo_reports.MEMBER}",),
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
        post_webhook(demo.url, payload_of(issue), demo.secret)
        demo.sent.append(Sent(f"GitHub #{issue.number}", issue.title, "github", str(issue.number)))


def report_elsewhere(demo: Demo) -> str:
    """Write a mail, type a command and fire an alert; return what was said to who typed.

    Only once the issues are bugs, as other people notice later.
    """
    give_up = time.monotonic() + START_S_MAX
    with open_views(demo.settings) as views:
        while len(_known(views)) < len(demo.sent) and time.monotonic() < give_up:
            time.sleep(POLL_S / 10)
    demo.world.imap.store.append(demo_reports.mail())
    demo.sent.append(Sent("mail", demo_reports.SUBJECT, "email"))
    said = demo_reports.post_command(demo.url, demo.secret)
    demo.sent.append(Sent("Slack /bug", demo_reports.COMMAND, "slack"))
    demo_reports.post_alert(demo.url, demo.secret)
    demo.sent.append(Sent("alert", demo_reports.ALERT, "monitoring"))
    return said


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
    """Tell how the bugs stand until every report has its answer. Returns whether all have."""
    give_up = time.monotonic() + WORK_S_MAX
    settled = 0
    with open_views(demo.settings) as views:
        while time.monotonic() < give_up and demo.process.poll() is None:
            bugs = _known(views)
            told(bugs)
            known = all(any(sent.is_of(bug) for bug in bugs) for sent in demo.sent)
            ended = known and all(bug.status in CLOSED for bug in bugs)
            answered = ended and _all_answered(demo)
            settled = settled + 1 if answered else 0
            if settled >= SETTLE_POLLS:
                return True
            time.sleep(POLL_S)
    return False


def _known(views: Views) -> list[Bug]:
    try:
        return views.bugs(Filter(), limit=BUGS_MAX)
    except NotReadyError:
        return []


def _all_answered(demo: Demo) -> bool:
    """Return whether whatever was asked to be told was told."""
    with open_log(demo.settings) as log:
        events = [fact.event for fact in facts_of(log)]
    asked = sum(isinstance(event, NotifyRequested) for event in events)
    return sum(isinstance(event, ReporterNotified) for event in events) >= asked


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
