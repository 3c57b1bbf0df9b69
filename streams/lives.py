"""Made-up but complete lives of bugs, for proofs: every event type, in an order that can happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import uuid5

from schemas import bugs, identity, rollouts
from schemas.event import NAMESPACE, Actor, ActorKind, BlobRef, BugScoped, human_id, subject_id
from schemas.fixes import CheckResult, OracleKind, Verdict
from schemas.places import Location
from schemas.raw import Origin
from schemas.registry import BY_TYPE
from schemas.reports import ReportLink, Severity, Trust

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BUDGET_USD_MICROS = 2 * bugs.USD_MICROS
ATTEMPTS_MAX = 3


def lives(seed: int, count: int) -> Iterator[BugScoped]:
    """Yield the facts of `count` bugs, interleaved as on a busy day; the same for the same seed."""
    random = Random(seed)  # noqa: S311  # a story, not a secret
    waiting = [iter(life(random, number)) for number in range(count)]
    while waiting:
        which = random.randrange(len(waiting))
        event = next(waiting[which], None)
        if event is None:
            waiting[which] = waiting[-1]
            waiting.pop()
        else:
            yield event


def life(random: Random, number: int) -> list[BugScoped]:
    """Return the facts of one bug, in their order."""
    story = _Story(random, number)
    story.tell()
    return story.events


class _Story:
    def __init__(self, random: Random, number: int) -> None:
        self.random = random
        self.number = number
        self.bug_id = uuid5(NAMESPACE, f"life/{number}/{random.random()}")
        self.name = human_id(self.bug_id, EPOCH.year)
        self.project = f"project-{number % 5}"
        self.now = EPOCH + timedelta(seconds=number)
        self.name = human_id(self.bug_id, EPOCH.year)
        self.events: list[BugScoped] = []
        self.attempt = 1
        self.report = self.link(0)

    def tell(self) -> None:
        self.say(bugs.BugOpened, report=self.report, fingerprints=("f",))
        self.say(bugs.LocateRequested, attempt=1, report=self.report)
        self.gossip()
        if self.chance(0.1):
            self.say(bugs.LocateDeclined, attempt=1, reason="the project has no repository")
            return self.close("could_not", "the project has no repository")
        if self.chance(0.05):
            return self.merge()
        where = (Location(path="shop/cart.py", line_start=7, score=1.0, reasons=("frame",)),)
        self.say(
            bugs.BugLocated, attempt=1, base_commit="c" * 40, locations=where, method="trace frames"
        )
        if self.report.trust is Trust.STRANGER and not self.approve("fix"):
            return self.close("rejected", "a person said no")
        while not self.fixed():
            if self.attempt == ATTEMPTS_MAX or self.chance(0.3):
                return self.close("could_not", "no patch passed")
            self.attempt += 1
            self.say(bugs.RetryAccepted, attempt=self.attempt, actor=_PERSON)
        return self.release()

    def gossip(self) -> None:
        """Let people talk about it: more reports, edits, comments, suggestions."""
        for index in range(1, self.random.randrange(4) + 1):
            link = self.link(index)
            matched = self.report.report_id
            self.say(
                bugs.ReportLinked,
                report=link,
                rule="exact",
                similarity=1,
                matched_report_id=matched,
            )
            if self.chance(0.3):
                self.say(bugs.ReportUpdated, report=self.link(index))
            if self.chance(0.2):
                new = uuid5(self.bug_id, f"split/{index}")
                reason = "another fault"
                of = {"report_id": link.report_id, "new_bug_id": new, "reason": reason}
                self.say(identity.BugSplit, **of, actor=_PERSON)
        if self.chance(0.4):
            comment = {"report_id": self.report.report_id, "comment_blob": self.blob("comment")}
            self.say(bugs.CommentAdded, trust=Trust.STRANGER, **comment)
        if self.chance(0.2):
            other = {"other_bug_id": uuid5(self.bug_id, "other")}
            self.say(bugs.LinkSuggested, **other, similarity=0.7)
            founder = {"other_report_id": uuid5(self.bug_id, "other/report")}
            self.say(identity.ApartRequested, **other, **founder, actor=_PERSON)
            self.say(identity.BugsKeptApart, **other, reason="two faults", actor=_PERSON)
        if self.chance(0.1):
            merged = uuid5(self.bug_id, "absorbed")
            self.say(identity.BugAbsorbed, merged_bug_id=merged, reports=(self.link(9),))

    def approve(self, subject: str) -> bool:
        of = {"attempt": self.attempt, "subject": subject}
        self.say(bugs.ApprovalRequested, **of, reason="a stranger reported it")
        if self.chance(0.2):
            command = {"command": "bug.retry", "reason": "it waits for an approval"}
            self.say(bugs.CommandRefused, **command)
        yes = self.chance(0.8)
        answer = bugs.ApprovalGranted if yes else bugs.ApprovalRejected
        self.say(answer, **of, actor=_PERSON)
        return yes

    def fixed(self) -> bool:
        """Tell one attempt; return whether its patch passed."""
        of: dict[str, Any] = {"attempt": self.attempt, "base_commit": "c" * 40}
        self.say(bugs.FixRequested, **of, report=self.report, budget_usd_micros=BUDGET_USD_MICROS)
        for _ in range(self.random.randrange(4)):
            self.spend()
        if self.chance(0.1):
            dead = {"error": "PoisonError", "dead_letter": "fix.dlq/0/1"}
            self.say(bugs.StageFailed, stage="fix", actor=Actor.stage("fix"), **dead)
        if self.chance(0.3):
            outcome = {"outcome": "could_not", "reason": "nothing to try", "candidates_tried": 9}
            self.say(bugs.FixDeclined, attempt=self.attempt, **outcome)
            return False
        patch = {"patch": self.blob("patch"), "files": ("shop/cart.py",)}
        who = {"proposer": "template", "oracle": OracleKind.SUITE_TEST, "candidates_tried": 3}
        self.say(bugs.FixProposed, **of, **patch, **who)
        self.say(bugs.VerifyRequested, **of, patch=patch["patch"])
        passed = self.chance(0.7)
        check = CheckResult(
            name="oracle",
            verdict=Verdict.PASSED if passed else Verdict.FAILED,
            summary="red before, green after" if passed else "still red",
            command="python -m pytest -q",
        )
        if passed:
            self.say(bugs.FixVerified, **of, patch=patch["patch"], checks=(check,))
        else:
            verdict = {"verdict": "failed", "reason": "still red", "checks": (check,)}
            self.say(bugs.FixRejected, attempt=self.attempt, **verdict)
        return passed

    def spend(self) -> None:
        cost = {"cost_usd_micros": self.random.randrange(90_000), "tokens_in": 900, "tokens_out": 9}
        key = uuid5(self.bug_id, f"call/{len(self.events)}")
        self.say(bugs.BudgetSpent, attempt=self.attempt, effect_key=key, model="claude", **cost)

    def release(self) -> None:
        if self.chance(0.2) and not self.approve("release"):
            return self.close("rejected", "a person said no")
        of: dict[str, Any] = {"attempt": self.attempt}
        verified = self.events[-1].event_id
        patch = {"base_commit": "c" * 40, "patch": self.blob("patch"), "verification": verified}
        self.say(bugs.ReleaseRequested, **of, **patch, name=self.name)
        if self.chance(0.1):
            self.say(bugs.ReleaseDeclined, **of, reason="the remote refused")
            return self.close("could_not", "the remote refused")
        commit = sha256(self.bug_id.bytes).hexdigest()[:40]
        branch = f"bugfix/{self.bug_id}/a{self.attempt}"
        trace = {"remote": "file:///srv/shop.git", "trace_id": uuid5(self.bug_id, "trace")}
        self.say(bugs.FixReleased, **of, branch=branch, commit=commit, **trace)
        self.close("fixed", "the patch is on its branch")
        if self.chance(0.3):
            self.roll_out(commit)
        return None

    def roll_out(self, commit: str) -> None:
        of: dict[str, Any] = {"attempt": self.attempt}
        self.say(rollouts.RolloutRequested, **of, strategy="canary", commit=commit)
        of |= {"rollout_id": uuid5(self.bug_id, "rollout")}
        self.say(rollouts.RolloutStarted, **of, share_percent=10)
        if self.chance(0.7):
            self.say(rollouts.RolloutPromoted, **of, share_percent=100)
            self.say(rollouts.RolloutCompleted, **of, outcome="live")
        else:
            self.say(rollouts.RolloutHalted, **of, reason="the error rate rose")
            self.say(rollouts.RolloutCompleted, **of, outcome="rolled_back")

    def merge(self) -> None:
        into = uuid5(self.bug_id, "older")
        older = {"other_bug_id": into, "other_opened_at": EPOCH, "actor": _PERSON}
        self.say(identity.MergeRequested, **older)
        self.say(identity.BugMerged, into_bug_id=into, reason="the same fault", actor=_PERSON)

    def close(self, outcome: str, reason: str) -> None:
        of: dict[str, Any] = {"attempt": self.attempt, "outcome": outcome, "reason": reason}
        answer = {**of, "outcome": "abandoned"} if outcome == "rejected" else of
        self.say(bugs.NotifyRequested, **answer, name=self.name, origin=self.report.origin)
        self.say(bugs.BugClosed, **of)
        receipt = {"outcome": outcome, "receipt": f"comment-{self.number}"}
        self.say(bugs.ReporterNotified, attempt=self.attempt, origin=self.report.origin, **receipt)

    def link(self, index: int) -> ReportLink:
        item = f"{self.number}-{index}"
        origin = Origin(channel="github", container=f"acme/{self.project}", item=item)
        return ReportLink(
            report_id=origin.report_id,
            origin=origin,
            report_blob=self.blob(f"report/{index}/{len(self.events)}"),
            reporter=subject_id(f"github:someone-{index}"),
            trust=self.random.choice(list(Trust)),
            severity=self.random.choice(list(Severity)),
            content_sha256=sha256(item.encode()).hexdigest(),
        )

    def blob(self, what: str) -> BlobRef:
        digest = sha256(f"{self.bug_id}/{what}".encode()).hexdigest()
        return BlobRef(sha256=digest, size_bytes=9, media_type="application/json", subject="s")

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def say(self, fact: type[Any], /, **fields: Any) -> None:
        self.now += timedelta(milliseconds=self.random.randrange(1, 60_000))
        writer = BY_TYPE[fact.model_fields["type"].default].writer
        envelope = {
            "event_id": uuid5(self.bug_id, str(len(self.events))),
            "project": self.project,
            "bug_id": self.bug_id,
            "actor": Actor.stage(writer),
            "occurred_at": self.now,
            "causation_id": self.events[-1].event_id if self.events else None,
            "correlation_id": self.bug_id,
        }
        self.events.append(fact(**(envelope | fields)))


_PERSON = Actor(kind=ActorKind.PERSON, id=subject_id("github:lead"))
