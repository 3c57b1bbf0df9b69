"""Put a verified patch on a branch. Reads `release.requested`, writes `fix.released` or why not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from textwrap import fill
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from processors.base import Task
from processors.offer_words import offer_of, title_of
from processors.ports import Blobs, Done, Effect, ErasedError, Forge, Ledger, Release
from processors.quoting import inert, one_line
from schemas import topics
from schemas.branches import branch_name
from schemas.bugs import FixReleased, ReleaseDeclined, ReleaseRequested
from schemas.errors import PoisonError
from schemas.event import Event, caused_by, derived_id
from schemas.fixes import Proposal
from schemas.projects import Project

T = TypeVar("T")
NAME = "release"
EXPLANATION_CHARS_MAX = 1000
_LINE_CHARS_MAX = 72


def make(
    blobs: Blobs,
    ledger: Ledger,
    forge: Forge,
    project_of: Callable[[str], Project | None],
) -> Task:
    """Return the stage."""

    def handle(event: Event) -> Iterator[FixReleased | ReleaseDeclined]:
        if isinstance(event, ReleaseRequested):
            yield _answer(event, blobs, ledger, forge, project_of(event.project))

    return Task(NAME, (topics.BUGS_EVENTS,), (ReleaseRequested,), handle, concurrency=2)


def _answer(
    event: ReleaseRequested, blobs: Blobs, ledger: Ledger, forge: Forge, project: Project | None
) -> FixReleased | ReleaseDeclined:
    if project is None or not project.git_url:
        return _declined(event, f"project {event.project!r} has no git_url in the settings")
    try:
        proposal = Proposal.model_validate_json(blobs.get(event.patch))
    except ErasedError:
        return _declined(event, "the patch was erased at its author's wish")
    except ValidationError as error:
        raise PoisonError("the patch is not one that this release can read") from error
    branch = branch_of(event)
    trace_id = derived_id(event.event_id, "agent-trace")

    def look() -> Done | None:
        found = forge.find(project, branch)
        # Another bug may share the short name: then the branch is not ours.
        return _done(found) if found and found.trace_id == trace_id else None

    def do() -> Done:
        return _done(
            forge.release(
                project,
                branch=branch,
                base_commit=event.base_commit,
                proposal=proposal,
                message=message_of(event, proposal, trace_id),
                when=event.occurred_at,
                trace_id=trace_id,
                offer=offer_of(event, proposal, project),
            )
        )

    outcome = ledger.perform(_effect(event, branch), look=_or_declined(look), do=_or_declined(do))
    envelope = caused_by(event, NAME)
    envelope["occurred_at"] = outcome.occurred_at
    result = dict(outcome.result)
    if "declined" in result:
        return ReleaseDeclined(
            **envelope, bug_id=event.bug_id, attempt=event.attempt, reason=result["declined"]
        )
    return FixReleased(**envelope, bug_id=event.bug_id, attempt=event.attempt, **result)


def branch_of(event: ReleaseRequested) -> str:
    """Return the one branch of this attempt, such as `bugstream/bug-2026-7f3k2/a1`."""
    return branch_name(event.name, event.attempt)


def message_of(event: ReleaseRequested, proposal: Proposal, trace_id: UUID) -> str:
    """Return the commit message, trailers included; the same event gives the same bytes."""
    author = f"template {proposal.template!r}" if proposal.template else proposal.proposer
    if proposal.model:
        author = f"model {proposal.model!r}"
    paragraphs = [
        title_of(event, proposal),
        "The reproduction of the bug fails at the base commit and passes with this\n"
        "change, and every test that passed before still does.\n"
        f"Written by a program: {one_line(author, chars_max=100)}.",
    ]
    if explanation := one_line(proposal.explanation, chars_max=EXPLANATION_CHARS_MAX):
        wrapped = fill(explanation, _LINE_CHARS_MAX)
        paragraphs.append(f"In the words of that program, which nobody has checked:\n{wrapped}")
    # One paragraph at the end, which alone counts as trailers, whatever stands above.
    trailers = {
        "Bug-Id": str(event.bug_id),
        "Bug-Event-Id": str(event.event_id),
        "Agent-Trace": str(trace_id),
        "Assisted-by": "bugstream:" + one_line(proposal.model or proposal.proposer, chars_max=100),
    }
    body = inert("\n\n".join(paragraphs))
    return body + "\n\n" + "".join(f"{name}: {value}\n" for name, value in trailers.items())


def _effect(event: ReleaseRequested, branch: str) -> Effect:
    request = f"{branch}\n{event.base_commit}\n{event.patch.sha256}"
    return Effect(
        key=derived_id(event.event_id, "git.push"),
        kind="git.push",
        project=event.project,
        bug_id=event.bug_id,
        attempt=event.attempt,
        request_sha256=hashlib.sha256(request.encode()).hexdigest(),
    )


def _done(release: Release) -> Done:
    result: dict[str, Any] = {
        "branch": release.branch,
        "commit": release.commit,
        "remote": release.remote,
        "trace_id": str(release.trace_id),
    }
    more = {"url": release.url, "note": release.note}
    return Done(result | {name: said for name, said in more.items() if said})


def _or_declined(step: Callable[[], T]) -> Callable[[], T | Done]:
    """Make a refusal an outcome: it is kept and not asked for again, until somebody retries."""

    def safely() -> T | Done:
        try:
            return step()
        except PoisonError as error:
            return Done({"declined": one_line(str(error), chars_max=1000)})

    return safely


def _declined(event: ReleaseRequested, reason: str) -> ReleaseDeclined:
    return ReleaseDeclined(
        **caused_by(event, NAME), bug_id=event.bug_id, attempt=event.attempt, reason=reason
    )
