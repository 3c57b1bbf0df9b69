"""What the reports of one bug say together: several people may each know a part of it.

Besides the founder only members of the project are listened to: a stranger's report about a bug
that somebody trusted reported must not slip its words into the work on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from pydantic import ValidationError

from processors.ports import Blobs, ErasedError
from schemas.errors import PoisonError
from schemas.reports import BugReport, ReportLink, Snippet, Trust

OTHERS_MAX = 5
"""Reports beside the founder, the newest ones."""
DESCRIPTION_CHARS_MAX = 1_000_000


def others(reports: Sequence[ReportLink]) -> tuple[ReportLink, ...]:
    """Return the reports of members beside the founder, which is the first."""
    return tuple(link for link in reports[1:] if link.trust is Trust.MEMBER)[-OTHERS_MAX:]


def read(blobs: Blobs, founder: ReportLink, more: Sequence[ReportLink]) -> BugReport:
    """Return the founder's report with what `more` add: words, snippets, traces and steps.

    Raises `ErasedError` and `PoisonError` for the founder's; of the others it goes without those
    that are gone.
    """
    report = BugReport.model_validate_json(blobs.get(founder.report_blob))
    added = []
    for link in more:
        with suppress(ErasedError, PoisonError, ValidationError):
            added.append(BugReport.model_validate_json(blobs.get(link.report_blob)))
    if not added:
        return report
    everyone = (report, *added)
    words = "\n\n".join(
        (report.description, *(f"{one.title}\n\n{one.description}" for one in added))
    )
    traces = [trace for one in reversed(everyone) for trace in one.stack_traces]
    steps = (one.reproduction_steps for one in everyone if one.reproduction_steps)
    return report.model_copy(
        update={
            "description": words[:DESCRIPTION_CHARS_MAX],
            "snippets": _distinct(snippet for one in everyone for snippet in one.snippets),
            # The last one counts first, and the founder's is what the bug was opened for.
            "stack_traces": tuple(dict.fromkeys(traces)),
            "reproduction_steps": next(steps, ()),
        }
    )


def _distinct(snippets: Iterable[Snippet]) -> tuple[Snippet, ...]:
    return tuple({snippet.code.strip(): snippet for snippet in snippets}.values())
