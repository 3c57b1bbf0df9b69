from __future__ import annotations

from processors.locating.code_index import index_of
from processors.locating.history import History
from processors.locating.ranking import RANKED_MAX, Ranking, rank
from schemas.reports import BugReport, Frame, Snippet
from tests.processors.locating.reports import report
from tests.processors.locating.test_history import change

SOURCES = {
    "shop/cart.py": (
        'class Cart:\n    """What is bought."""\n\n'
        "    def total(self, prices):\n        return sum(prices) / len(prices)\n"
    ),
    "shop/pay.py": (
        "def refund(invoice):\n"
        "    if not invoice:\n        raise ValueError(f'no such invoice: {invoice}')\n"
        "    return invoice.amount\n\n"
        "def pay(invoice):\n    return refund(-invoice)\n"
    ),
    "setup.py": "def refund(invoice): return invoice.amount\n",
    "tests/test_pay.py": "def test_refund_of_invoice(): refund(invoice)\n",
}


def ranked(said: BugReport, history: History | None = None) -> Ranking:
    return rank(said, index_of(SOURCES), history or History())


def symbols(ranking: Ranking) -> list[str]:
    return [each.place.symbol for each in ranking.units if each.place]


def test_where_it_broke_comes_first_with_the_line_that_the_trace_names() -> None:
    found = ranked(
        report(
            "It stops",
            Frame(path="/app/shop/pay.py", line=7, function="pay"),
            Frame(path="/app/shop/cart.py", line=5, function="total"),
            Frame(path="/usr/lib/python3.11/statistics.py", line=9),
        )
    )

    assert found.has_trace
    assert (found.units[0].path, found.units[0].traced_line) == ("shop/cart.py", 5)
    assert found.units[0].reasons[0] == "frame 1 of the KeyError stack trace, from the inside"


def test_a_frame_of_another_release_is_known_by_its_function() -> None:
    found = ranked(report("Crash", Frame(path="shop/pay.py", line=900, function="refund")))

    assert symbols(found)[0] == "refund"
    assert found.units[0].traced_line is None


def test_shared_words_rank_and_are_told() -> None:
    found = ranked(report("The refund of an invoice has a wrong amount"))

    assert (found.files[0].path, symbols(found)[0]) == ("shop/pay.py", "refund")
    assert any("refund" in why for why in found.units[0].reasons)


def test_what_stands_beside_the_product_counts_less_and_tests_not_at_all() -> None:
    found = ranked(report("refund invoice amount"))
    paths = [each.path for each in found.files]
    units = [each.path for each in found.units if each.place and each.place.symbol == "refund"]

    assert paths.index("shop/pay.py") < paths.index("setup.py")
    assert units == ["shop/pay.py", "setup.py"]
    assert "tests/test_pay.py" not in paths


def test_a_message_that_the_report_quotes_leads_to_where_it_is_made() -> None:
    found = ranked(report("Paying stops", Frame(path="x.c", line=1)), None)
    quoting = ranked(report('Paying stops with "no such invoice: 7"'))

    assert all("message" not in why for each in found.units for why in each.reasons)
    assert symbols(quoting)[0] == "refund"
    assert "holds a message the report quotes" in quoting.units[0].reasons


def test_a_name_and_a_file_in_the_report_are_reasons() -> None:
    found = ranked(report("Wrong\n\n`Cart.total` in shop/cart.py is off"))

    assert symbols(found)[0] == "Cart.total"
    assert any("names Cart.total" in why for why in found.units[0].reasons)
    assert any("names the file: shop/cart.py" in why for why in found.files[0].reasons)


def test_the_past_helps_where_words_do_not() -> None:
    past = History([change("c0ffee1234567", "Round sums once", "shop/cart.py")])
    found = ranked(report("They are rounded twice"), past)

    assert found.files[0].path == "shop/cart.py"
    assert any("commit c0ffee1234" in why for why in found.files[0].reasons)


def test_a_report_that_fits_nothing_has_no_places() -> None:
    found = ranked(report("Zebra"))

    assert found == Ranking((), (), has_trace=False)
    assert rank(report("Zebra"), index_of({}), History()).files == ()


def test_the_same_report_is_ranked_alike_each_time_and_within_limits() -> None:
    many = {f"pkg/m{n}.py": "def refund(invoice): pass\n" for n in range(RANKED_MAX * 2)}
    index = index_of(many)
    first, second = (rank(report("refund"), index, History()) for _ in range(2))

    assert first == second
    assert len(first.files) == len(first.units) == RANKED_MAX


def test_a_language_of_few_files_counts_less_unless_the_report_shows_code_of_it() -> None:
    python = {f"shop/p{n}.py": "x = 1\n" for n in range(8)}
    twins = {"shop/a.js": "function refund() {}\n", "shop/z.py": "def refund(): pass\n"}
    index = index_of(python | twins)
    said = report("The refund")
    shown = said.model_copy(update={"snippets": (Snippet(language="javascript", code="x()"),)})
    first, second = (rank(each, index, History()).files for each in (said, shown))

    assert [each.path for each in first] == ["shop/z.py", "shop/a.js"]
    assert [each.path for each in second] == ["shop/a.js", "shop/z.py"]


def test_of_files_that_fit_alike_the_one_that_changed_of_late_comes_first() -> None:
    twins = index_of({f"shop/{name}.py": "def refund(): pass\n" for name in "ab"})
    past = History([change("1", "Zebra", "shop/b.py")])
    files = rank(report("The refund"), twins, past).files

    assert [each.path for each in files] == ["shop/b.py", "shop/a.py"]
    assert not any("of the last" in why for why in files[0].reasons), "it gave too little"
    assert rank(report("Quagga"), twins, past).files == (), "the past alone is no reason"
