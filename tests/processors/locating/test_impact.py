from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from processors.locating.call_graph import Caller, CallGraph
from processors.locating.entries import entry_of
from processors.locating.impact import DEPTH_MAX, REACHED_MAX, impact_of, is_public, reached
from processors.locating.names import Node

CHAIN = {
    "shop/cart.py": "def _one(): pass\ndef _two(): _one()\ndef three(): _two()\n",
    "tests/test_cart.py": "from shop.cart import three\ndef test_three(): three()\n",
}


def graph(sources: dict[str, str]) -> CallGraph:
    return CallGraph({path: entry_of(path, text) for path, text in sources.items()})


def test_callers_tests_and_what_is_public_are_counted() -> None:
    found = impact_of(graph(CHAIN), Node("shop/cart.py", "_one"))

    assert (found.callers, found.direct, found.callers_by_name, found.tests) == (2, 1, 0, 1)
    assert found.reached_by == ("tests/test_cart.py:test_three",)
    assert found.public == ("shop/cart.py:three",)
    assert found.blast_radius == round(2 / 22, 4)
    assert not found.is_cut


def test_what_nobody_calls_has_no_blast_radius_and_what_is_public_has_one() -> None:
    alone = graph({"shop/cart.py": "def _one(): pass\ndef one(): pass\n"})

    assert impact_of(alone, Node("shop/cart.py", "_one")).blast_radius == 0
    assert impact_of(alone, Node("shop/cart.py", "one")).blast_radius > 0.3


def test_a_public_place_and_its_public_callers_are_counted_together() -> None:
    found = impact_of(graph({"a/b.py": "def f(): pass\ndef g(): f()\n"}), Node("a/b.py", "f"))

    assert (found.public, found.public_count) == (("a/b.py:f", "a/b.py:g"), 2)


class Given(CallGraph):
    """Eight functions of one file that call each other as is said: who, whom, for certain."""

    def __init__(self, calls: Sequence[tuple[int, int, bool]]) -> None:
        text = "".join(f"def _f{n}(): pass\n" for n in range(8))
        super().__init__({"a/b.py": entry_of("a/b.py", text)})
        self._given = calls

    def callers(self, node: Node) -> tuple[Caller, ...]:
        whom = int(node.name.removeprefix("_f"))
        return tuple(
            Caller(Node("a/b.py", f"_f{who}"), is_certain)
            for who, called, is_certain in self._given
            if called == whom
        )


CALLS = st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans())


@given(st.lists(CALLS, max_size=20), CALLS)
@example([(1, 0, True), (2, 1, True)], (2, 0, False))
def test_a_call_more_never_makes_it_less(
    calls: list[tuple[int, int, bool]], one_more: tuple[int, int, bool]
) -> None:
    place = Node("a/b.py", "_f0")
    fewer, more = (impact_of(Given(each), place) for each in (calls, [*calls, one_more]))

    assert 0 <= fewer.blast_radius <= more.blast_radius < 1
    assert fewer.callers <= more.callers


def test_a_ring_of_calls_and_a_long_chain_end() -> None:
    ring = graph({"a/b.py": "def f(): g()\ndef g(): f()\n"})
    long = graph({"a/b.py": "\n".join(f"def f{n}(): f{n - 1}()" for n in range(DEPTH_MAX + 5))})

    assert [one.node.symbol for one in reached(ring, Node("a/b.py", "f"))] == ["g"]
    assert len(list(reached(long, Node("a/b.py", "f0")))) == DEPTH_MAX


def test_more_than_can_be_counted_is_said() -> None:
    text = "def f(): pass\n" + "\n".join(f"def g{n}(): f()" for n in range(REACHED_MAX + 5))

    found = impact_of(graph({"a/b.py": text}), Node("a/b.py", "f"))

    assert found.is_cut
    assert found.callers == REACHED_MAX


def test_two_guesses_in_a_row_are_none() -> None:
    """What calls `a.run_it` by name only, and is itself called by name only, is not counted."""
    text = (
        "class A:\n    def run_it(self): pass\nclass B:\n    def more(self, a): a.run_it()\n"
        "def last(b): b.more(1)\n"
    )

    found = impact_of(graph({"a/b.py": text}), Node("a/b.py", "A.run_it"))

    assert (found.callers, found.callers_by_name) == (0, 1)


def test_what_is_public_depends_on_the_language() -> None:
    sources = {
        "a/b.py": "class A:\n    def f(self): pass\n    def _g(self): pass\n",
        "a/_c.py": "def f(): pass\n",
        "a/b.ts": "export class A { f() {} #g() {} }\nfunction h() {}\n",
        "a/b.go": "package a\nfunc F() {}\nfunc g() {}\n",
        "internal/b.go": "package a\nfunc F() {}\n",
        "a/B.java": (
            "public class B { public void f() {} void g() {} }\nclass C { public void f() {} }"
        ),
        "tests/test_b.py": "def test(): pass\n",
    }
    found = graph(sources)

    assert {
        f"{path}:{place.symbol}"
        for path, entry in found.entries.items()
        for place in entry.places
        if is_public(found, Node(path, place.symbol))
    } == {
        *("a/b.py:A", "a/b.py:A.f", "a/b.ts:A", "a/b.ts:A.f"),
        *("a/b.go:F", "a/B.java:B", "a/B.java:B.f"),
    }


def test_what_a_package_takes_from_hidden_files_is_public() -> None:
    found = graph(
        {
            "a/__init__.py": "from ._b import Cart\nfrom a._c import pay as buy\n",
            "a/_b.py": "class Cart:\n    def total(self): pass\n    def _add(self): pass\n"
            "def other(): pass\n",
            "a/_c.py": "def pay(): pass\n",
        }
    )

    assert {
        each.symbol
        for each in (Node("a/_b.py", "Cart"), Node("a/_b.py", "Cart.total"), Node("a/_c.py", "pay"))
        if is_public(found, each)
    } == {"Cart", "Cart.total", "pay"}
    assert not is_public(found, Node("a/_b.py", "Cart._add"))
    assert not is_public(found, Node("a/_b.py", "other"))


def test_the_shortest_way_counts_though_a_ring_leads_back_in_doubt() -> None:
    ring = Given([(1, 0, False), (2, 1, True), (1, 2, True)])
    found = reached(ring, Node("a/b.py", "_f0"))

    assert [(one.node.symbol, one.depth, one.doubts) for one in found] == [
        ("_f1", 1, 1),
        ("_f2", 2, 1),
    ]
