from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.blobs import MemoryBlobs
from processors.attached import Attach, Reading, nothing
from processors.locate import (
    LOCATED_BYTES_MAX,
    LOCATIONS_MAX,
    location,
    locations_of,
    make,
    with_impact,
)
from processors.locating.call_graph import CallGraph
from processors.locating.code_index import index_of
from processors.locating.entries import Place
from processors.locating.failing import NotRun, Spectrum
from processors.locating.history import History
from processors.locating.line_history import Span, Touch
from processors.locating.ranking import Ranked, rank
from processors.repair.harness import Lines as LinesRun
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.codec import encode
from schemas.errors import PoisonError
from schemas.event import subject_id
from schemas.places import Location, OwnedPlace, Owner, Person
from schemas.projects import Project
from schemas.reports import BugReport, Frame, ReportLink, Trust
from schemas.target_tests import is_test
from streams.symbol_index import MemorySymbolIndex
from tests.factories import LINK, envelope
from tests.processors.locating.reports import report

SOURCES = {
    "shop/cart.py": "def total(prices):\n    return sum(prices) / len(prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.amount\n",
    "tests/test_pay.py": (
        "from shop.pay import refund\ndef test_refund_of_invoice(): refund(invoice)\n"
    ),
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


class Ownership:
    """Ann wrote every place, with a program; `reviewer` reviewed. Knows the first place alone."""

    def __init__(self, reviewer: Person | None = None) -> None:
        self._reviewer = reviewer or Person(name="Bo")

    def of(self, project: Project, commit: str, places: Sequence[Location]) -> Sequence[OwnedPlace]:
        assert (project.id, commit) == ("shop", "a" * 40)
        owner = Owner(hand="mixed", evidence="trace", commits=("b" * 40,), models=("acme/m1",))
        people = (Person(name="Ann", mail="ann@example.org"),)
        return [OwnedPlace(owner=owner, people=people, reviewer=self._reviewer)][: len(places)]


def ask(
    project: Project | None,
    attach: Attach = nothing,
    blobs: MemoryBlobs | None = None,
    sources: Mapping[str, str] = SOURCES,
    ownership: Ownership | None = None,
) -> BugLocated | LocateDeclined:
    blobs = blobs or MemoryBlobs()
    said = report("The refund of an invoice").model_dump_json().encode()
    ref = blobs.put(said, media_type="m", subject="s")
    event = LocateRequested(
        **envelope("ask"), attempt=1, report=LINK.model_copy(update={"report_blob": ref})
    )
    index = MemorySymbolIndex(sources)
    ownership = ownership or Ownership()
    stage = make(Repository(), index, ownership, blobs, lambda _: project, attach)
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


def test_the_answer_says_whose_a_place_is_and_names_nobody() -> None:
    blobs = MemoryBlobs()
    answer = ask(SHOP, blobs=blobs)

    assert isinstance(answer, BugLocated)
    owner = answer.locations[0].owner
    assert owner is not None
    assert (owner.hand, owner.models) == ("mixed", ("acme/m1",))
    assert "Ann" not in answer.model_dump_json()
    assert "example.org" not in answer.model_dump_json()
    [ann] = owner.people
    assert Person.model_validate_json(blobs.get(ann)) == Person(name="Ann", mail="ann@example.org")
    assert owner.reviewer is not None
    assert Person.model_validate_json(blobs.get(owner.reviewer)).name == "Bo"
    assert all(place.owner is None for place in answer.locations[1:])


def test_who_writes_to_us_by_mail_is_erased_as_an_author_too() -> None:
    answer = ask(SHOP)

    assert isinstance(answer, BugLocated)
    owner = answer.locations[0].owner
    assert owner is not None
    assert owner.people[0].subject == subject_id("email:ann@example.org")


@pytest.mark.parametrize(
    ("person", "who"),
    [
        (Person(name="Bo", mail="bo@example.org"), "email:bo@example.org"),
        (Person(name="Bo"), "git:bo"),
        (Person(name="bo", account="github:bo"), "github:bo"),
    ],
)
def test_a_reviewer_is_erased_as_who_we_know_him_as(person: Person, who: str) -> None:
    blobs = MemoryBlobs()
    answer = ask(SHOP, blobs=blobs, ownership=Ownership(person))

    assert isinstance(answer, BugLocated)
    found = answer.locations[0].owner
    assert found is not None
    assert found.reviewer is not None
    assert found.reviewer.subject == subject_id(who)
    assert Person.model_validate_json(blobs.get(found.reviewer)) == person


def test_the_answer_says_how_far_a_change_of_a_function_reaches() -> None:
    answer = ask(SHOP)

    assert isinstance(answer, BugLocated)
    impact = answer.locations[0].impact
    assert answer.locations[0].symbol == "refund"
    assert impact is not None
    assert (impact.callers, impact.is_public) == (0, True)
    assert impact.reached_by == ("tests/test_pay.py:test_refund_of_invoice",)
    assert 0 < impact.blast_radius < 1


def test_code_with_names_that_do_not_fit_into_an_event_is_located_all_the_same() -> None:
    long = "\u6e2c" * 170  # Three bytes each.
    names = [f"refund_invoice_{n}_{long}" for n in range(10)]
    taken = "".join(f"from shop.m{n} import {name}\n" for n, name in enumerate(names))
    calls = "; ".join(f"{name}()" for name in names)
    many = {f"shop/m{n}.py": f"{taken}def {name}(): {calls}\n" for n, name in enumerate(names)}
    tests = {
        f"tests/test_{n}.py": f"{taken}def test_{name}(): {calls}\n" for n, name in enumerate(names)
    }
    answer = ask(SHOP, sources=many | tests)

    assert isinstance(answer, BugLocated)
    assert len(answer.locations) == LOCATIONS_MAX
    assert len(encode(answer)) <= LOCATED_BYTES_MAX


def test_a_file_as_a_whole_has_no_impact() -> None:
    [place] = with_impact([Location(path="shop/pay.py", score=1, reasons=())], CallGraph({}))

    assert place.impact is None


class Lines:
    """One commit changed the lines of every place."""

    def touched(
        self, project: Project, commit: str, spans: Sequence[Span]
    ) -> Mapping[Span, Sequence[Touch]]:
        assert (project.id, commit) == ("shop", "a" * 40)
        return {span: [Touch("c0ffee1234567", "2026-01-02", "secret")] for span in spans}


class Spectra:
    """The failing test runs `total` alone; counts how often it is asked."""

    def __init__(self, found: Spectrum | NotRun | None = None) -> None:
        ran = LinesRun({"shop/cart.py": {2: 1}}, {})
        self.found = found or Spectrum(ran, 1, 0)
        self.asked = 0

    def of(
        self, project: Project, commit: str, said: BugReport, locations: Sequence[Location]
    ) -> Spectrum | NotRun:
        assert locations[0].path == "shop/pay.py"
        self.asked += 1
        return self.found


def located(
    spectra: Spectra, trust: Trust, project: Project = SHOP, others: tuple[ReportLink, ...] = ()
) -> BugLocated:
    blobs = MemoryBlobs()
    said = report("The refund of an invoice").model_dump_json().encode()
    ref = blobs.put(said, media_type="m", subject="s")
    link = LINK.model_copy(update={"report_blob": ref, "trust": trust})
    event = LocateRequested(**envelope("ask"), attempt=1, report=link, others=others)
    stage = make(
        Repository(),
        MemorySymbolIndex(SOURCES),
        Ownership(),
        blobs,
        lambda _: project,
        lines=Lines(),
        spectra=spectra,
    )
    [answer] = stage.handle(event)
    assert isinstance(answer, BugLocated)
    return answer


def test_what_a_failing_test_runs_decides_where_a_member_reported_it() -> None:
    answer = located(Spectra(), Trust.MEMBER)

    assert (answer.method, answer.locations[0].symbol) == ("failing tests", "total")
    assert "runs in 1 of 1 failing test and 0 of 0 that pass" in answer.locations[0].reasons


def test_nothing_is_run_for_a_stranger_or_where_the_settings_say_no() -> None:
    spectra = Spectra()
    quiet = SHOP.model_copy(update={"locate_runs_tests": False})
    answers = [located(spectra, Trust.STRANGER), located(spectra, Trust.MEMBER, quiet)]

    assert spectra.asked == 0
    assert [answer.locations[0].symbol for answer in answers] == ["refund", "refund"]


def test_a_member_who_reported_it_too_is_trusted_as_for_a_fix() -> None:
    spectra = Spectra()
    located(spectra, Trust.STRANGER, others=(LINK,))

    assert spectra.asked == 1


def test_where_no_test_could_be_run_the_words_decide() -> None:
    answer = located(Spectra(NotRun("no sandbox")), Trust.MEMBER)

    assert (answer.method, answer.locations[0].symbol) == ("words in common", "refund")


def test_what_last_changed_the_lines_is_told_without_the_words_of_the_commit() -> None:
    reasons = located(Spectra(), Trust.MEMBER).locations[0].reasons

    assert reasons[-1] == "its lines last changed in c0ffee1234 (2026-01-02)"


def test_a_place_is_the_line_that_a_trace_names_or_all_of_it() -> None:
    place = Place("total", "function", 3, 9)
    whole, traced, file = (
        location(Ranked("cart.py", held, 1.0, (), line))
        for held, line in ((place, None), (place, 5), (None, None))
    )

    assert (whole.line_start, whole.line_end) == (3, 9)
    assert (traced.line_start, traced.line_end) == (5, 5)
    assert (file.line_start, file.line_end, file.symbol) == (None, None, "")
