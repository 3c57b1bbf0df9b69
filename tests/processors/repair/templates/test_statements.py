from __future__ import annotations

import pytest

from processors.repair.templates import Template, statements
from tests.processors.repair.sites import after, site, texts, valid

CASES: list[tuple[Template, str, str]] = [
    (
        statements.assigned_target,
        """
        def f(a, b, i, j):
            b[j] = 0
            a[i, j] = b[j] + 1  # <-
        """,
        """
        def f(a, b, i, j):
            b[j] = 0
            b[j] = b[j] + 1
        """,
    ),
    (
        statements.dropped_result,
        """
        def f(name):
            name.strip()  # <-
        """,
        """
        def f(name):
            name = name.strip()
        """,
    ),
    (
        statements.dropped_result,
        """
        def f(a, b):
            a.update(b)  # <-
        """,
        """
        def f(a, b):
            a = b
        """,
    ),
    (
        statements.dropped_result,
        """
        def f(xs):
            ys = xs.sort(key=len)  # <-
        """,
        """
        def f(xs):
            ys = sorted(xs, key=len)
        """,
    ),
    (
        statements.missing_return,
        """
        def f(xs):
            total = sum(xs)  # <-
        """,
        """
        def f(xs):
            total = sum(xs)
            return total
        """,
    ),
    (
        statements.early_exit,
        """
        def f(xs):
            for x in xs:
                g(x)
                return xs  # <-
        """,
        """
        def f(xs):
            for x in xs:
                g(x)
            return xs
        """,
    ),
    (
        statements.early_exit,
        """
        for x in xs:
            if x:
                break  # <-
        """,
        """
        for x in xs:
            if x:
                continue
        """,
    ),
    (
        statements.inserted_assignment,
        """
        def f(node):
            before = None
            while node:
                node = node.next  # <-
            return before
        """,
        """
        def f(node):
            before = None
            while node:
                before = node
                node = node.next
            return before
        """,
    ),
    (
        statements.inserted_call,
        """
        def f(node):
            seen = set()
            if node in seen:
                return True
            return g(node)  # <-
        """,
        """
        def f(node):
            seen = set()
            if node in seen:
                return True
            seen.add(node)
            return g(node)
        """,
    ),
    (
        statements.mutable_default,
        '''
        def f(x, xs=[]):  # <-
            """Say what."""
            xs.append(x)
            return xs
        ''',
        '''
        def f(x, xs=None):
            """Say what."""
            if xs is None:
                xs = []
            xs.append(x)
            return xs
        ''',
    ),
    (
        statements.copy_before_change,
        """
        def f(xs):
            xs.sort()  # <-
            return xs
        """,
        """
        def f(xs):
            xs = list(xs)
            xs.sort()
            return xs
        """,
    ),
    (
        statements.copy_before_change,
        """
        def f(self):
            return self.items  # <-
        """,
        """
        def f(self):
            return list(self.items)
        """,
    ),
    (
        statements.comprehension_filter,
        "total = sum(x.price for x in find(xs))  # <-",
        "total = sum(x.price for x in find(xs) if x is not None)",
    ),
]


@pytest.mark.parametrize(("template", "before", "fixed"), CASES)
def test_statement_becomes_what_was_meant(template: Template, before: str, fixed: str) -> None:
    found = texts(template, site(before))

    assert after(fixed) in valid(found)


def test_comments_and_formatting_around_an_insertion_stay() -> None:
    code = """
        def f( xs ):   # odd spacing
            total = 0
            total = total+sum( xs )  # <-
    """

    found = texts(statements.missing_return, site(code))

    assert all(text.startswith("def f( xs ):   # odd spacing\n") for text in found)
    assert all("total+sum( xs )\n" in text for text in found)
