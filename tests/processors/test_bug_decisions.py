"""The life of a bug as sentences: given what happened, when this happens, then that follows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from processors.bug_decisions import decide
from processors.bug_state import BugState, evolve
from schemas import bugs, commands
from schemas.event import Event
from schemas.lifecycle import Status
from schemas.projects import Project
from schemas.reports import Trust
from schemas.tell import Tell
from tests.factories import (
    BLOB,
    CHECK,
    EXAMPLES,
    LINK,
    PERSON,
    PLACE,
    envelope,
    opened,
)

SHOP = Project(id="shop", git_url="file:///srv/shop.git")


class Life:
    """Folds what is given and what follows, as the stage does."""

    def __init__(self, project: Project | None = SHOP, tell: Tell | None = None) -> None:
        self.project = project
        self.tell = tell or Tell(received=(), duplicate=())
        self.state: BugState | None = None
        self.log: list[Event] = []

    def when(self, event: Event) -> list[Event]:
        self.state = evolve(self.state, event)
        then = list(decide(self.state, event, self.project, self.tell))
        for follow in then:
            self.state = evolve(self.state, follow)
        self.log += [event, *then]
        return then

    @property
    def status(self) -> Status:
        assert self.state is not None
        return self.state.status


def located(attempt: int = 1) -> Event:
    return bugs.BugLocated(
        **envelope(f"located {attempt}"),
        attempt=attempt,
        base_commit="a" * 40,
        locations=(PLACE,),
        method="m",
    )


def proposed(attempt: int = 1) -> Event:
    return bugs.FixProposed(
        **envelope(f"proposed {attempt}"),
        attempt=attempt,
        base_commit="a" * 40,
        patch=BLOB,
        proposer="template",
        files=(),
    )


def verified(attempt: int = 1) -> Event:
    return bugs.FixVerified(
        **envelope(f"verified {attempt}"),
        attempt=attempt,
        base_commit="a" * 40,
        patch=BLOB,
        checks=(CHECK,),
    )


def rejected(attempt: int = 1, verdict: Any = "failed") -> Event:
    return bugs.FixRejected(
        **envelope(f"rejected {attempt}"),
        attempt=attempt,
        verdict=verdict,
        reason="r",
        checks=(),
        feedback=BLOB,
    )


def released() -> Event:
    return next(e for e in EXAMPLES if isinstance(e, bugs.FixReleased))


def command(model: Any, name: str = "c", who: Any = PERSON) -> Event:
    made: Event = model(**envelope(name, actor=who))
    return made


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def test_a_members_bug_goes_all_the_way_and_is_answered_once() -> None:
    life = Life()

    assert types(life.when(opened())) == ["locate.requested"]
    assert types(life.when(located())) == ["fix.requested"]
    assert types(life.when(proposed())) == ["verify.requested"]
    assert types(life.when(verified())) == ["release.requested"]
    assert types(life.when(released())) == ["bug.closed", "notify.requested"]
    assert life.status is Status.FIXED
    assert len({event.event_id for event in life.log}) == len(life.log)


def test_a_strangers_bug_waits_for_a_person_before_the_fix() -> None:
    life = Life()
    life.when(opened(trust=Trust.STRANGER))

    assert types(life.when(located())) == ["approval.requested"]
    assert life.status is Status.WAITING_FOR_APPROVAL
    assert types(life.when(command(commands.ApproveBug))) == ["approval.granted", "fix.requested"]


def test_an_approval_given_early_is_kept() -> None:
    life = Life()
    life.when(opened(trust=Trust.STRANGER))

    assert types(life.when(command(commands.ApproveBug))) == ["approval.granted"]
    assert types(life.when(located())) == ["fix.requested"]


def test_the_approver_stands_in_the_log() -> None:
    life = Life()
    life.when(opened(trust=Trust.STRANGER))
    life.when(located())

    granted, _ = life.when(command(commands.ApproveBug))

    assert granted.actor == PERSON


def test_a_project_that_wants_two_approvals_gets_them_from_two_people() -> None:
    life = Life(SHOP.model_copy(update={"release_approvals": 2}))
    for event in (opened(), located(), proposed()):
        life.when(event)

    assert types(life.when(verified())) == ["approval.requested"]
    assert types(life.when(command(commands.ApproveBug, "1"))) == ["approval.granted"]
    assert types(life.when(command(commands.ApproveBug, "2"))) == ["approval.granted"]
    other = PERSON.model_copy(update={"id": "someone else"})
    assert types(life.when(command(commands.ApproveBug, "3", other))) == [
        "approval.granted",
        "release.requested",
    ]


def test_a_no_ends_the_bug_and_answers_it() -> None:
    life = Life()
    life.when(opened(trust=Trust.STRANGER))
    life.when(located())

    assert types(life.when(command(commands.RejectBug))) == [
        "approval.rejected",
        "bug.closed",
        "notify.requested",
    ]
    assert life.status is Status.REJECTED


def test_a_failed_verification_leads_to_another_attempt_with_its_feedback() -> None:
    life = Life()
    for event in (opened(), located(), proposed()):
        life.when(event)

    [again] = life.when(rejected())

    assert isinstance(again, bugs.FixRequested)
    assert (again.attempt, again.feedback) == (2, BLOB)


def test_attempts_end_with_an_honest_could_not() -> None:
    life = Life()
    for event in (opened(), located(), proposed(), rejected(), proposed(2)):
        life.when(event)

    assert types(life.when(rejected(2))) == ["bug.closed", "notify.requested"]
    assert life.status is Status.COULD_NOT


def test_what_could_not_be_run_is_not_verified_and_not_tried_again() -> None:
    life = Life()
    for event in (opened(), located(), proposed()):
        life.when(event)

    life.when(rejected(verdict="not_run"))

    assert life.status is Status.NOT_VERIFIED


def test_outcomes_of_a_superseded_attempt_change_nothing() -> None:
    life = Life()
    for event in (opened(), located(), proposed(), rejected()):
        life.when(event)

    assert life.when(verified(attempt=1)) == []
    assert life.status is Status.FIXING


def test_a_stage_that_failed_for_good_ends_the_attempt_and_says_so() -> None:
    life = Life()
    for event in (opened(), located()):
        life.when(event)
    failed = next(e for e in EXAMPLES if isinstance(e, bugs.StageFailed))

    closed, notified = life.when(failed)

    assert isinstance(closed, bugs.BugClosed)
    assert "fix.dlq/0/1" in closed.reason
    assert isinstance(notified, bugs.NotifyRequested)


def test_a_requeued_dead_letter_still_brings_the_bug_on() -> None:
    life = Life()
    for event in (opened(), located()):
        life.when(event)
    life.when(next(e for e in EXAMPLES if isinstance(e, bugs.StageFailed)))

    assert types(life.when(proposed())) == ["verify.requested"]


def test_the_failure_of_a_stage_that_is_not_at_work_ends_nothing() -> None:
    life = Life()
    life.when(opened())

    assert life.when(next(e for e in EXAMPLES if isinstance(e, bugs.StageFailed))) == []


def test_a_bug_of_no_project_is_kept_and_not_worked_on() -> None:
    life = Life(project=None)

    assert life.when(opened()) == []
    assert life.status is Status.OPEN


def test_everybody_who_reported_it_is_told() -> None:
    life = Life()
    life.when(opened())
    linked = next(e for e in EXAMPLES if isinstance(e, bugs.ReportLinked))
    elsewhere = LINK.origin.model_copy(update={"item": "99"})
    life.when(
        linked.model_copy(
            update={
                "report": LINK.model_copy(update={"origin": elsewhere, "report_id": UUID(int=9)})
            }
        )
    )
    for event in (located(), proposed(), verified()):
        life.when(event)

    notes = [e for e in life.when(released()) if isinstance(e, bugs.NotifyRequested)]

    assert {note.origin.item for note in notes} == {"12", "99"}


def test_who_reports_a_bug_that_has_ended_is_told_its_outcome() -> None:
    life = Life()
    for event in (opened(), located(), proposed(), verified(), released()):
        life.when(event)

    [note] = life.when(next(e for e in EXAMPLES if isinstance(e, bugs.ReportLinked)))

    assert isinstance(note, bugs.NotifyRequested)
    assert note.outcome == "fixed"


def test_an_edit_of_an_unverified_report_is_tried_again() -> None:
    life = Life()
    for event in (opened(), located(), proposed()):
        life.when(event)
    life.when(rejected(verdict="not_run"))

    assert types(life.when(bugs.ReportUpdated(**envelope("edit"), report=LINK))) == [
        "locate.requested"
    ]


def test_retry_starts_another_attempt_only_where_one_has_ended() -> None:
    life = Life()
    life.when(opened())

    [refused] = life.when(command(commands.RetryBug, "1"))
    assert isinstance(refused, bugs.CommandRefused)

    life.when(command(commands.AbandonBug, "2"))
    assert life.status is Status.ABANDONED
    assert types(life.when(command(commands.RetryBug, "3"))) == [
        "retry.accepted",
        "locate.requested",
    ]


def test_work_done_for_an_abandoned_bug_changes_nothing() -> None:
    life = Life()
    life.when(opened())
    life.when(command(commands.AbandonBug))

    assert life.when(located()) == []


def test_commands_that_do_not_fit_are_refused_with_the_reason() -> None:
    life = Life()

    [unknown] = life.when(command(commands.ApproveBug))
    assert isinstance(unknown, bugs.CommandRefused)
    assert "no such bug" in unknown.reason

    life.when(opened())
    for model in (commands.ApproveBug, commands.RejectBug):
        [refused] = life.when(command(model, model.__name__))
        assert isinstance(refused, bugs.CommandRefused)
        assert "locating" in refused.reason


# --- who is told ---


def notes(events: list[Event]) -> list[tuple[str, str, str]]:
    return [
        (note.outcome, note.audience, note.origin.item)
        for note in events
        if isinstance(note, bugs.NotifyRequested)
    ]


def another_report(channel: str = "github") -> Event:
    linked = next(e for e in EXAMPLES if isinstance(e, bugs.ReportLinked))
    origin = LINK.origin.model_copy(update={"item": "99", "channel": channel})
    report = LINK.model_copy(update={"origin": origin, "report_id": UUID(int=9)})
    return linked.model_copy(update={"report": report})


def test_a_reporter_is_told_that_the_report_came_in_and_that_it_is_known() -> None:
    life = Life(tell=Tell())

    assert notes(life.when(opened())) == [("received", "reporter", "12")]
    assert notes(life.when(another_report())) == [("duplicate", "reporter", "99")]


def test_a_stranger_is_told_that_somebody_has_to_agree() -> None:
    [note] = [
        event
        for event in Life(tell=Tell()).when(opened(trust=Trust.STRANGER))
        if isinstance(event, bugs.NotifyRequested)
    ]

    assert "approve" in note.reason


def test_a_program_is_told_what_came_of_it_and_nothing_before() -> None:
    life = Life(tell=Tell())
    for event in (opened(), located(), proposed()):
        life.when(event)

    assert notes(life.when(another_report("monitoring"))) == []
    life.when(verified())
    assert ("fixed", "reporter", "99") in notes(life.when(released()))


def test_who_has_to_decide_is_told_where_the_project_says_how() -> None:
    team = SHOP.model_copy(update={"team": ("slack:T01/C02",), "release_approvals": 1})
    life = Life(team, Tell(received=()))
    life.when(opened(trust=Trust.STRANGER))

    assert notes(life.when(located())) == [("approval", "team", "12")]
    life.when(command(commands.ApproveBug))
    life.when(proposed())
    assert notes(life.when(verified())) == [("verified", "team", "12"), ("approval", "team", "12")]
    life.when(command(commands.ApproveBug, "2"))
    assert notes(life.when(released())) == [
        ("deployment", "team", "12"),
        ("fixed", "reporter", "12"),
    ]


def test_an_assignee_is_looked_for_in_the_report_itself() -> None:
    life = Life(SHOP.model_copy(update={"contacts": {"github:bob": "slack:T01/C02"}}), Tell())
    for event in (opened(), located(), proposed()):
        life.when(event)

    [note] = [e for e in life.when(verified()) if isinstance(e, bugs.NotifyRequested)]

    assert (note.audience, note.report) == ("assignee", LINK.report_blob)


def test_what_nobody_is_to_be_told_is_not_said() -> None:
    team = SHOP.model_copy(update={"team": ("slack:T01/C02",)})
    silent = Tell(**dict.fromkeys(Tell.model_fields, ()))
    life = Life(team, silent)

    said = [life.when(e) for e in (opened(), located(), proposed(), verified(), released())]

    assert [note for events in said for note in notes(events)] == []


def test_the_team_follows_a_rollout() -> None:
    life = Life(SHOP.model_copy(update={"team": ("slack:T01/C02",)}), Tell())
    life.when(opened())
    rollouts = [e for e in EXAMPLES if e.type.startswith("rollout.") and e.type.count("ed") > 0]

    said = [note for event in rollouts for note in notes(life.when(event))]

    assert [(outcome, audience) for outcome, audience, _ in said] == [("deployment", "team")] * 4


# --- what several reports know together ---


def declined(attempt: int = 1) -> Event:
    return bugs.FixDeclined(
        **envelope(f"declined {attempt}"),
        attempt=attempt,
        outcome="not_verified",
        reason="no reproduction",
    )


def by_member(trust: Trust = Trust.MEMBER) -> Event:
    linked = another_report()
    assert isinstance(linked, bugs.ReportLinked)
    report = linked.report.model_copy(update={"trust": trust})
    return linked.model_copy(update={"report": report})


def test_what_another_member_reported_meanwhile_is_tried_before_giving_up() -> None:
    life = Life()
    for event in (opened(), located(), by_member()):
        life.when(event)

    [again] = life.when(declined())

    assert isinstance(again, bugs.LocateRequested)
    assert [link.report_id for link in again.others] == [UUID(int=9)]
    life.when(located(2))
    assert types(life.when(declined(2))) == ["bug.closed", "notify.requested", "notify.requested"]


def test_a_member_who_knows_more_than_the_attempt_that_ended_starts_another() -> None:
    life = Life()
    for event in (opened(), located(), declined()):
        life.when(event)
    assert life.status is Status.NOT_VERIFIED

    assert types(life.when(by_member())) == ["locate.requested"]


def test_a_stranger_starts_no_other_attempt() -> None:
    life = Life()
    for event in (opened(), located(), declined()):
        life.when(event)

    assert types(life.when(by_member(Trust.STRANGER))) == ["notify.requested"]
