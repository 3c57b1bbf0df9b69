"""Code is found where people put it; what a machine printed is not taken for code."""

from __future__ import annotations

import pytest

from processors.snippets import SNIPPETS_MAX, find_snippets
from schemas.reports import Snippet


@pytest.mark.parametrize("name", ["python", "py", "Python3", ""])
def test_fenced_python_is_found_under_each_of_its_names(name: str) -> None:
    text = f"Try:\n\n```{name}\nfrom shop import total\n\ntotal([])\n```\nBoom."

    assert find_snippets(text) == (
        Snippet(language="python", code="from shop import total\n\ntotal([])"),
    )


def test_a_quoted_fence_is_found() -> None:
    text = "> ```py\n> import shop\n>   x = 1\n> ```"

    assert find_snippets(text) == (Snippet(language="python", code="import shop\n  x = 1"),)


def test_an_unclosed_fence_reaches_to_the_end() -> None:
    assert find_snippets("~~~go\npackage main\n") == (Snippet(language="go", code="package main"),)


def test_a_longer_fence_holds_a_shorter_one() -> None:
    (snippet,) = find_snippets("````text\n```\nx\n```\n````")

    assert snippet.code == "```\nx\n```"


@pytest.mark.parametrize("fence", ["```\n", "```pytb\n", "```python\n"])
def test_a_traceback_is_not_a_snippet(fence: str) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nKeyError: 1\n'
    )

    assert find_snippets(f"{fence}{trace}```") == ()


def test_of_a_session_only_what_was_typed_is_taken() -> None:
    text = (
        "In the shell:\n\n>>> from shop import total\n>>> def f():\n...     return total([])\n...\n"
        ">>> f()\nTraceback (most recent call last):\n  ...\nZeroDivisionError: division by zero\n"
        "\nThat is all.\n"
    )

    assert find_snippets(text) == (
        Snippet(
            language="python",
            code="from shop import total\ndef f():\n    return total([])\n\nf()",
        ),
    )


def test_a_session_goes_on_over_a_blank_line() -> None:
    (snippet,) = find_snippets(">>> x = 1\n\n>>> print(x)\n1\n")

    assert snippet.code == "x = 1\nprint(x)"


def test_indented_code_is_taken_only_where_it_looks_like_code() -> None:
    text = "Code:\n\n    from shop import total\n    total([])\n\nLog:\n\n    all is well\n"

    assert [snippet.language for snippet in find_snippets(text)] == ["python"]


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("const x = 1;\nconsole.log(x)", "javascript"),
        ("$ pip install shop", "shell"),
        ("public class A {}", "java"),
        ("total([1])", "python"),
        ("it said no", "text"),
    ],
)
def test_the_language_of_an_unnamed_fence_is_guessed(code: str, language: str) -> None:
    assert find_snippets(f"```\n{code}\n```") == (Snippet(language=language, code=code),)


def test_the_number_of_snippets_is_limited() -> None:
    assert len(find_snippets("```\nx = 1\n```\n" * 500)) == SNIPPETS_MAX
