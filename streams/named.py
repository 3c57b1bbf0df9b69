"""What people name at a terminal when two bugs are one, or a report is of another fault."""

from __future__ import annotations

from uuid import UUID

from projections.bugs import Bug
from projections.views import Views
from schemas.errors import UserError

REPORTS_NAMED_MAX = 10
START_CHARS_MIN = 4


def pair_of(views: Views, given: str, into: str) -> tuple[Bug, Bug]:
    """Return the two bugs that `given` and `into` are part of now, the older one first.

    Raises `UserError` where they cannot be one: it saves the way through the log.
    """
    one, other = views.survivor(views.find(given)), views.survivor(views.find(into))
    if one.bug_id == other.bug_id:
        raise UserError(f"{given} and {into} are one bug already: {one.human_id}")
    if one.project != other.project:
        raise UserError(
            f"--into: {other.human_id} is of project {other.project!r}, {one.human_id} of"
            f" {one.project!r}: bugs of different projects are never merged"
        )
    older, newer = sorted((one, other), key=lambda bug: (bug.opened_at, bug.bug_id))
    return older, newer


def report_of(bug: Bug, given: str) -> UUID:
    """Return the report of `bug` with this id, this start of one, or this place or address.

    Raises `UserError`, which names the reports there are.
    """
    given = given.strip()
    found = [link for link in bug.reports if given in {link.origin.key, link.origin.url}]
    if not found and len(given) >= START_CHARS_MIN:
        start = given.lower()
        found = [link for link in bug.reports if str(link.report_id).startswith(start)]
    if not found and bug.report_count > len(bug.reports):
        return _id(given)  # Of so many reports not all are listed.
    if len(found) != 1:
        named = [f"{link.origin.key} ({link.report_id})" for link in bug.reports]
        more = ", ..." if len(named) > REPORTS_NAMED_MAX else ""
        what = "several reports are called so" if found else "it has no such report"
        raise UserError(
            f"--report: {bug.human_id}: {what}; there are:"
            f" {', '.join(named[:REPORTS_NAMED_MAX])}{more}"
        )
    if bug.report_count == 1:
        raise UserError(f"--report: it is the only report of {bug.human_id}: nothing would be left")
    return found[0].report_id


def _id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError as error:
        raise UserError(f"--report: {given[:80]!r} is not listed; give its whole id") from error
