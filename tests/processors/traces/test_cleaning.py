"""What stands around a trace is taken off."""

from __future__ import annotations

import pytest

from processors.trace_lines import LINE_CHARS_MAX
from processors.traces.cleaning import LINES_MAX, clean_lines
from tests.processors.traces.told import told

HTML = """\
<pre>java.lang.IllegalStateException: no<br/>
\tat shop.Cart.&lt;init&gt;(Cart.java:3)<br/>
\tat shop.Main.main(Main.java:4)</pre>
"""
JSONLOG = """\
{"level":"error","stack":"TypeError: x is undefined\\n    at total (/srv/cart.js:3:5)\\n    at main (/srv/main.js:1:1)"}
"""  # noqa: E501
COMPOSE = """\
web_1  | 2026-11-22T10:00:01Z ERROR TypeError: x is undefined
web_1  |     at total (/srv/cart.js:3:5)
web_1  |     at main (/srv/main.js:1:1)
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (HTML, ["java java.lang.IllegalStateException raised"], "Cart.java:3 shop.Cart.<init>"),
        (JSONLOG, ["javascript TypeError raised"], "/srv/cart.js:3 total"),
        (COMPOSE, ["javascript TypeError raised"], "/srv/cart.js:3 total"),
    ],
    ids=["markup and entities", "one JSON string", "compose, time and level"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22 10:00:01,123 ERROR {}",
        "[2026-11-22T10:00:01.5Z] {}",
        "2026-11-22T10:00:01.123456Z stderr F {}",
        "Nov 22 10:00:01 web1 shop[123]: {}",
        "2026-11-22T10:00:01+00:00 app[web.1]: {}",
        "E/AndroidRuntime( 1234): {}",
        "11-22 10:00:01.123  1234  1234 E AndroidRuntime: {}",
        "[pod/web-1/app] {}",
        "web_1  | {}",
        "> > {}",
        "\x1b[31m{}",
        "<pre>{}",
        "{{code:java}}{}",
    ],
)
@pytest.mark.parametrize("rest", ["    at f (a.js:1:2)", "a.BError: x"])
def test_what_loggers_and_channels_put_before_a_line_is_gone(line: str, rest: str) -> None:
    assert clean_lines(line.format(rest)) == [rest]


@pytest.mark.parametrize(
    "line", ["a | b | c", "ERROR: x", "E   assert 1", "  | ValueError: x", "[ERROR]x", ">>> f()"]
)
def test_a_line_that_is_its_own_keeps_its_words(line: str) -> None:
    assert clean_lines(line)[0].endswith(line[-1])


def test_a_double_spaced_paste_is_single_spaced_and_paragraphs_stay() -> None:
    lines = ["a", "b", "", "c", "d", "e"]

    assert clean_lines("\n\n".join(lines)) == lines
    assert clean_lines("one\n\ntwo\n\nthree") == ["one", "", "two", "", "three"]


def test_lines_and_their_number_are_bounded() -> None:
    lines = clean_lines("first\n" + "x\n" * LINES_MAX * 2 + "y" * 9000)

    assert len(lines) == LINES_MAX + 1
    assert (lines[0], lines[-1]) == ("first", "y" * LINE_CHARS_MAX)
