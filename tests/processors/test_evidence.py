"""What several reports of one bug say is heard together, members first."""

from __future__ import annotations

from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from processors.evidence import OTHERS_MAX, others, read
from schemas.reports import BugReport, Frame, ReportLink, Snippet, StackTrace, Trust
from schemas.values import ErasedError
from tests.factories import LINK


def trace(where: str) -> StackTrace:
    return StackTrace(language="python", exception="E", frames=(Frame(path=where, line=1),))


def link(
    blobs: MemoryBlobs, number: int, words: str = "", *, trust: Trust = Trust.MEMBER, **more: object
) -> ReportLink:
    origin = LINK.origin.model_copy(update={"item": str(number)})
    report = BugReport(
        report_id=UUID(int=number),
        origin=origin,
        title=f"Title {number}",
        description=words,
        **more,  # type: ignore[arg-type]
    )
    ref = blobs.put(
        report.model_dump_json().encode(), media_type="application/json", subject=f"s{number}"
    )
    return LINK.model_copy(
        update={"report_id": report.report_id, "origin": origin, "report_blob": ref, "trust": trust}
    )


def test_strangers_are_not_heard_beside_the_founder() -> None:
    blobs = MemoryBlobs()
    founder = link(blobs, 1, trust=Trust.STRANGER)
    member, stranger = link(blobs, 2), link(blobs, 3, trust=Trust.STRANGER)

    assert others((founder, member, stranger)) == (member,)


def test_of_many_the_newest_are_heard() -> None:
    blobs = MemoryBlobs()
    links = tuple(link(blobs, number) for number in range(1, OTHERS_MAX + 4))

    assert others(links) == links[-OTHERS_MAX:]


def test_words_snippets_and_traces_of_all_are_there_and_the_founders_trace_counts_first() -> None:
    blobs = MemoryBlobs()
    snippet = Snippet(language="python", code="total(order)")
    founder = link(blobs, 1, "It fails.", stack_traces=(trace("a.py"),), snippets=(snippet,))
    more = link(
        blobs,
        2,
        "tests/test_x.py::test_y fails.",
        stack_traces=(trace("b.py"), trace("a.py")),
        snippets=(snippet, Snippet(language="python", code="other()")),
        reproduction_steps=("Buy tea.",),
    )

    found = read(blobs, founder, (more,))

    assert found.title == "Title 1"
    assert found.description == "It fails.\n\nTitle 2\n\ntests/test_x.py::test_y fails."
    assert [one.code for one in found.snippets] == ["total(order)", "other()"]
    assert found.stack_traces[-1] == trace("a.py")
    assert found.reproduction_steps == ("Buy tea.",)


def test_who_was_erased_is_gone_without_the_others() -> None:
    blobs = MemoryBlobs()
    founder, more = link(blobs, 1, "It fails."), link(blobs, 2, "It fails here, too.")
    blobs.erase("s2")

    assert read(blobs, founder, (more,)).description == "It fails."

    blobs.erase("s1")
    with pytest.raises(ErasedError):
        read(blobs, founder, (more,))
