from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.blobs import MemoryBlobs
from processors.attached import Attach, Reading, nothing
from processors.locate import LOCATIONS_MAX, locations_of, make
from processors.locating.code_index import index_of
from processors.locating.history import History
from processors.locating.ranking import rank
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.errors import PoisonError
from schemas.places import Location
from schemas.projects import Project
from schemas.reports import BugReport, Frame
from schemas.target_tests import is_test
from streams.symbol_index import MemorySymbolIndex
from tests.factories import LINK, envelope
from tests.processors.locating.reports import report

SOURCES = {
    "shop/cart.py": "def total(prices):\n    return sum(prices) / len(prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.amount\n",
    "tests/test_pay.py": "def test_refund_of_invoice(): refund(invoice)\n",
}
SHOP = Project(id="shop", git_url="file:///srv/shop.git")


def locate(said: BugReport, sources: Mapping[str, str] = SOURCES) -> list[Location]:
    return locations_of(rank(said, index_of(sources), History()))


def test_the_innermost_frame_of_the_repository_comes_first() -> None:
    places = locate(
        report(
            "It fails",
            Frame(path="/app/shop/pay.py", line=2, function="refund"),
            Frame(path="/app/shop/cart.py", line=2, function="total"),
            Frame(path="/usr/lib/python3.11/statistics.py", line=9),
        ),
    )

    assert [(p.path, p.line_start) for p in places[:2]] == [("shop/cart.py", 2), ("shop/pay.py", 2)]
    assert places[0].symbol == "total"


def test_without_a_trace_shared_words_rank_code_and_no_tests() -> None:
    places = locate(report("The refund of an invoice has a wrong amount"))

    assert (places[0].path, places[0].symbol) == ("shop/pay.py", "refund")
    assert all(not is_test(place.path) for place in places)


def test_a_line_outside_functions_is_a_place_where_a_trace_leads_there() -> None:
    places = locate(report("Crash", Frame(path="x/run.py", line=2)), {"x/run.py": "a = 1\na.b\n"})

    assert [(p.path, p.line_start, p.symbol) for p in places] == [("x/run.py", 2, "")]


def test_a_good_file_without_a_good_function_is_a_place_as_a_whole() -> None:
    crowd = {
        "a.py": "".join(f"def refund_{n}(): pass\n" for n in range(20)),
        "refund.py": "x = 1\n",
    }
    places = locate(report("refund"), crowd)

    assert len(places) == LOCATIONS_MAX
    assert [(p.path, p.line_start) for p in places if p.path == "refund.py"] == [
        ("refund.py", None)
    ]


class Repository:
    """Checkouts of one fixed tree; raises for the branch `gone`."""

    def base_commit(self, project: Project) -> str:
        if project.branch == "gone":
            raise PoisonError("there is no branch 'gone'")
        return "a" * 40

    @contextmanager
    def work_copy(self, project: Project, commit: str) -> Iterator[Path]:
        raise NotImplementedError
        yield

    def files(self, project: Project, commit: str) -> Mapping[str, bytes]:
        raise NotImplementedError


def ask(project: Project | None, attach: Attach = nothing) -> BugLocated | LocateDeclined:
    blobs = MemoryBlobs()
    said = report("The refund of an invoice").model_dump_json().encode()
    ref = blobs.put(said, media_type="m", subject="s")
    event = LocateRequested(
        **envelope("ask"), attempt=1, report=LINK.model_copy(update={"report_blob": ref})
    )
    stage = make(Repository(), MemorySymbolIndex(SOURCES), blobs, lambda _: project, attach)
    [answer] = stage.handle(event)
    assert isinstance(answer, BugLocated | LocateDeclined)
    return answer


def test_the_answer_pins_the_commit_it_speaks_of() -> None:
    answer = ask(SHOP)

    assert isinstance(answer, BugLocated)
    assert answer.base_commit == "a" * 40


def test_without_a_repository_it_says_what_to_set() -> None:
    answers = [ask(None), ask(SHOP.model_copy(update={"git_url": None}))]

    assert all(isinstance(a, LocateDeclined) and "git_url" in a.reason for a in answers)


def test_a_branch_that_is_not_there_is_an_answer_and_no_crash() -> None:
    answer = ask(SHOP.model_copy(update={"branch": "gone"}))

    assert isinstance(answer, LocateDeclined)
    assert "gone" in answer.reason


def test_what_is_attached_helps_to_find_the_place() -> None:
    def attach(found: BugReport, reading: Reading) -> BugReport:
        assert (reading.project, reading.attempt) == ("shop", 1)
        trace = report("x", Frame(path="shop/cart.py", line=2, function="total")).stack_traces
        return found.model_copy(update={"stack_traces": trace})

    answer = ask(SHOP, attach)

    assert isinstance(answer, BugLocated)
    assert answer.locations[0].path == "shop/cart.py"
