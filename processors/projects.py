"""Which project a report belongs to, and whether its reporter is one of the members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import UNASSIGNED, Trust

_GITHUB_MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


@dataclass(frozen=True, slots=True)
class Mapping:
    """A project id, and the rule that led to it."""

    project: str
    reason: str


def project_of(projects: Sequence[Project], origin: Origin) -> Mapping:
    """Return the project whose longest matching source names this origin."""
    place = f"{origin.channel}:{origin.container}".casefold()
    best: tuple[int, str, str] | None = None
    for project in projects:
        for source in project.sources:
            if _matches(source.casefold(), place) and (best is None or len(source) > best[0]):
                best = (len(source), project.id, source)
    if best is None:
        return Mapping(UNASSIGNED, f"no project lists the source {place!r}")
    return Mapping(best[1], f"source {best[2]!r} of project {best[1]!r}")


def trust_of(project: Project | None, *, account: str, association: str) -> tuple[Trust, str]:
    """Return whether `account` (`channel:login`) is a member, and which rule says so."""
    if account.startswith("github:") and association.upper() in _GITHUB_MEMBERS:
        return Trust.MEMBER, f"GitHub says {association.upper()}"
    if is_member(project, account):
        return Trust.MEMBER, "listed in the project's members"
    return Trust.STRANGER, "not a member of the project"


def is_member(project: Project | None, account: str) -> bool:
    """Return whether the settings list `account`, such as `slack:T01:U02`, in the project."""
    members = {_folded(member) for member in project.members} if project else set()
    return _folded(account) in members


def _folded(account: str) -> str:
    """Return `account` in small letters; with a letter that only folds to one of theirs, as it is.

    The Kelvin sign becomes a k, and a long s an s: whoever signs up with them is somebody else.
    """
    folded = account.casefold()
    return folded if account.isascii() or not folded.isascii() else account


def _matches(source: str, place: str) -> bool:
    return place.startswith(source[:-1]) if source.endswith("*") else source == place
