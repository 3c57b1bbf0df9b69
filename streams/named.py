"""What people name at a terminal when two bugs are one, or two, or a report is elsewhere."""

from __future__ import annotations

from uuid import UUID

from projections.bugs import Bug
from projections.views import Views
from schemas.errors import UserError

REPORTS_NAMED_MAX = 10
START_CHARS_MIN = 4


def two_of(views: Views, given: str, other: str, *, option: str) -> tuple[Bug, Bug]:
    """Return the two bugs that `given` and `other`, named by `option`, are part of now.

    Raises `UserError` where they are one or can never be: it saves the way through the log.
    """
    one, two = views.survivor(views.find(given)), views.survivor(views.find(other))
    if one.bug_id == two.bug_id:
        raise UserError(
            f"{given} and {other} are one bug already: {one.human_id}. A report of another fault is"
            f" taken out of it with `bugstream bug split {one.human_id} --report REPORT`"
        )
    if one.project != two.project:
        raise UserError(
            f"{option}: {two.human_id} is of project {two.project!r}, {one.human_id} of"
            f" {one.project!r}: bugs of different projects are never merged"
        )
    return one, two


def pair_of(views: Views, given: str, into: str) -> tuple[Bug, Bug]:
    """Return what `two_of` does, the older one first."""
    found = two_of(views, given, into, option="--into")
    older, newer = sorted(found, key=lambda bug: (bug.opened_at, bug.bug_id))
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
