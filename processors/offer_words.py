"""What people read where a verified patch is offered to them: the words of a pull request."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from processors.answer_words import author, table
from processors.quoting import one_line, prose
from schemas.bugs import ReleaseRequested
from schemas.fixes import Proposal, Verdict
from schemas.projects import Project
from schemas.raw import Origin
from schemas.values import Offer

TITLE_CHARS_MAX = 72
EXPLANATION_CHARS_MAX = 1000


def offer_of(event: ReleaseRequested, proposal: Proposal, project: Project) -> Offer:
    """Return the words; the same event gives the same ones. They close nothing by themselves."""
    conclusion, summary = _verification(event)
    said = prose(proposal.explanation, chars_max=EXPLANATION_CHARS_MAX)
    parts = [
        f"**{event.name}: a fix, written by a program.** Please read it before you merge it.",
        _reported(event.reports, project),
        f"{summary}.",
        table(event.checks),
        author(proposal),
        f"In the words of that program, which nobody has checked: {said}" if said else "",
        f"<sub>Made by bugstream, a program. Bug `{event.bug_id}`, attempt {event.attempt}.</sub>",
    ]
    return Offer(
        title=title_of(event, proposal),
        body="\n\n".join(part for part in parts if part) + "\n",
        conclusion=conclusion,
        summary=summary,
    )


def title_of(event: ReleaseRequested, proposal: Proposal) -> str:
    """Return one short line, the first of the commit message too."""
    files = len(proposal.edits)
    where = proposal.edits[0].path if files == 1 else f"{files} files"
    return one_line(f"Fix {event.name} in {where}", chars_max=TITLE_CHARS_MAX)


def _verification(event: ReleaseRequested) -> tuple[Literal["success", "failure", "neutral"], str]:
    if not event.checks:
        return "neutral", "It was verified; what each check saw is in the log of bugstream"
    count = Counter(check.verdict for check in event.checks)
    seen = [
        f"{count[verdict]} {words}"
        for verdict, words in (
            (Verdict.PASSED, "passed"),
            (Verdict.FAILED, "failed"),
            (Verdict.NOT_RUN, "not run"),
        )
        if count[verdict]
    ]
    return (
        "failure" if count[Verdict.FAILED] else "success",
        f"Checks: {', '.join(seen)}",
    )


def _reported(reports: tuple[Origin, ...], project: Project) -> str:
    """Return where it was reported. What is not public here is counted, not named."""
    sources = {source.casefold() for source in project.sources}
    places: list[str] = []
    elsewhere: Counter[str] = Counter()
    for origin in reports:
        container = f"{origin.channel}:{origin.container}".casefold()
        is_here = origin.channel == "github" and container in sources
        if is_here and origin.item.isascii() and origin.item.isdecimal():
            places.append(f"{origin.container}#{origin.item}")
        else:
            elsewhere[origin.channel] += 1
    counted = [f"{number} by {channel}" for channel, number in sorted(elsewhere.items())]
    return f"Reports: {', '.join([*places, *counted])}." if reports else ""
