"""Traces as people paste them, and texts made to hurt the parser."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.trace_lines import FRAMES_MAX, TRACES_MAX
from processors.traces import find_snippets, find_traces, innermost_in_app
from schemas.reports import Frame, StackTrace

PLAIN = """Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in main
    total(cart)
    ~~~~~^^^^^^
  File "/srv/app/cart.py", line 4, in total
    return sum(i.price for i in items) / len(items)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ZeroDivisionError: division by zero"""

EXPECTED = StackTrace(
    language="python",
    exception="ZeroDivisionError",
    message="division by zero",
    frames=(
        Frame(path="/srv/app/main.py", line=12, function="main", code="total(cart)"),
        Frame(
            path="/srv/app/cart.py",
            line=4,
            function="total",
            code="return sum(i.price for i in items) / len(items)",
        ),
    ),
)


def _each_line(prefix: str, text: str = PLAIN) -> str:
    return "\n".join(prefix + line for line in text.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"It crashed.\n\n{PLAIN}\n\nPlease help, see File for more.",
        f"```\n{PLAIN}\n```",
        f"```pytb\n{PLAIN}\n```\nThanks",
        _each_line("    "),
        _each_line("> "),
        _each_line("> > "),
        _each_line("web-1  | "),
        PLAIN.replace("\n", "\r\n"),
        "2026-11-22 10:00:01,123 ERROR shop: " + PLAIN,
        "\n".join(f"2026-11-22 10:00:0{n} | {line}" for n, line in enumerate(PLAIN.split("\n"))),
        "\n".join(line.strip() for line in PLAIN.split("\n")),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.partition("\n")[2],
    ],
    ids=[
        "plain",
        "in prose",
        "fenced",
        "fenced with a name",
        "indented",
        "quoted",
        "quoted twice",
        "prefix on each line",
        "carriage returns",
        "logging prefix on the first line",
        "time stamp on each line",
        "indentation lost",
        "blank line after each",
        "header cut off",
    ],
)
def test_the_same_trace_is_found_however_it_was_pasted(text: str) -> None:
    assert find_traces(text) == (EXPECTED,)


@pytest.mark.parametrize("raised", [True, False])
def test_chained_exceptions_are_traces_in_printed_order(raised: bool) -> None:
    text = ""

    def inner() -> None:
        raise KeyError("sku")

    try:
        try:
            inner()
        except KeyError as error:
            if raised:
                raise RuntimeError("no such item") from error
            raise RuntimeError("no such item")  # noqa: B904
    except RuntimeError:
        text = traceback.format_exc()

    cause, final = find_traces(text)

    assert (cause.exception, cause.message) == ("KeyError", "'sku'")
    assert [frame.function for frame in cause.frames][-1] == "inner"
    assert cause.frames[-1].code == 'raise KeyError("sku")'
    assert (final.exception, final.message) == ("RuntimeError", "no such item")
    assert final.frames[-1].path == __file__


def test_a_syntax_error_has_the_frame_it_names() -> None:
    text = "  File \"app.py\", line 3\n    total(\n         ^\nSyntaxError: '(' was never closed\n"

    (trace,) = find_traces(text)

    assert trace.exception == "SyntaxError"
    assert trace.frames == (Frame(path="app.py", line=3, code="total("),)


def test_an_exception_group_and_its_members_are_found() -> None:
    try:
        raise ExceptionGroup("two", [ValueError("one"), TypeError("two")])  # noqa: TRY301
    except ExceptionGroup as group:
        for error in group.exceptions:
            try:
                raise error
            except (ValueError, TypeError):
                continue
        text = traceback.format_exc()

    names = [trace.exception for trace in find_traces(text)]

    assert names == ["ExceptionGroup", "ValueError", "TypeError"]


def test_a_dotted_exception_without_message_is_found() -> None:
    text = (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nshop.db.Gone\n'
    )

    (trace,) = find_traces(text)

    assert (trace.exception, trace.message) == ("shop.db.Gone", "")


def test_a_trace_without_its_end_keeps_its_frames() -> None:
    text = "\n".join(PLAIN.split("\n")[:-1]) + "\n\nand then I stopped copying"

    (trace,) = find_traces(text)

    assert trace.exception == ""
    assert len(trace.frames) == 2


def test_endless_recursion_keeps_both_ends() -> None:
    frames = "".join(f'  File "a.py", line {n}, in f\n    f()\n' for n in range(1000))
    text = f"Traceback (most recent call last):\n{frames}RecursionError: too deep"

    (trace,) = find_traces(text)

    assert len(trace.frames) == FRAMES_MAX
    assert (trace.frames[0].line, trace.frames[-1].line) == (0, 999)
    assert trace.exception == "RecursionError"


def test_a_failure_printed_by_pytest_is_a_trace() -> None:
    text = (
        "_______ test_total _______\n\n    def test_total():\n>       assert total([]) == 0\n\n"
        "tests/test_cart.py:7: \n_ _ _ _ _ _\n\n    def total(items):\n"
        ">       return 1 / len(items)\nE       ZeroDivisionError: division by zero\n\n"
        "shop/cart.py:4: ZeroDivisionError\n==== short test summary info ====\n"
    )

    (trace,) = find_traces(text)

    assert (trace.exception, trace.message) == ("ZeroDivisionError", "division by zero")
    assert [(f.path, f.line) for f in trace.frames] == [
        ("tests/test_cart.py", 7),
        ("shop/cart.py", 4),
    ]


def test_a_trace_of_ipython_is_a_trace() -> None:
    text = (
        "---------------------------------------------------------------------------\n"
        "ZeroDivisionError                         Traceback (most recent call last)\n"
        "Cell In[3], line 1\n----> 1 total([])\n\n"
        "File ~/shop/cart.py:4, in total(items)\n      2 def total(items):\n"
        "      3     # the mean\n----> 4     return 1 / len(items)\n\n"
        "ZeroDivisionError: division by zero\n\nI saw this today.\n"
    )

    (trace,) = find_traces(text)

    assert (trace.exception, trace.message) == ("ZeroDivisionError", "division by zero")
    assert trace.frames == (
        Frame(path="Cell In[3]", line=1, code="total([])"),
        Frame(path="~/shop/cart.py", line=4, function="total", code="return 1 / len(items)"),
    )


def test_a_failed_assertion_in_short_form_is_a_trace() -> None:
    text = "tests/test_cart.py:7: in test_total\n    assert total([]) == 0\nE   assert 1 == 0\n"

    (trace,) = find_traces(text)

    assert (trace.exception, trace.message) == ("AssertionError", "assert 1 == 0")
    assert trace.frames == (Frame(path="tests/test_cart.py", line=7, function="test_total"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The file at home is gone, look at line 3.",
        'I looked at File "a.py", line 3 and saw nothing',
        "Traceback (most recent call last):",
        "at noon\nat night",
        "setup.py:3: please fix the version",
    ],
)
def test_prose_has_no_trace(text: str) -> None:
    assert find_traces(text) == ()


_FRAGMENTS = st.sampled_from(
    [
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        'File "',
        "    code()",
        "    ^^^^",
        "ValueError: x",
        "During handling of the above exception, another exception occurred:",
        "  + Exception Group Traceback (most recent call last):",
        "  +-+---------------- 1 ----------------",
        "  | ",
        "> ",
        ">>> f(1)",
        "... 2",
        "```",
        "```python",
        "    at f (a.js:1:2)",
        "\tat a.B.c(B.java:3)",
        "KeyError        Traceback (most recent call last)",
        "File ~/a.py:3, in f(x)",
        "----> 3 code()",
        "KeyError: 1",
        "goroutine 1 [running]:",
        "panic: x",
        "E   assert 1",
        "a.py:3: in f",
        "",
        "prose",
    ]
)


@given(st.lists(_FRAGMENTS | st.text(max_size=30), max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_parsers(lines: list[str]) -> None:
    text = "\n".join(lines)

    assert len(find_traces(text)) <= TRACES_MAX
    assert all(snippet.code.strip() for snippet in find_snippets(text))


@pytest.mark.parametrize(
    "piece",
    [
        "\n",
        "a\n",
        'File "',
        '  File "a", line 1\n',
        "Traceback (most recent call last):\n",
        'Traceback (most recent call last):\n  File "a", line 1\n\n',
        f"{'p' * 1900} Traceback (most recent call last):\n"
        + '  File "a", line 1\n'
        + " a\n" * 999,
        "A.A.A.A A.A.A.A A.B: \n at ((((a:1:1:1:1\n",
        "E   Traceback (most recent call last)\n" + "x\n" * 59,
        "E Traceback (most recent call last)\nFile a:1, in f\n" + "x\n" * 59,
        "goroutine 1 [\n((((((((((((((((((((((((((((((((((\n",
        "E  \n",
        "a.py:1: in f\n",
        "a.py:1:\n" + "x\n" * 59,
        "> > > > > > > > > > > > \n",
        "```\n",
        ">>> a\n",
        "    import x\n",
        "\n    a\n",
        " " * 50 + "\n",
        "(" * 1000 + "\n",
        ":1" * 900 + "\n",
    ],
)
def test_work_grows_with_the_length_of_the_text_and_no_faster(piece: str) -> None:
    """Counted in calls and lines executed, so that a busy machine cannot change the answer."""
    small, large = (_steps(piece * (chars // len(piece))) for chars in (5_000, 20_000))

    assert large < 4 * small * 1.5 + 2_000
    assert large < 20_000 * 40


def _steps(text: str) -> int:
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        find_traces(text)
        find_snippets(text)
    finally:
        sys.settrace(before)
    return count


_MIXED = """Traceback (most recent call last):
  File "a.py", line 1, in f
    at f (a.js:1:2)
a.BException: x ---> a.CException: y
Caused by: a.BError: x
goroutine 1 [running]:
\t/a.go:1 +0x1
f@http://a/b.js:1:2
a.rb:1:in `b'
#0 /a.php(1): f()
#0  0x1 in f (a=1) at a.c:1
#0      f (package:a/b.dart:1:2)
thread 'a' panicked at 'x', a.rs:1:1
"""
HOSTILE_SECONDS_MAX = 1.0
HOSTILE_CHARS = 1_000_000


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        ":",
        "1",
        '"',
        "@",
        " ",
        "at ",
        "\n",
        "a: ",
        "a.",
        "> ",
        "&lt;",
        "</p>",
        "at at at\n",
        "    at x\n",
        "1234567890\n",
        "a@b:1\n",
        "    #0 0x1 in f a.c:1:2\n",
        "#0  0x1 in f (a=1) at a.c:1\n",
        "#0 " + "at a " * 300 + "\n",
        "x in y " * 200 + "\n#0 /a.php(1): f()\n",
        "exception 'A' with message '" * 30 + "\n",
        "    at f (" + "eval at g (" * 100 + "\n",
        "    at a.b(c.java:1)" + " ~[" * 200 + "]\n",
        "a.BException: x ---> a.CException: y\n  at A.B()\n",
        "a b " * 100 + "@" + "x:1" * 100 + "\n",
        "a:1:in `" + "(" * 400 + "'" + "(A)" * 200 + "\n",
        "thread 'a' panicked at '" + "', a:1" * 300 + "\n",
        "a.c:1: " * 150 + "Assertion `\n",
        "Error: x\nCaused by:\n  0: a\n",
        '{"a":"\\n    at x (y:1:1)',
        "Caused by: a.BError: x\n" + "m\n" * 11,
        _MIXED,
        "".join(f"{line}\n" for line in reversed(_MIXED.split("\n"))),
        _MIXED.replace("\n", " "),
    ],
)
def test_a_megabyte_made_to_hurt_takes_less_than_a_second(piece: str) -> None:
    text = (piece * (HOSTILE_CHARS // len(piece) + 1))[:HOSTILE_CHARS]
    before = time.process_time()

    found = find_traces(text)

    assert time.process_time() - before < HOSTILE_SECONDS_MAX
    assert len(found) <= TRACES_MAX


@given(st.text(alphabet="at :@#0(){}'\"./\n1fE", max_size=3000))
@settings(max_examples=200, deadline=None)
def test_no_order_of_their_signs_breaks_the_readers(text: str) -> None:
    assert len(find_traces(text)) <= TRACES_MAX


def test_chained_python_says_what_each_was_to_the_last() -> None:
    parts = [PLAIN, PLAIN, PLAIN]
    text = (
        f"{parts[0]}\n\nThe above exception was the direct cause of the following exception:\n\n"
        f"{parts[1]}\n\nDuring handling of the above exception, another exception occurred:\n\n"
        f"{parts[2]}"
    )

    assert [trace.role for trace in find_traces(text)] == ["cause", "context", "raised"]


def test_members_of_a_group_are_members() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "a.py", line 1, in f\n  |     g()\n'
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "b.py", line 2, in h\n    |     i()\n    | ValueError: x\n'
        "    +---------------- 2 ----------------\n    | TypeError: y\n"
        "    +------------------------------------\n"
    )

    traces = find_traces(text)

    assert [(t.exception, t.role) for t in traces] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "member"),
        ("TypeError", "member"),
    ]
    assert innermost_in_app(traces) == Frame(path="b.py", line=2, function="h", code="i()")
