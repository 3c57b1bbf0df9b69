"""Answer a report where it came from. Reads `notify.requested`, writes `reporter.notified`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import assert_never

from pydantic import ValidationError

from processors.base import Task
from processors.ports import Blobs, Done, Effect, ErasedError, Ledger, Messenger
from processors.quoting import code, prose
from schemas import topics
from schemas.bugs import Location, NotifyRequested, ReporterNotified
from schemas.errors import PoisonError
from schemas.event import Event, caused_by, derived_id
from schemas.fixes import CheckResult, Proposal, Verdict
from schemas.raw import Origin

NAME = "notify"
CHECKS_MAX = 20
PLACES_MAX = 5
_VERDICTS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "**failed**",
    Verdict.NOT_RUN: "not run",
}


def make(
    blobs: Blobs,
    ledger: Ledger,
    messenger: Messenger,
    has_address: Callable[[Origin], bool],
) -> Task:
    """Return the stage. Where `has_address` is false nothing is posted, and nothing is claimed."""

    def handle(event: Event) -> Iterator[ReporterNotified]:
        if isinstance(event, NotifyRequested) and has_address(event.origin):
            yield _post(event, blobs, ledger, messenger)

    return Task(NAME, (topics.BUGS_EVENTS,), (NotifyRequested,), handle, concurrency=2)


def _post(
    event: NotifyRequested, blobs: Blobs, ledger: Ledger, messenger: Messenger
) -> ReporterNotified:
    key = derived_id(event.event_id, "message.post")

    def look() -> Done | None:
        receipt = messenger.find(event.origin, key)
        return None if receipt is None else Done({"receipt": receipt})

    def do() -> Done:
        text = comment(event, _proposal(event, blobs))
        return Done({"receipt": messenger.post(event.origin, text, key)})

    # Of what it is about, not of its words: those may be better in the next release.
    request = f"{event.origin.key}\n{event.outcome}\n{event.branch}\n{event.commit}"
    effect = Effect(
        key=key,
        kind="message.post",
        project=event.project,
        bug_id=event.bug_id,
        attempt=event.attempt,
        request_sha256=hashlib.sha256(request.encode()).hexdigest(),
    )
    outcome = ledger.perform(effect, look=look, do=do)
    envelope = caused_by(event, NAME)
    envelope["occurred_at"] = outcome.occurred_at
    return ReporterNotified(
        **envelope,
        bug_id=event.bug_id,
        attempt=event.attempt,
        origin=event.origin,
        outcome=event.outcome,
        receipt=str(outcome.result["receipt"]),
    )


def _proposal(event: NotifyRequested, blobs: Blobs) -> Proposal | None:
    # An answer that cannot say who wrote the lines is better than none.
    with suppress(ErasedError, PoisonError, ValidationError):
        if event.patch is not None:
            return Proposal.model_validate_json(blobs.get(event.patch))
    return None


def comment(event: NotifyRequested, proposal: Proposal | None = None) -> str:
    """Return the comment as Markdown. It quotes no report and claims nothing that was not seen."""
    name = event.name
    match event.outcome:
        case "fixed":
            parts = _fixed(name, event, proposal)
        case "could_not":
            parts = _could_not(name, event)
        case "not_verified":
            parts = _not_verified(name, event)
        case "abandoned":
            parts = _stopped(f"**{name}: work on this was stopped.**", event)
        case "rejected":
            parts = _stopped(f"**{name}: a person decided against this.**", event)
        case "approval_needed":
            parts = _stopped(f"**{name}: this waits for a person.**", event)
        case _:
            assert_never(event.outcome)
    footer = f"<sub>Written by bugstream, a program. Bug `{event.bug_id}`.</sub>"
    return "\n\n".join(part for part in (*parts, footer) if part) + "\n"


def _fixed(name: str, event: NotifyRequested, proposal: Proposal | None) -> list[str]:
    branch, commit = code(event.branch or ""), code((event.commit or "")[:12])
    return [
        f"**{name}: a fix is ready for review.**",
        f"It is commit {commit} on branch {branch}. Nothing has been merged; please read it first.",
        _table(event.checks),
        _author(proposal),
    ]


def _could_not(name: str, event: NotifyRequested) -> list[str]:
    return [
        f"**{name}: no fix was found.**",
        f"{_sentence(event.reason)} Nothing was changed in the repository.",
        _table(event.checks),
        _places(event.locations),
    ]


def _not_verified(name: str, event: NotifyRequested) -> list[str]:
    return [
        f"**{name}: not verified, for want of a reproduction.**",
        f"{_sentence(event.reason)} A patch that nothing can show to be right is not offered, so"
        " nothing was changed in the repository.",
        _table(event.checks),
        _places(event.locations),
        "What would help: the full traceback, a few lines of code that show the fault, or a test"
        " that fails.",
    ]


def _stopped(title: str, event: NotifyRequested) -> list[str]:
    return [title, f"{_sentence(event.reason)} Nothing was changed in the repository."]


def _sentence(reason: str) -> str:
    said = prose(reason)
    if not said:
        return ""
    return said[0].upper() + said[1:] + ("" if said.endswith((".", "!", "?", "…")) else ".")


def _table(checks: Sequence[CheckResult]) -> str:
    if not checks:
        return ""
    rows = ["| Check | Verdict | What was seen |", "|---|---|---|"]
    for check in checks[:CHECKS_MAX]:
        runs = f" ({check.runs} runs)" if check.runs > 1 else ""
        rows.append(
            f"| {prose(check.name, chars_max=80)} | {_VERDICTS[check.verdict]}{runs}"
            f" | {prose(check.summary, chars_max=200)} |"
        )
    if len(checks) > CHECKS_MAX:
        rows.append(f"| and {len(checks) - CHECKS_MAX} more | | |")
    return "\n".join(rows)


def _places(locations: Sequence[Location]) -> str:
    if not locations:
        return ""
    lines = ["Where the fault may be, most likely first:", ""]
    for place in locations[:PLACES_MAX]:
        line = f":{place.line_start}" if place.line_start else ""
        symbol = f", in {code(place.symbol)}" if place.symbol else ""
        why = f": {prose('; '.join(place.reasons), chars_max=200)}" if place.reasons else ""
        lines.append(f"- {code(place.path + line)}{symbol}{why}")
    return "\n".join(lines)


def _author(proposal: Proposal | None) -> str:
    recorded = "line by line in the git note `refs/notes/agent-trace`"
    if proposal is None:
        return f"A program wrote the change; who wrote what is recorded {recorded}."
    if proposal.model:
        who = f"The language model {code(proposal.model)} wrote the change"
    elif proposal.template:
        who = f"The repair template {code(proposal.template)}, no language model, made the change"
    else:
        who = f"The program {code(proposal.proposer)} wrote the change"
    files = ", ".join(code(edit.path) for edit in proposal.edits[:PLACES_MAX])
    more = len(proposal.edits) - PLACES_MAX
    and_more = f" and {more} more" if more > 0 else ""
    return f"{who} in {files}{and_more}. This is recorded {recorded}."
