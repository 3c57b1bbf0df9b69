"""The words of an answer: plain, honest, and the same for every channel, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from processors.quoting import code, prose
from schemas.bugs import NotifyRequested
from schemas.fixes import CheckResult, Proposal, Verdict
from schemas.places import Location

CHECKS_MAX = 20
PLACES_MAX = 5
_TO_COME = 'What comes of it, a verified fix or an honest "could not", is told here.'
_VERDICTS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "**failed**",
    Verdict.NOT_RUN: "not run",
}


def comment(event: NotifyRequested, proposal: Proposal | None = None) -> str:
    """Return the comment. It quotes no report and claims nothing that was not seen."""
    parts = _outcome(event, proposal) or _on_the_way(event)
    footer = f"<sub>Written by bugstream, a program. Bug `{event.bug_id}`.</sub>"
    return "\n\n".join(part for part in (*parts, footer) if part) + "\n"


def _outcome(event: NotifyRequested, proposal: Proposal | None) -> list[str]:
    """Return what is said of work that has ended; nothing of work that goes on."""
    match event.outcome:
        case "fixed":
            return _fixed(event, proposal)
        case "could_not":
            return _could_not(event)
        case "not_verified":
            return _not_verified(event)
        case "abandoned":
            return _stopped(f"**{event.name}: work on this was stopped.**", event)
        case "rejected":
            return _stopped(f"**{event.name}: a person decided against this.**", event)
        case _:
            return []


def _on_the_way(event: NotifyRequested) -> list[str]:
    match event.outcome:
        case "received":
            return [f"**{event.name}: received.**", f"{_sentence(event.reason)} {_TO_COME}".strip()]
        case "duplicate":
            return [f"**{event.name}: this is known already.**", _TO_COME]
        case "approval":
            return _approval(event)
        case "verified":
            return _verified(event)
        case "deployment":
            return [f"**{event.name}: {prose(event.reason)}.**", _about(event)]
        case "fixed" | "could_not" | "not_verified" | "abandoned" | "rejected":
            return []
        case _:
            assert_never(event.outcome)


def _fixed(event: NotifyRequested, proposal: Proposal | None) -> list[str]:
    branch, commit = code(event.branch or ""), code((event.commit or "")[:12])
    where = f", offered at {event.url}" if event.url else ""
    return [
        f"**{event.name}: a fix is ready for review.**",
        f"It is commit {commit} on branch {branch}{where}."
        " Nothing has been merged; please read it first.",
        table(event.checks),
        author(proposal),
    ]


def _could_not(event: NotifyRequested) -> list[str]:
    return [
        f"**{event.name}: no fix was found.**",
        f"{_sentence(event.reason)} Nothing was changed in the repository.",
        table(event.checks),
        _places(event.locations),
    ]


def _not_verified(event: NotifyRequested) -> list[str]:
    return [
        f"**{event.name}: not verified, for want of a reproduction.**",
        f"{_sentence(event.reason)} A patch that nothing can show to be right is not offered, so"
        " nothing was changed in the repository.",
        table(event.checks),
        _places(event.locations),
        "What would help: the full traceback, a few lines of code that show the fault, or a test"
        " that fails.",
    ]


def _approval(event: NotifyRequested) -> list[str]:
    by_hand, in_chat = f"bugstream bug approve {event.name}", f"/bug approve {event.name}"
    return [
        f"**{event.name}: a person has to decide.**",
        f"{_sentence(event.reason)} {_about(event)}",
        table(event.checks),
        _places(event.locations),
        f"To say yes: {code(by_hand)}, or {code(in_chat)} in a chat that bugstream hears.",
    ]


def _verified(event: NotifyRequested) -> list[str]:
    return [
        f"**{event.name}: a patch passed every check.**",
        f"{_about(event)} What each check saw, coverage of the changed lines included:",
        table(event.checks),
        _places(event.locations),
    ]


def _about(event: NotifyRequested) -> str:
    """Return where the report is that it all began with."""
    url = f" ({code(event.origin.url, chars_max=300)})" if event.origin.url else ""
    return f"It is about {code(event.origin.key)}{url}."


def _stopped(title: str, event: NotifyRequested) -> list[str]:
    return [title, f"{_sentence(event.reason)} Nothing was changed in the repository."]


def _sentence(reason: str) -> str:
    said = prose(reason)
    if not said:
        return ""
    return said[0].upper() + said[1:] + ("" if said.endswith((".", "!", "?", "…")) else ".")


def table(checks: Sequence[CheckResult]) -> str:
    """Return what was checked and seen, a row each; without checks nothing."""
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


def author(proposal: Proposal | None) -> str:
    """Return who wrote the lines, and where that is recorded."""
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
