from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from processors.repair.ingredients import Site
from processors.repair.ranking import Suspect
from processors.repair.search import Candidate, candidates, compiles, decides, overfit, size, turns
from processors.repair.source import Change, Edit, Source

TEXT = "def f(a, b):\n    return a + b\n"
SOURCE = Source("m.py", TEXT)
RETURN = SOURCE.statements[1]


def _found(*templates: object, candidates_max: int = 10) -> list[Candidate]:
    suspects = [Suspect(SOURCE, RETURN, 0.5)]
    return candidates(
        suspects,
        kinds={},
        failure=None,
        candidates_max=candidates_max,
        templates=templates,  # type: ignore[arg-type]
    )


def _edit(text: str, prior: float) -> Edit:
    return Edit((Change(24, 29, text),), text, prior, "why")


def _candidate(before: str, after: str) -> Candidate:
    source = Source("m.py", before)
    return Candidate(source, source.statements[0], Edit((), "t", 0.5, "why"), after, 0.5)


def test_likeliest_comes_first_and_each_text_once_with_its_best_score() -> None:
    def one(site: Site) -> Iterator[Edit]:
        yield _edit("a - b", 0.2)
        yield _edit("b", 0.9)

    def two(site: Site) -> Iterator[Edit]:
        yield _edit("a - b", 0.6)
        yield _edit("a + b", 1.0)

    found = _found(one, two)

    assert [(c.edit.template, c.score) for c in found] == [("b", 0.45), ("a - b", 0.3)]


def test_template_that_stumbles_over_strange_code_ends_alone() -> None:
    def broken(site: Site) -> Iterator[Edit]:
        yield _edit("b", 0.5)
        raise KeyError("strange")

    def sound(site: Site) -> Iterator[Edit]:
        yield _edit("a", 0.5)

    assert {c.edit.template for c in _found(broken, sound)} == {"a", "b"}


def test_number_of_candidates_has_a_limit() -> None:
    def many(site: Site) -> Iterator[Edit]:
        yield from (_edit(str(n), 0.5) for n in range(100))

    assert len(_found(many, candidates_max=7)) == 7


@pytest.mark.parametrize(("after", "expected"), [("x = 1\n", True), ("x = \n", False)])
def test_only_what_compiles_is_tried(after: str, expected: bool) -> None:
    assert compiles(_candidate("x = 0\n", after)) is expected


def test_size_counts_changed_tokens_not_comments() -> None:
    assert size(_candidate("x = a < b\n", "x = a <= b  # so\n")) == 2
    assert size(_candidate("x = a\n", "x = a\ny = 1\n")) == 3


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (
            "def f(a, b):\n    return a + b\n",
            "def f(a, b):\n    return a + a\n",
            "would ignore `b`",
        ),
        (
            "def f(a):\n    return any(g(x) for x in a)\n",
            "def f(a):\n    return any(g(a) for x in a)\n",
            "would ignore `x`",
        ),
        (
            "def f(a):\n    while True:\n        if a:\n            return 1\n",
            "def f(a):\n    while a:\n        if a:\n            return 1\n",
            "without a result",
        ),
        (
            "def f(a):\n    if a:\n        return a\n    return f(a[1:])\n",
            "def f(a):\n    if a:\n        return a\n    return a[1:]\n",
            "no longer call itself",
        ),
        (
            "def f(a):\n    if a.x:\n        return a\n    return 1\n",
            "def f(a):\n    if True:\n        return a\n    return 1\n",
            "not depend on anything",
        ),
        (
            "def f(a, b):\n    a = g(a, b)\n    b = a\n    return a, b\n",
            "def f(a, b):\n    a = g(a, b)\n    b = b\n    return a, b\n",
            "would do nothing",
        ),
        ("def f(a):\n    return a[-1]\n", "def f(a):\n    return a[-0]\n", "would do nothing"),
    ],
)
def test_edit_that_only_looks_like_a_fix_is_refused_with_the_reason(
    before: str, after: str, why: str
) -> None:
    assert why in overfit(_candidate(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(a, b):\n    return a + b\n",
            "def f(a, b):\n    return a - b\n",
        ),
        (
            "def f(a):\n    return a.x\n",
            "def f(a):\n    if a is None:\n        return None\n    return a.x\n",
        ),
        (
            "def f(xs=[]):\n    return xs\n",
            "def f(xs=None):\n    if xs is None:\n        xs = []\n    return xs\n",
        ),
        (
            "def f(q):\n    while True:\n        if q.pop():\n            return 1\n    return 0\n",
            "def f(q):\n    while q:\n        if q.pop():\n            return 1\n    return 0\n",
        ),
    ],
)
def test_honest_fix_passes_the_checks(before: str, after: str) -> None:
    assert overfit(_candidate(before, after)) == ""


def test_all_templates_propose_only_edits_that_apply() -> None:
    text = '''
def pay(order, rate=1.0, items=[]):
    """Say what."""
    total = 0
    for item in items or order["items"]:
        if item.price < 0 and not item.free:
            continue
        total += item.price * item.amount[0] + len(items)
    names = [i.name.strip() for i in items]
    return sorted(names), total / rate, open("x").read()
'''
    source = Source("m.py", text)
    suspects = [Suspect(source, s, 1.0) for s in source.statements]

    found = candidates(suspects, kinds={}, failure=None, candidates_max=100_000)

    assert len(found) > 500
    assert len({c.text for c in found}) == len(found)
    assert sum(compiles(c) for c in found) / len(found) > 0.95
    assert all(isinstance(c.statement, ast.stmt) for c in found)


@pytest.mark.parametrize(
    ("changed", "expected"), [("a > 0", True), (">", True), ("return a", False)]
)
def test_edit_of_a_condition_alone_is_told_from_others(changed: str, expected: bool) -> None:
    source = Source("m.py", "if a > 0:\n    return a\n")
    start = source.text.index(changed)
    edit = Edit((Change(start, start + len(changed), "b"),), "t", 0.5, "why")

    assert decides(Candidate(source, source.statements[0], edit, "", 0.5)) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = a is not None\n", "x = a is None\n", True),
        ("x = a < b\n", "x = a >= b\n", True),
        ("x = a and b\n", "x = a and not b\n", True),
        ("x = a < b\n", "x = a <= b\n", False),
        ("x = f(a)\n", "x = f(a) if a is not None else 0\n", False),
        ("x = a == b\n", "x = a != b and b in c\n", False),
    ],
)
def test_edit_that_turns_an_answer_around_is_known_as_such(
    before: str, after: str, expected: bool
) -> None:
    assert turns(_candidate(before, after)) is expected
