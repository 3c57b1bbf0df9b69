"""Traces of languages other than Python, found through the one entry point."""

from __future__ import annotations

from processors.traces import find_traces
from schemas.reports import Frame


def test_a_javascript_trace_is_turned_outermost_first() -> None:
    text = (
        "Uncaught TypeError: Cannot read properties of undefined (reading 'x')\n"
        "    at total (/srv/cart.js:10:5)\n    at /srv/main.js:3:1\n"
    )

    (trace,) = find_traces(text)

    assert (trace.language, trace.exception) == ("javascript", "TypeError")
    assert trace.message.endswith("(reading 'x')")
    assert trace.frames == (
        Frame(path="/srv/main.js", line=3),
        Frame(path="/srv/cart.js", line=10, function="total"),
    )


def test_a_java_trace_with_its_cause_gives_two() -> None:
    text = (
        'Exception in thread "main" java.lang.IllegalStateException: no cart\n'
        "\tat shop.Main.main(Main.java:5) ~[shop.jar:1.0]\n"
        "Caused by: java.lang.NullPointerException\n"
        "\tat shop.Cart.total(Cart.java:9)\n\tat shop.Main.main(Main.java:4)\n\t... 1 more\n"
    )

    outer, cause = find_traces(text)

    assert (outer.exception, outer.message) == ("java.lang.IllegalStateException", "no cart")
    assert outer.frames == (Frame(path="Main.java", line=5, function="shop.Main.main"),)
    assert (cause.language, cause.exception) == ("java", "java.lang.NullPointerException")
    assert [frame.path for frame in cause.frames] == ["Main.java", "Cart.java"]


def test_calls_as_maven_and_loggers_print_them_are_read() -> None:
    text = (
        "[ERROR] shop.BuildException: no\n"
        "    at shop.Plugin.run (Plugin.java:12)\n"
        "    at shop.Main.main(Main.java:3) ~[shop-9.4.31.v2020\n0723.jar:1]\n"
        "    at shop.Boot.main(Boot.java:2) [shop.jar!/:?]\n"
    )

    (trace,) = find_traces(text)

    assert (trace.language, trace.exception) == ("java", "shop.BuildException")
    assert [frame.function for frame in trace.frames] == [
        "shop.Boot.main",
        "shop.Main.main",
        "shop.Plugin.run",
    ]


def test_prose_with_at_and_a_port_is_no_call() -> None:
    assert find_traces("a.GSSException: no ticket\nat the host shop.example/10.0.0.1:8022\n") == ()


def test_a_go_panic_is_a_trace() -> None:
    text = (
        "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n"
        "main.total({0x1, 0x2})\n\t/srv/cart.go:9 +0x1d\nmain.main()\n\t/srv/main.go:4 +0x2\n"
    )

    (trace,) = find_traces(text)

    assert trace.message == "runtime error: index out of range [5] with length 3"
    assert [(f.function, f.line) for f in trace.frames] == [("main.main", 4), ("main.total", 9)]
