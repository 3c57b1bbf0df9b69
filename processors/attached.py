"""Read what a report has attached, where the settings allow it to be fetched.

It is the stages that look for the fault which do this, not normalize: they may take their time,
and they have the ledger. A fetch is an effect, so it happens once for each bug and address;
whoever asks again, in another stage, another attempt or after a crash, is given what it brought
then, be that the file or the reason why there is none. A replay fetches nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

from processors.ports import Attachments, Blobs, Done, Effect, ErasedError, Ledger
from processors.report_text.invisible import strip_invisible
from processors.traces import find_traces
from schemas.errors import PoisonError
from schemas.event import NAMESPACE, BlobRef, subject_id
from schemas.reports import BugReport

FETCHED_MAX = 3
"""Of one report."""
URLS_SEEN_MAX = 500
TEXT_CHARS_MAX = 200_000
"""Of each file that is read."""
FRAMES_KEPT_MAX = 50
_URL = re.compile(r"https://[!#-'*-;=?-Z\\^-~]{1,2000}")
"""An address in a text, up to a blank, a quote or a bracket."""


@dataclass(frozen=True, slots=True)
class Reading:
    """For which bug a report is read, so that its attachments are fetched once for it."""

    project: str
    bug_id: UUID
    attempt: int


Attach = Callable[[BugReport, Reading], BugReport]
"""Report -> the report with what was attached to it."""


def nothing(report: BugReport, reading: Reading) -> BugReport:
    """Return `report` as it is: no attachment is fetched."""
    del reading
    return report


@dataclass(frozen=True, slots=True)
class FetchedOnce:
    """An `Attach` that fetches what `attachments` allow."""

    attachments: Attachments
    ledger: Ledger
    blobs: Blobs

    def __call__(self, report: BugReport, reading: Reading) -> BugReport:
        """Return `report` with its attached texts behind its own words, and their traces.

        The report's own traces stay last, as they count first. Raises `TransientError` where the
        ledger cannot be asked.
        """
        texts: list[str] = []
        said: dict[str, str] = {}
        for number, url in enumerate(self._wanted(report), start=1):
            text, reason = self._text(url, report, reading)
            if text:
                texts.append(text)
            said[f"attachment {number}"] = f"{url[:150]}: {reason or 'read'}"
        if not said:
            return report
        quoted = "".join(f"\n\nAttached:\n\n{_fenced(text)}" for text in texts)
        found = tuple(trace for text in texts for trace in find_traces(text))
        short = (t.model_copy(update={"frames": t.frames[-FRAMES_KEPT_MAX:]}) for t in found)
        return report.model_copy(
            update={
                "description": report.description + quoted,
                "stack_traces": (*short, *report.stack_traces),
                "metadata": report.metadata | said,
            }
        )

    def _wanted(self, report: BugReport) -> list[str]:
        named = (*report.attachments, *_addresses(report.description))
        return [url for url in dict.fromkeys(named) if self.attachments.allows(url)][:FETCHED_MAX]

    def _text(self, url: str, report: BugReport, reading: Reading) -> tuple[str, str]:
        def do() -> Done:
            content, reason = self.attachments.fetch(url)
            if reason:
                return Done({"refused": reason[:200]})
            ref = self.blobs.put(
                content, media_type="text/plain", subject=subject_id(report.reporter)
            )
            return Done({"blob": ref.model_dump(mode="json")})

        effect = Effect(
            key=uuid5(NAMESPACE, f"attachment/{reading.bug_id}/{report.report_id}/{url}"),
            kind="attachment.fetch",
            project=reading.project,
            bug_id=reading.bug_id,
            attempt=reading.attempt,
            request_sha256=hashlib.sha256(url.encode()).hexdigest(),
        )
        # Nothing outside changes by it, so there is nothing to look for.
        result = self.ledger.perform(effect, look=lambda: None, do=do).result
        if "refused" in result:
            return "", str(result["refused"])
        try:
            content = self.blobs.get(BlobRef.model_validate(result["blob"]))
        except (ErasedError, PoisonError):
            return "", "it was erased"
        # What nobody sees in a log no model may read either.
        return strip_invisible(content.decode("utf-8", "replace")[:TEXT_CHARS_MAX])[0], ""


def _addresses(text: str) -> Iterator[str]:
    for number, found in enumerate(_URL.finditer(text)):
        if number == URLS_SEEN_MAX:
            return
        yield found.group(0).rstrip(".,;:!?'*_~")


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    return f"{'`' * (longest + 1)}\n{text}\n{'`' * (longest + 1)}"
