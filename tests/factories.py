"""Builders that fill in what a test does not care about, and one example of every event type."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from schemas import bugs, commands, identity, links, reports, rollouts
from schemas.event import Actor, ActorKind, BlobRef, Event, derived_id, subject_id
from schemas.fixes import CheckResult, OracleKind, Verdict
from schemas.places import Impact, Location, Owner
from schemas.raw import Origin, RawReceived
from schemas.reports import BugReport, ReportLink, ReportNormalized, Severity, Trust

EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEED = UUID(int=1)
ORIGIN = Origin(channel="github", container="acme/shop", item="12")
REPORT_ID = ORIGIN.report_id
BUG_ID = derived_id(REPORT_ID, "bug")
PERSON = Actor(kind=ActorKind.PERSON, id=subject_id("github:octocat"))
BLOB = BlobRef(
    sha256="ab" * 32, size_bytes=3, media_type="application/json", subject=subject_id("github:ann")
)
LINK = ReportLink(
    report_id=REPORT_ID,
    origin=ORIGIN,
    report_blob=BLOB,
    reporter=subject_id("github:ann"),
    trust=Trust.MEMBER,
    severity=Severity.HIGH,
    content_sha256="cd" * 32,
)
CHECK = CheckResult(
    name="oracle", verdict=Verdict.PASSED, summary="red before, green after", command="pytest"
)
PLACE = Location(
    path="shop/cart.py", line_start=7, line_end=9, symbol="total", score=1.0, reasons=("frame 1",)
)
OWNED_PLACE = PLACE.model_copy(
    update={
        "owner": Owner(
            hand="mixed",
            evidence="trace",
            commits=("c" * 40,),
            models=("acme/m1",),
            conversations=("https://talks.example/1",),
            people=(BLOB,),
            reviewer=BLOB,
        ),
        "impact": Impact(
            callers=3,
            callers_by_name=2,
            direct=4,
            tests=1,
            reached_by=("tests/test_cart.py:test_total",),
            is_public=True,
            public=("shop/cart.py:total",),
            public_count=1,
            blast_radius=0.4118,
        ),
    }
)


def envelope(name: str, *, bug_id: UUID | None = BUG_ID, **changes: Any) -> dict[str, Any]:
    """Return the envelope fields of an event called `name`; its id depends on the name alone."""
    return {
        "event_id": uuid5(SEED, name),
        "project": "shop",
        "bug_id": bug_id,
        "actor": Actor.stage("test"),
        "occurred_at": EPOCH,
        "causation_id": SEED,
        "correlation_id": SEED,
        **changes,
    }


def raw_http(
    text: str = "total() raises on an empty cart", *, item: str = "1", **fields: Any
) -> RawReceived:
    """Return a delivery to the HTTP route: title and description are `text`."""
    body = json.dumps(
        {"tool": "pager", "id": item, "title": text[:200], "description": text, **fields}
    )
    return _raw(Origin(channel="http", container="pager", item=item), "http/receive", body)


def raw_github(action: str = "opened", *, comment: str | None = None, **issue: Any) -> RawReceived:
    """Return a GitHub delivery about issue 12 of acme/shop; `issue` overrides its fields."""
    user = {"login": "ann", "type": "User"}
    payload: dict[str, Any] = {
        "action": action,
        "issue": {
            "number": 12,
            "title": "total() fails",
            "body": "It says ZeroDivisionError.",
            "user": user,
            "author_association": "MEMBER",
            "state": "open",
            "labels": [],
            "html_url": "https://github.example/acme/shop/issues/12",
            "created_at": "2026-01-02T03:04:05Z",
            **issue,
        },
        "repository": {"full_name": "acme/shop"},
    }
    if comment is not None:
        payload["comment"] = {"body": comment, "user": user, "author_association": "NONE"}
    route = "github/issues" if comment is None else "github/issue_comment"
    return _raw(ORIGIN, route, json.dumps(payload))


def _raw(origin: Origin, route: str, body: str) -> RawReceived:
    digest = hashlib.sha256(body.encode()).hexdigest()
    return RawReceived(
        **envelope(f"raw/{origin.key}/{digest}", bug_id=None, project="unassigned"),
        origin=origin,
        route=route,
        delivery_id=digest[:12],
        content_type="application/json",
        body=body,
        content_sha256=digest,
        authenticated=True,
    )


def normalized(
    description: str = "It fails.", *, item: str = "12", title: str = "total() fails", **more: Any
) -> ReportNormalized:
    """Return a normalized report of issue `item`; its content hash follows its text."""
    origin = Origin(channel="github", container="acme/shop", item=item)
    digest = hashlib.sha256(f"{title}\0{description}".encode()).hexdigest()
    report = BugReport(
        report_id=origin.report_id,
        origin=origin,
        title=title,
        description=description,
        reporter="github:ann",
        **{k: v for k, v in more.items() if k in BugReport.model_fields},
    )
    return ReportNormalized(
        **envelope(f"normalized/{origin.key}/{digest}", bug_id=None),
        report=report,
        report_blob=BLOB,
        trust=more.get("trust", Trust.MEMBER),
        trust_reason="GitHub says MEMBER",
        project_reason="source",
        content_sha256=digest,
    )


def opened(*, trust: Trust = Trust.MEMBER) -> bugs.BugOpened:
    """Return the first event of the bug."""
    link = LINK.model_copy(update={"trust": trust})
    return bugs.BugOpened(**envelope("bug.opened"), report=link, fingerprints=("f1",))


OTHER_BUG = UUID(int=77)
ROLLOUT = UUID(int=88)
_WORK: dict[str, Any] = {"attempt": 1}

EXAMPLES: tuple[Event, ...] = (
    raw_github(),
    normalized(),
    reports.ReportCommented(
        **envelope("report.commented", bug_id=None),
        report_id=REPORT_ID,
        origin=ORIGIN,
        comment_blob=BLOB,
        trust=Trust.STRANGER,
    ),
    commands.ApproveBug(**envelope("bug.approve", actor=PERSON), note=BLOB),
    commands.RejectBug(**envelope("bug.reject", actor=PERSON)),
    commands.RetryBug(**envelope("bug.retry", actor=PERSON)),
    commands.AbandonBug(**envelope("bug.abandon", actor=PERSON)),
    commands.MergeBugs(**envelope("bug.merge", actor=PERSON), other_bug_id=OTHER_BUG),
    commands.SplitReport(**envelope("bug.split_report", actor=PERSON), report_id=REPORT_ID),
    commands.KeepApart(**envelope("bug.keep_apart", actor=PERSON), other_bug_id=OTHER_BUG),
    opened(),
    bugs.ReportLinked(
        **envelope("report.linked"),
        report=LINK.model_copy(update={"report_id": UUID(int=5)}),
        rule="same-text",
        similarity=1.0,
        matched_report_id=REPORT_ID,
        evidence=("the same words",),
    ),
    bugs.ReportUpdated(**envelope("report.updated"), report=LINK),
    bugs.CommentAdded(
        **envelope("comment.added"),
        report_id=REPORT_ID,
        comment_blob=BLOB,
        trust=Trust.STRANGER,
    ),
    bugs.LinkSuggested(
        **envelope("link.suggested"), other_bug_id=OTHER_BUG, similarity=0.7, evidence=("words",)
    ),
    identity.MergeRequested(
        **envelope("merge.requested", actor=PERSON), other_bug_id=OTHER_BUG, other_opened_at=EPOCH
    ),
    identity.BugMerged(
        **envelope("bug.merged", actor=PERSON), into_bug_id=OTHER_BUG, reason="a person said so"
    ),
    identity.BugAbsorbed(**envelope("bug.absorbed"), merged_bug_id=OTHER_BUG, reports=(LINK,)),
    identity.BugSplit(
        **envelope("bug.split", actor=PERSON),
        report_id=REPORT_ID,
        new_bug_id=OTHER_BUG,
        reason="another fault",
    ),
    identity.ApartRequested(
        **envelope("apart.requested", actor=PERSON),
        other_bug_id=OTHER_BUG,
        other_report_id=UUID(int=5),
    ),
    identity.BugsKeptApart(
        **envelope("bug.kept_apart", actor=PERSON), other_bug_id=OTHER_BUG, reason="two faults"
    ),
    links.ReportsJoined(
        **envelope("reports.joined", bug_id=None),
        report_ids=links.pair(REPORT_ID, UUID(int=5)),
        merged_bug_id=BUG_ID,
        into_bug_id=OTHER_BUG,
    ),
    links.ReportsParted(
        **envelope("reports.parted", bug_id=None), report_ids=links.pair(REPORT_ID, UUID(int=5))
    ),
    links.ReportMoved(
        **envelope("report.moved", bug_id=None),
        report=LINK,
        from_bug_id=BUG_ID,
        from_name="BUG-2026-7F3K2",
        to_bug_id=OTHER_BUG,
        beside_report_id=UUID(int=5),
        why="split",
        founds=True,
    ),
    bugs.LocateRequested(**envelope("locate.requested"), **_WORK, report=LINK),
    bugs.BugLocated(
        **envelope("bug.located"),
        **_WORK,
        base_commit="a" * 40,
        locations=(OWNED_PLACE,),
        method="stack trace",
    ),
    bugs.LocateDeclined(**envelope("locate.declined"), **_WORK, reason="no git_url"),
    bugs.FixRequested(
        **envelope("fix.requested"),
        **_WORK,
        report=LINK,
        base_commit="a" * 40,
        locations=(PLACE,),
        budget_usd_micros=2_000_000,
    ),
    bugs.FixProposed(
        **envelope("fix.proposed"),
        **_WORK,
        base_commit="a" * 40,
        patch=BLOB,
        proposer="template",
        oracle=OracleKind.SNIPPET,
        files=("shop/cart.py",),
        candidates_tried=12,
    ),
    bugs.FixDeclined(
        **envelope("fix.declined"), **_WORK, outcome="could_not", reason="no candidate passed"
    ),
    bugs.BudgetSpent(
        **envelope("budget.spent"),
        **_WORK,
        effect_key=UUID(int=6),
        model="claude-sonnet-5-5",
        cost_usd_micros=1200,
        tokens_in=300,
        tokens_out=40,
    ),
    bugs.VerifyRequested(**envelope("verify.requested"), **_WORK, base_commit="a" * 40, patch=BLOB),
    bugs.FixVerified(
        **envelope("fix.verified"), **_WORK, base_commit="a" * 40, patch=BLOB, checks=(CHECK,)
    ),
    bugs.FixRejected(
        **envelope("fix.rejected"),
        **_WORK,
        verdict="failed",
        reason="a test that passed now fails",
        checks=(CHECK.model_copy(update={"verdict": Verdict.FAILED}),),
    ),
    bugs.ApprovalRequested(
        **envelope("approval.requested"), **_WORK, subject="fix", reason="not a member"
    ),
    bugs.ApprovalGranted(**envelope("approval.granted", actor=PERSON), **_WORK, subject="fix"),
    bugs.ApprovalRejected(**envelope("approval.rejected", actor=PERSON), **_WORK, subject="fix"),
    bugs.RetryAccepted(**envelope("retry.accepted", actor=PERSON), attempt=2),
    bugs.CommandRefused(
        **envelope("command.refused"), command="bug.approve", reason="nothing waits"
    ),
    bugs.ReleaseRequested(
        **envelope("release.requested"),
        **_WORK,
        base_commit="a" * 40,
        patch=BLOB,
        verification=UUID(int=7),
        name="BUG-2026-7F3K2",
    ),
    bugs.FixReleased(
        **envelope("fix.released"),
        **_WORK,
        branch="bugstream/bug-2026-7f3k2/a1",
        commit="b" * 40,
        remote="file:///srv/shop.git",
        trace_id=UUID(int=8),
    ),
    bugs.ReleaseDeclined(**envelope("release.declined"), **_WORK, reason="the remote refuses"),
    bugs.BugClosed(**envelope("bug.closed"), **_WORK, outcome="fixed", reason="verified"),
    bugs.NotifyRequested(
        **envelope("notify.requested"),
        **_WORK,
        name="BUG-2026-7F3K2",
        origin=ORIGIN,
        outcome="fixed",
        reason="verified",
        branch="bugstream/bug-2026-7f3k2/a1",
        commit="b" * 40,
        checks=(CHECK,),
        locations=(PLACE,),
    ),
    bugs.ReporterNotified(
        **envelope("reporter.notified"), **_WORK, origin=ORIGIN, outcome="fixed", receipt="c1"
    ),
    bugs.StageFailed(
        **envelope("stage.failed"), stage="fix", error="PoisonError", dead_letter="fix.dlq/0/1"
    ),
    rollouts.RolloutRequested(
        **envelope("rollout.requested"), **_WORK, strategy="canary", commit="b" * 40
    ),
    rollouts.RolloutStarted(
        **envelope("rollout.started"), **_WORK, rollout_id=ROLLOUT, share_percent=10
    ),
    rollouts.RolloutPromoted(
        **envelope("rollout.promoted"), **_WORK, rollout_id=ROLLOUT, share_percent=50
    ),
    rollouts.RolloutHalted(
        **envelope("rollout.halted"), **_WORK, rollout_id=ROLLOUT, reason="error rate"
    ),
    rollouts.RolloutCompleted(
        **envelope("rollout.completed"), **_WORK, rollout_id=ROLLOUT, outcome="live"
    ),
)
"""One event of every type: the golden files, and what every fold must answer."""
