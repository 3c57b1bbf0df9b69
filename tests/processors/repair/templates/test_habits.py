# ruff: noqa: E501 - one case, one line
from __future__ import annotations

import pytest

from processors.repair.templates import Template, habits
from tests.processors.repair.sites import after, site, texts

CASES: list[tuple[Template, str, str]] = [
    (habits.pattern, 'return re.match(r"[a-z]+$", a)', r'return re.match(r"[a-z]+\Z", a)'),
    (habits.pattern, 'return re.findall(r"<.*>", a)', 'return re.findall(r"<.*?>", a)'),
    (habits.pattern, 'return re.split(r".", a)', r'return re.split(r"\.", a)'),
    (habits.encoding, "return open(a).read()", 'return open(a, encoding="utf-8").read()'),
    (habits.encoding, 'return a.read_text("ascii")', 'return a.read_text("ascii", encoding="utf-8")'),
    (habits.normalised_text, "return a == b", "return a.lower() == b"),
    (habits.normalised_text, "return d[a]", "return d[a.strip()]"),
    (habits.ordering, "return sorted(a)", "return sorted(a, reverse=True)"),
    (habits.ordering, "a.sort(reverse=True)", "a.sort(reverse=False)"),
    (habits.rounding, "return a * b", "return round(a * b, 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "line", "fixed"), CASES)
def test_habit_is_broken(template: Template, line: str, fixed: str) -> None:
    found = texts(template, site(f"def f(a, b, d):\n    {line}  # <-"))

    assert f"def f(a, b, d):\n    {fixed}\n" in found


def test_missing_check_raises_what_the_test_expects() -> None:
    crash = ("Failed", "DID NOT RAISE <class 'ValueError'>")

    found = texts(habits.validation, site("def f(n):\n    return n + 1  # <-", crash=crash))

    assert any("    if n < 0:\n        raise ValueError(" in text for text in found)


def test_no_check_is_invented_where_no_test_expects_one() -> None:
    crash = ("AssertionError", "assert 1 == 2")

    assert texts(habits.validation, site("def f(n):\n    return n  # <-", crash=crash)) == {}


def test_file_is_closed_by_with() -> None:
    code = """
        def f(path, text):
            file = open(path, "w")  # <-
            if text:
                file.write(text)
            return path
    """

    found = texts(habits.closed_file, site(code))

    fixed = """
        def f(path, text):
            with open(path, "w") as file:
                if text:
                    file.write(text)
                return path
    """
    assert list(found) == [after(fixed)]
