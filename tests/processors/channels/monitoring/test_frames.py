"""Frames become the text that the language prints, and that our reader of traces reads."""

from __future__ import annotations

from typing import Any

import pytest

from processors.channels.monitoring.frames import trace_of
from processors.traces import find_traces
from tests.connectors.monitoring.posts import frame, sentry_event


def event(platform: str, *errors: dict[str, Any]) -> dict[str, Any]:
    return {"platform": platform, "exception": {"values": list(errors)}}


def error(name: str, message: str, *frames: dict[str, Any], module: str = "") -> dict[str, Any]:
    return {"type": name, "value": message, "module": module, "stacktrace": {"frames": [*frames]}}


def test_python_is_written_as_python_prints_it() -> None:
    assert trace_of(sentry_event()) == (
        "Traceback (most recent call last):\n"
        '  File "/venv/lib/python3.11/site-packages/django/core/base.py", line 197,'
        " in _get_response\n"
        '  File "shop/cart.py", line 9, in total\n'
        "    return a / n\n"
        "ZeroDivisionError: division by zero"
    )


def test_causes_of_python_come_first() -> None:
    said = trace_of(
        event(
            "python",
            error("KeyError", "'sku'", frame("a.py", 1, "find"), frame("b.py", 2, "get")),
            error("CartError", "no such thing", frame("c.py", 3, "total")),
        )
    )

    assert [t.exception for t in find_traces(said)] == ["KeyError", "CartError"]


@pytest.mark.parametrize(
    ("platform", "path", "innermost"),
    [
        ("python", "shop/cart.py", "shop/cart.py"),
        ("javascript", "/app/src/cart.js", "/app/src/cart.js"),
        ("node", "/app/src/cart.js", "/app/src/cart.js"),
        ("java", "com/acme/Cart.java", "Cart.java"),
        ("go", "/app/cart.go", "/app/cart.go"),
    ],
)
def test_our_reader_finds_the_innermost_frame_of_the_text(
    platform: str, path: str, innermost: str
) -> None:
    calls = (frame(path, 3, "main", module="m"), frame(path, 9, "total", module="m"))
    (trace,) = find_traces(trace_of(event(platform, error("CartError", "no price", *calls))))

    assert (trace.frames[-1].path, trace.frames[-1].line) == (innermost, 9)
    assert "no price" in trace.message


@pytest.mark.parametrize(
    ("platform", "line"),
    [
        ("csharp", "   at M.Total() in /app/Cart.cs:line 9"),
        ("ruby", "/app/Cart.cs:9:in `Total': no price (CartError)"),
        ("php", "#0 /app/Cart.cs(9): Total()"),
        ("native", "    at Total (/app/Cart.cs:9:1)"),
    ],
)
def test_other_languages_are_written_as_they_print(platform: str, line: str) -> None:
    calls = (frame("/app/Cart.cs", 3, "Main"), frame("/app/Cart.cs", 9, "Total", module="M"))
    said = trace_of(event(platform, error("CartError", "no price", *calls)))

    assert line in said.splitlines()


def test_java_names_its_causes_after_what_they_caused() -> None:
    said = trace_of(
        event(
            "java",
            error(
                "IOException", "gone", frame("A.java", 1, "read", module="a.A"), module="java.io"
            ),
            error("CartError", "no", frame("B.java", 2, "total", module="b.B"), module="b"),
        )
    )

    assert said == (
        "b.CartError: no\n\tat b.B.total(B.java:2)\n"
        "Caused by: java.io.IOException: gone\n\tat a.A.read(A.java:1)"
    )


def test_what_is_no_frame_does_no_harm() -> None:
    for odd in ({}, {"exception": 3}, {"exception": {"values": [1, {}]}}):
        trace_of({"platform": "python", **odd})
    strange = {"filename": ["x"], "lineno": "9", "function": None, "context_line": 7}

    assert trace_of(event("python", error("E\nE", "m", strange))).endswith("E E: m")
