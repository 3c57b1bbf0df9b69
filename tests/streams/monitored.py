"""What the later stages make of an inbox: for tests that begin at a door."""

from __future__ import annotations

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from processors.dedupe import DedupeState
from processors.normalize import normalize
from schemas.codec import decode
from schemas.raw import RawReceived
from schemas.reports import BugReport, ReportNormalized
from streams.channels import PARSERS


def kept(inbox: Inbox) -> list[RawReceived]:
    """Return what the relay would send, in its order."""
    inbox.number(10_000)
    events = [decode(row.event) for row in inbox.numbered(1, 10_000)]
    return [event for event in events if isinstance(event, RawReceived)]


def bugs_of(inbox: Inbox, blobs: MemoryBlobs) -> list[tuple[str, BugReport]]:
    """Return what dedupe says of each report, by the type of its event, with the report."""
    state = DedupeState(0)
    found: list[tuple[str, BugReport]] = []
    last: BugReport | None = None
    for raw in kept(inbox):
        for said in normalize(raw, blobs, (), PARSERS):
            last = said.report if isinstance(said, ReportNormalized) else last
            assert last is not None
            found += [(event.type, last) for event in state.decide(said).events]
    return found
