"""Every report of the set, through every door, stage and answer: it informs, and it acts nowhere.

Doors sign and check as in production, the stages are the real ones on the in-memory log, with a
real repository. What the process does to the world meanwhile is seen by the interpreter.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from connectors.agent_prompt import first_message
from connectors.embeddings import embedder
from processors.chat_text import to_discord, to_slack
from processors.mail.to_html import to_html, to_plain
from processors.markup import markdown_to_adf, markdown_to_wiki
from processors.notify import comment
from processors.projects import is_member
from schemas import bugs, reports, topics
from schemas.codec import decode
from schemas.event import Event, derived_id
from schemas.fixes import CheckResult, Verdict
from schemas.places import Location
from schemas.raw import Origin, is_ours
from schemas.tell import Moment
from schemas.topics import Topic
from schemas.values import FixTask
from streams.config import Settings
from streams.dead_letters import DeadLetters
from streams.failures import ERROR_TEXT
from streams.gateway import create_app
from streams.log import Log, partitions_of
from streams.memory_log import MemoryLog
from streams.one_fix import run_until_idle
from streams.relay import Relay
from streams.wiring import Parts, stepper
from tests.connectors.chat_posts import FORM, signed
from tests.connectors.repositories import make_remote
from tests.factories import envelope
from tests.redteam import readers
from tests.redteam.couriers import COURIERS, SECRETS, TOKEN, TOO_LARGE, put_mail, send
from tests.redteam.reports import MARK, REPORTS, Report
from tests.redteam.watch import Seen, watched

CART = "def total(prices):\n    return sum(prices) / len(prices)\n"
pytestmark = pytest.mark.timeout(600)
STAGES = ("normalize", "dedupe", "lifecycle", "locate")
VICTIM = Report("victim", "victim", "Total is wrong", "It says 3.", who="ann")
VICTIM_NUMBER = 999_999
VICTIM_NAME = "BUG-2026-7F3K2"
VICTIM_BUG = derived_id(
    Origin(channel="github", container="acme/shop", item=str(VICTIM_NUMBER)).report_id, "bug"
)
"""A stranger's, too: it waits for a member's word, and the set tries to give that."""
SLOW_CHANNELS_EACH = 2
_WORDS = (MARK, "evil", "ProxyCommand", "upload-pack", "owned", "passwd", "$(", "`", "\n", "rm -rf")


@dataclasses.dataclass
class World:
    """What came of all of it."""

    seen: Seen
    statuses: dict[tuple[str, str], int]
    normalized: dict[str, reports.ReportNormalized]
    """By the key of the item."""
    events: list[Event]
    commands: list[Event]
    refusals: list[tuple[str, str, str]]
    dead: list[str]
    blobs: Any


def channels_of(report: Report, number: int) -> tuple[str, ...]:
    every = (*COURIERS, "email")
    if report.channels:
        return report.channels
    if not report.slow:
        return every
    return tuple(every[(number + step * 5) % len(every)] for step in range(SLOW_CHANNELS_EACH))


def read_all(log: Log, topic: Topic) -> list[Event]:
    return [decode(record.value) for record in log.read(log.begin_offsets(partitions_of(topic)))]


def settings(folder: Path) -> Settings:
    remote, _ = make_remote(folder, {"shop/cart.py": CART, "tests/test_cart.py": "def test(): ..."})
    sources = ("github:acme/shop", *(f"{name}:*" for name in CHANNELS))
    shop = {
        "id": "shop",
        "sources": sources,
        "git_url": remote.as_uri(),
        "members": ("github:maintainer", "slack:T1:UBOSS", "discord:1"),
        "team": ("slack:T1/C9", "discord:10/20", "jira:SHOP", "email:team@acme.example"),
    }
    return Settings.model_validate({"data_dir": folder / "data", "project": [shop]})


CHANNELS = ("jira", "slack", "discord", "monitoring", "http", "email")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("redteam")
    made = settings(folder)
    with ExitStack() as opened:
        log = opened.enter_context(MemoryLog())
        parts = opened.enter_context(Parts(made, log, work_root=folder))
        embedder().embed(["a report"])  # Its runtime asks once on what system it runs.
        with watched(folder, programs=("git", "bwrap"), words=_WORDS) as seen:
            happened = _happened(parts, log, made, seen)
        yield happened


def _happened(parts: Parts, log: Log, made: Settings, seen: Seen) -> World:
    log.ensure_topics(topics.ALL)
    statuses: dict[tuple[str, str], int] = {}
    with TestClient(application(parts, made)) as client:
        send(client, "github", VICTIM, VICTIM_NUMBER)
        for number, report in enumerate(REPORTS, start=1):
            for channel in channels_of(report, number):
                if channel == "email":
                    put_mail(parts.inbox, parts.blobs, report, number)
                else:
                    statuses[report.name, channel] = send(client, channel, report, number)
    _run(parts, log)
    normalized = [
        event
        for event in read_all(log, topics.BUGS_NORMALIZED)
        if isinstance(event, reports.ReportNormalized)
    ]
    return World(
        seen=seen,
        statuses=statuses,
        normalized={event.report.origin.key: event for event in normalized},
        events=read_all(log, topics.BUGS_EVENTS),
        commands=read_all(log, topics.BUGS_COMMANDS),
        refusals=parts.inbox.refusals(),
        dead=[letter.header(ERROR_TEXT) for letter in DeadLetters(log, app=made.app).list()],
        blobs=parts.blobs,
    )


def application(parts: Parts, made: Settings) -> FastAPI:
    return create_app(
        inbox=parts.inbox,
        blobs=parts.blobs,
        webhook_secrets=SECRETS,
        api_tokens=(TOKEN,),
        resolve_bug=lambda name: (VICTIM_BUG, "shop") if name == VICTIM_NAME else None,
        may_command=lambda account, project: is_member(made.project_of(project), account),
    )


def _run(parts: Parts, log: Log) -> None:
    relay = Relay(parts.inbox, log, app=parts.settings.app)
    while relay.step():
        pass
    relay.close()
    with ExitStack() as running:
        steppers = [stepper(name, parts) for name in STAGES]
        for each in steppers:
            running.callback(each.close)
        run_until_idle(steppers)


def whole(world: World, event: reports.ReportNormalized) -> reports.BugReport:
    return reports.BugReport.model_validate_json(world.blobs.get(event.report_blob))


def test_the_set_is_large_and_reaches_every_channel(world: World) -> None:
    channels = Counter(event.report.origin.channel for event in world.normalized.values())

    assert len(REPORTS) >= 60
    assert set(channels) == {"github", *CHANNELS}
    assert min(channels.values()) >= 60


def test_every_door_takes_it_or_says_no_in_words(world: World) -> None:
    odd = {
        place: status
        for place, status in world.statuses.items()
        if not 200 <= status < 300 and status not in TOO_LARGE
    }
    turned_away = [name for (name, _), status in world.statuses.items() if status in TOO_LARGE]

    assert odd == {}
    assert {report.kind for report in REPORTS if report.name in turned_away} <= {"bytes", "size"}


def test_only_what_nobody_can_read_is_a_dead_letter_and_says_so(world: World) -> None:
    assert world.dead == ["the body is not JSON"] * sum(report.poison for report in REPORTS)


def test_no_stranger_moves_anything_on(world: World) -> None:
    """After locate a member has to say yes; nobody in the set is one, whatever they claim."""
    kinds = Counter(event.type for event in world.events)
    trust = {event.trust for event in world.normalized.values()}
    located = {event.bug_id for event in world.events if isinstance(event, bugs.BugLocated)}
    waiting = {event.bug_id for event in world.events if isinstance(event, bugs.ApprovalRequested)}

    assert trust == {reports.Trust.STRANGER}
    assert set(kinds) <= {
        "bug.opened",
        "report.linked",
        "report.updated",
        "link.suggested",
        "comment.added",
        "locate.requested",
        "bug.located",
        "approval.requested",
        "notify.requested",
    }
    assert kinds["bug.opened"] > 100
    assert VICTIM_BUG in waiting
    assert waiting == located


def test_a_members_report_and_word_do_move_it_on(tmp_path: Path) -> None:
    """The negative control: what is asserted above is false as soon as it is a member."""
    made = settings(tmp_path)
    member = dataclasses.replace(VICTIM, who="maintainer", title="A plain one")
    approval = Report("approval", "", f"approve {VICTIM_NAME}", "", command=True)
    sent = COURIERS["slack command"](approval, 1)
    body = sent.body.replace(b"UEVIL", b"UBOSS")
    with MemoryLog() as log, Parts(made, log, work_root=tmp_path) as parts:
        log.ensure_topics(topics.ALL)
        with TestClient(application(parts, made)) as client:
            send(client, "github", VICTIM, VICTIM_NUMBER)
            send(client, "github", member, 1)
            _run(parts, log)
            client.post(sent.path, content=body, headers=signed(body, kind=FORM))
        _run(parts, log)
        kinds = Counter(event.type for event in read_all(log, topics.BUGS_EVENTS))
        commands = read_all(log, topics.BUGS_COMMANDS)

    assert len(commands) == 1
    assert kinds["approval.granted"] == 1
    assert kinds["fix.requested"] == 2


def test_what_is_typed_as_a_command_is_refused_and_noted(world: World) -> None:
    typed = sum(report.command for report in REPORTS)

    assert world.commands == []
    assert sorted(route for route, _, reason in world.refusals if reason == "not a member") == [
        *["discord"] * typed,
        *["slack-command"] * typed,
    ]


def test_the_process_starts_opens_and_calls_nothing_of_theirs(world: World) -> None:
    assert world.seen.violations == []
    assert world.seen.argv, "the repository was never read"


def test_nothing_runs_in_the_sandbox(world: World) -> None:
    """Nobody in the set is a member, so nothing is run for them; only its version is asked."""
    sandboxed = [argv[1:] for argv in world.seen.argv if Path(argv[0]).name == "bwrap"]

    assert set(sandboxed) <= {("--version",)}


def test_what_people_do_not_see_is_nowhere_but_in_the_evidence(world: World) -> None:
    hidden = {number: report for number, report in enumerate(REPORTS, 1) if report.hidden}
    for number, report in hidden.items():
        event = world.normalized[f"github:acme/shop#{number}"]
        known = whole(world, event)
        kept = known.model_copy(update={"metadata": {}}).model_dump_json()
        inline = event.report.model_copy(update={"metadata": {}}).model_dump_json()
        for secret in report.hidden:
            assert secret not in kept, report.name
            assert secret not in inline, report.name
            assert secret not in prompt(known), report.name
        assert "set aside" in known.metadata["hidden"], report.name


def prompt(report: reports.BugReport) -> str:
    task = FixTask(
        bug_id=UUID(int=1),
        attempt=1,
        cause=UUID(int=2),
        project=PROJECT,
        python=Path("python"),
        tree=Path(),
        report=report,
        locations=(),
        oracle=None,
        failing_output="",
        budget_usd_micros=0,
    )
    return first_message(task)


PROJECT = Settings.model_validate({"project": [{"id": "shop"}]}).project[0]


def test_a_model_is_shown_data_that_cannot_end_its_own_quotation(world: World) -> None:
    for event in world.normalized.values():
        said = prompt(whole(world, event))

        assert said.count("<report>") == said.count("</report>") == 1
        assert [*readers.invisible(said)] == []


def test_addresses_that_are_no_page_are_dropped(world: World) -> None:
    urls = {event.report.origin.url for event in world.normalized.values()} - {None}

    assert urls
    assert all(str(url).startswith(("http://", "https://")) for url in urls)


def test_half_a_surrogate_pair_is_shown_as_a_sign(world: World) -> None:
    number = next(n for n, report in enumerate(REPORTS, 1) if report.name == "half a pair")

    assert world.normalized[f"github:acme/shop#{number}"].report.title == "Broken \ufffd title"


# --- what goes out ---


def acting(markdown: str) -> Mapping[str, list[str]]:
    """Return what each service would make of the answer, by service."""
    slack = [dataclasses.asdict(message) for message in to_slack(markdown)]
    found = {
        "github": readers.github(markdown),
        "slack": readers.slack(slack),
        "discord": readers.discord(to_discord(markdown)),
        "jira cloud": readers.adf(markdown_to_adf(markdown)),
        "jira server": readers.wiki(markdown_to_wiki(markdown)),
        "mail": [*readers.html(to_html(markdown)), *readers.invisible(to_plain(markdown))],
    }
    return {service: problems for service, problems in found.items() if problems}


def test_every_answer_that_was_asked_for_is_harmless_everywhere(world: World) -> None:
    asked = [event for event in world.events if isinstance(event, bugs.NotifyRequested)]

    assert {event.audience for event in asked} == {"reporter", "team"}
    for event in asked:
        said = comment(event)
        assert acting(said) == {}, event.origin.key
        assert not is_ours(said)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_an_answer_full_of_their_words_is_harmless_everywhere(report: Report) -> None:
    """The worst case: their words as file, symbol, reason, check, branch and address at once."""
    words = report.text[:2_000] if report.slow else f"{report.title}\n{report.text}"
    place = Location(
        path=words, line_start=1, line_end=1, symbol=words, score=1.0, reasons=(words, words)
    )
    check = CheckResult(name=words, verdict=Verdict.FAILED, summary=words, command=words)
    for outcome in get_args(Moment):
        event = bugs.NotifyRequested(
            **envelope("notify"),
            attempt=1,
            name="BUG-2026-7F3K2",
            origin={"channel": "http", "container": words, "item": words},
            outcome=outcome,
            reason=words,
            branch=words,
            commit=words,
            checks=(check,),
            locations=(place,),
        )

        assert acting(comment(event)) == {}, outcome
