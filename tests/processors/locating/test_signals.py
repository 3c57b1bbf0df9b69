from __future__ import annotations

from processors.locating import signals
from processors.locating.clues import clues_of
from processors.locating.code_index import index_of
from schemas.reports import Frame, StackTrace
from tests.processors.locating.reports import report

INDEX = index_of(
    {
        "shop/cart.py": "class Cart:\n    def total(self): pass\n\ndef price(): pass\n",
        "shop/bill.py": "class Bill:\n    def total(self): pass\n",
    }
)


def test_a_name_is_shared_among_those_that_define_it() -> None:
    found = signals.named(INDEX, clues_of(report("`total` and `price` differ")))
    [price], totals = INDEX.by_name["price"], INDEX.by_name["total"]

    assert all(0 < found.by_unit[unit] < found.by_unit[price] for unit in totals)


def test_a_dotted_name_means_one_of_them() -> None:
    found = signals.named(INDEX, clues_of(report("Bill.total is wrong")))
    best = max(INDEX.by_name["total"], key=lambda unit: found.by_unit[unit])

    assert INDEX.place(best)[0] == "shop/bill.py"
    assert found.reason(INDEX.numbers["shop/bill.py"], best) == "the report names Bill.total"


def test_no_score_is_above_one() -> None:
    text = "shop/cart.py shop.cart.price `price()` price() shop/cart.py\n" * 9
    clues = clues_of(report(text))

    for signal in (signals.named(INDEX, clues), signals.pathed(INDEX, clues)):
        assert signal.by_file.max() == 1.0
        assert signal.by_unit.max(initial=0.0) <= 1.0


def test_the_smallest_unit_at_a_line_is_meant() -> None:
    file = INDEX.numbers["shop/cart.py"]

    assert INDEX.place(signals.unit_at(INDEX, file, 2) or 0)[1].symbol == "Cart.total"
    assert signals.unit_at(INDEX, file, 99) is None
    whole = index_of({"a.py": "def f():\n    return 1\n"})
    assert whole.place(signals.unit_at(whole, 0, 2) or 0)[1].symbol == "f"


def test_a_frame_of_java_is_found_by_its_package() -> None:
    index = index_of(
        {
            "src/main/java/com/shop/Cart.java": "class Cart { int total() { return 1; } }",
            "src/main/java/com/bill/Cart.java": "class Cart { int total() { return 1; } }",
        }
    )
    frame = Frame(path="Cart.java", line=1, function="com.shop.Cart.total")
    trace = StackTrace(language="java", exception="Bad", frames=(frame,))

    _, frames = signals.traced(index, (trace,))

    assert [index.place(unit)[0] for unit in frames] == ["src/main/java/com/shop/Cart.java"]


def test_a_word_of_a_path_counts_the_rarer_the_more_and_is_told() -> None:
    paths = ("cart/one.py", "shop/two.py", "shop/six.py", "shop/ten.py")
    index, clues = index_of(dict.fromkeys(paths, "")), clues_of(report("Carts of the shop"))
    found = signals.path_words(index, signals.title_and_text(clues), clues)
    cart, shop = (index.numbers[path] for path in paths[:2])

    assert found.by_file[cart] > found.by_file[shop] > 0
    assert found.reason(cart, None) == "its path holds words of the report: Carts"
    assert found.reason(cart, 0) == ""


def test_a_file_is_told_by_the_words_of_its_best_unit() -> None:
    clues = clues_of(report("The price is wrong"))
    found = signals.shared_words(INDEX, clues.title, clues, "title")

    assert found.reason(INDEX.numbers["shop/cart.py"], None) == (
        "shares words with the report's title: price"
    )


def test_a_frame_further_out_counts_less() -> None:
    frames = [
        Frame(path=path, line=2, function="total") for path in ("shop/bill.py", "shop/cart.py")
    ]
    trace = StackTrace(language="python", exception="Bad", frames=tuple(frames))
    signal, found = signals.traced(INDEX, (trace, trace))

    by_path = {INDEX.place(unit)[0]: signal.by_unit[unit] for unit in found}
    assert by_path == {"shop/cart.py": 1.0, "shop/bill.py": 1 / 1.5}
