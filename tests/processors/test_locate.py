from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.blobs import MemoryBlobs
from processors.attached import Reading
from processors.locate import locate, make, match_path
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.errors import PoisonError
from schemas.projects import Project
from schemas.reports import BugReport, Frame, StackTrace
from schemas.target_tests import is_test
from tests.factories import LINK, envelope, normalized

SOURCES = {
    "shop/cart.py": "def total(prices):\n    return sum(prices) / len(prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.amount\n",
    "tests/test_pay.py": "def test_refund_of_invoice(): refund(invoice)\n",
}
SHOP = Project(id="shop", git_url="file:///srv/shop.git")


def report(text: str, *frames: Frame) -> BugReport:
    traces = (StackTrace(language="python", exception="KeyError", frames=frames),) if frames else ()
    return normalized(text, stack_traces=traces).report


def test_the_innermost_frame_of_the_repository_comes_first() -> None:
    places = locate(
        report(
            "It fails",
            Frame(path="/app/shop/pay.py", line=2, function="refund"),
            Frame(path="/app/shop/cart.py", line=2, function="total"),
            Frame(path="/usr/lib/python3.11/statistics.py", line=9),
        ),
        SOURCES,
    )

    assert [(p.path, p.line_start) for p in places[:2]] == [("shop/cart.py", 2), ("shop/pay.py", 2)]
    assert places[0].symbol == "total"


def test_without_a_trace_shared_words_rank_code_and_no_tests() -> None:
    places = locate(report("The refund of an invoice has a wrong amount"), SOURCES)

    assert (places[0].path, places[0].symbol) == ("shop/pay.py", "refund")
    assert all(not is_test(place.path) for place in places)


def test_a_path_that_could_mean_two_files_means_none() -> None:
    sources = {"a/util.py": "", "b/util.py": ""}

    assert match_path("/srv/util.py", sources) is None
    assert match_path("C:\\srv\\a\\util.py", sources) == "a/util.py"


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
        return {path: text.encode() for path, text in SOURCES.items()}


def ask(project: Project | None) -> BugLocated | LocateDeclined:
    blobs = MemoryBlobs()
    ref = blobs.put(report("refund").model_dump_json().encode(), media_type="m", subject="s")
    event = LocateRequested(
        **envelope("ask"), attempt=1, report=LINK.model_copy(update={"report_blob": ref})
    )
    [answer] = make(Repository(), blobs, lambda _: project).handle(event)
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
        trace = report("", Frame(path="shop/cart.py", line=2, function="total")).stack_traces
        return found.model_copy(update={"stack_traces": trace})

    blobs = MemoryBlobs()
    ref = blobs.put(report("refund").model_dump_json().encode(), media_type="m", subject="s")
    event = LocateRequested(
        **envelope("ask"), attempt=1, report=LINK.model_copy(update={"report_blob": ref})
    )
    [answer] = make(Repository(), blobs, lambda _: SHOP, attach).handle(event)

    assert isinstance(answer, BugLocated)
    assert answer.locations[0].path == "shop/cart.py"
