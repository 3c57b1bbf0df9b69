from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processors.locating.call_graph import CallGraph, Node
from processors.locating.entries import entry_of
from processors.locating.impact import DEPTH_MAX, REACHED_MAX, impact_of, is_public, reached

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


@given(st.integers(0, 30))
def test_a_caller_more_never_makes_it_less(count: int) -> None:
    lines = ["def _one(): pass", *(f"def _f{n}(): _one()" for n in range(count))]
    fewer = graph({"a/b.py": "\n".join(lines)})
    more = graph({"a/b.py": "\n".join([*lines, "def _last(): _one()"])})
    one = Node("a/b.py", "_one")

    assert impact_of(fewer, one).blast_radius < impact_of(more, one).blast_radius < 1


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
    entries = {path: entry_of(path, text) for path, text in sources.items()}

    assert {
        f"{path}:{place.symbol}"
        for path, entry in entries.items()
        for place in entry.places
        if is_public(entry, Node(path, place.symbol))
    } == {
        *("a/b.py:A", "a/b.py:A.f", "a/b.ts:A", "a/b.ts:A.f"),
        *("a/b.go:F", "a/B.java:B", "a/B.java:B.f"),
    }
