from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from projections.bugs import BUGS, REPORTS_KEPT_MAX, Bug
from schemas import bugs, identity
from schemas.bugs import BugOpened, ReportLinked, ReportUpdated
from schemas.fixes import Verdict
from schemas.lifecycle import Status
from schemas.reports import Severity, Trust
from tests.projections.given import BUG, EPOCH, blob, fact, folded, link

OPENED = fact(BugOpened, report=link("1"))
MATCH = {"rule": "exact", "similarity": 1.0, "matched_report_id": link("1").report_id}
FIX = {"report": link("1"), "base_commit": "c", "budget_usd_micros": 1}
PATCH = {"base_commit": "c", "patch": blob("patch")}


def given(*events: Any) -> Bug:
    row = folded(BUGS, [OPENED, *events])
    assert isinstance(row, Bug)
    return row


def test_opened_bug_is_open_and_knows_its_report() -> None:
    bug = given()

    assert (bug.status, bug.report_count, bug.severity) == (Status.OPEN, 1, Severity.LOW)
    assert bug.report == link("1").report_blob
    assert bug.human_id.startswith("BUG-2026-")


def test_facts_about_a_bug_that_was_never_opened_make_no_row() -> None:
    assert folded(BUGS, [fact(bugs.LocateRequested, attempt=1, report=link("1"))]) is None


def test_worst_report_gives_the_severity_and_a_member_the_trust() -> None:
    bug = given(fact(ReportLinked, report=link("2", Severity.HIGH, Trust.MEMBER), **MATCH))

    assert (bug.severity, bug.trust, bug.report_count) == (Severity.HIGH, Trust.MEMBER, 2)


def test_edit_that_lowers_the_only_severe_report_lowers_the_bug() -> None:
    bug = given(
        fact(ReportLinked, report=link("2", Severity.CRITICAL), **MATCH),
        fact(ReportUpdated, report=link("2", Severity.MEDIUM)),
    )

    assert (bug.severity, bug.report_count) == (Severity.MEDIUM, 2)


def test_edit_of_the_founding_report_is_what_the_title_is_read_from() -> None:
    edited = link("1", Severity.HIGH)

    assert given(fact(ReportUpdated, report=edited)).report == edited.report_blob


def test_alert_storm_is_counted_and_not_listed() -> None:
    storm = [fact(ReportLinked, report=link(str(n)), **MATCH) for n in range(2, 200)]
    worst = fact(ReportLinked, report=link("worst", Severity.CRITICAL), **MATCH)
    edit = fact(ReportUpdated, report=link("199", Severity.MEDIUM))

    bug = given(*storm, worst, edit)

    assert (len(bug.reports), bug.report_count) == (REPORTS_KEPT_MAX, 200)
    assert bug.severity == Severity.CRITICAL


def test_split_report_is_no_longer_one_of_the_bug() -> None:
    severe = link("2", Severity.CRITICAL)
    bug = given(
        fact(ReportLinked, report=severe, **MATCH),
        fact(identity.BugSplit, report_id=severe.report_id, new_bug_id=UUID(int=9), reason="other"),
    )

    assert (bug.report_count, bug.severity) == (1, Severity.LOW)


def test_an_edit_of_a_report_that_was_taken_out_does_not_bring_it_back() -> None:
    out = link("7")
    bug = given(
        fact(bugs.ReportLinked, report=out, rule="r", similarity=1, matched_report_id=UUID(int=1)),
        fact(identity.BugSplit, report_id=out.report_id, new_bug_id=UUID(int=9), reason="other"),
        fact(bugs.ReportUpdated, report=out),
    )

    assert out.report_id not in {kept.report_id for kept in bug.reports}
    assert bug.report_count == 1


def test_absorbed_bug_brings_its_reports() -> None:
    other = UUID(int=9)
    bug = given(fact(identity.BugAbsorbed, merged_bug_id=other, reports=(link("7"), link("8"))))

    assert (bug.report_count, bug.absorbed) == (3, (str(other),))


def test_merged_bug_leads_to_the_other() -> None:
    bug = given(fact(identity.BugMerged, into_bug_id=UUID(int=9), reason="the same fault"))

    assert (bug.status, bug.merged_into) == (Status.MERGED, str(UUID(int=9)))


def test_verified_and_released_fix_is_shown_with_who_wrote_it() -> None:
    bug = given(
        fact(bugs.FixRequested, attempt=1, **FIX),
        fact(bugs.FixProposed, attempt=1, **PATCH, proposer="template", files=("a.py",)),
        fact(bugs.FixVerified, attempt=1, **PATCH, checks=()),
        fact(
            bugs.FixReleased,
            attempt=1,
            branch="bugfix/1",
            commit="abc",
            remote="file:///r",
            trace_id=BUG,
        ),
        fact(bugs.BugClosed, attempt=1, outcome="fixed", reason="done"),
    )

    assert (bug.proposer, bug.verdict) == ("template", Verdict.PASSED)
    assert (bug.branch, bug.commit, bug.status) == ("bugfix/1", "abc", Status.FIXED)


def test_new_attempt_starts_from_a_clean_sheet() -> None:
    bug = given(
        fact(bugs.FixRequested, attempt=1, **FIX),
        fact(bugs.FixProposed, attempt=1, **PATCH, proposer="template", files=("a.py",)),
        fact(bugs.FixRejected, attempt=1, verdict="failed", reason="still red", checks=()),
        fact(bugs.FixRequested, attempt=2, **FIX),
    )

    assert (bug.attempt, bug.proposer, bug.verdict) == (2, None, None)


def test_late_outcome_of_a_superseded_attempt_changes_nothing() -> None:
    second = [fact(bugs.FixRequested, attempt=n, **FIX) for n in (1, 2)]
    late = fact(bugs.FixRejected, attempt=1, verdict="failed", reason="still red", checks=())

    assert given(*second, late).verdict is None


@pytest.mark.parametrize("outcome", ["could_not", "not_verified", "abandoned"])
def test_closed_bug_says_why(outcome: str) -> None:
    bug = given(fact(bugs.BugClosed, attempt=1, outcome=outcome, reason="no place fits"))

    assert (bug.status, bug.reason) == (outcome, "no place fits")


def test_update_time_is_the_brokers_and_opening_time_the_reports() -> None:
    bug = given(fact(bugs.StageFailed, stage="fix", error="E", dead_letter="d/0/0"))

    assert (bug.opened_at, bug.updated_at) == (EPOCH, EPOCH + timedelta(seconds=1))
    assert bug.failures == 1
