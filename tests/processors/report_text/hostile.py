"""Texts made to cost time, a megabyte each, and how much a reader may take for one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

CHARS = 1_000_000
PIECES = (
    "a",
    "\n",
    " ",
    "\n\n",
    "a\n",
    "<",
    "<!--",
    "<!-- x -->",
    "<div hidden>",
    "<di<!---->v hidden>",
    "<div>\n",
    "<picture>",
    "<details>",
    "<b x='y z'>",
    "</b>",
    "<a b='",
    "<a b=\"<a b='",
    "<a a a a ",
    "<?",
    "<![CDATA[",
    "`",
    "`a``b```c",
    "\n```\n",
    "~~~\n",
    "&#82\u200b03;",
    "&#8203;",
    "a\u200b",
    "\u0915\u200d\u0937",
    "[a]: b 'x'\n",
    "![a b](",
    '](x "',
    "# a\n",
    "### Steps to reproduce\n",
    "### Environment\nOS: Windows 10\n",
    "**a** ",
    "**Expected:** x\n",
    "*a",
    "Steps: ",
    "Version: 1.0\n",
    "1. a\n",
    "1. a 2. ",
    "1)",
    "步骤1：点\n",
    "a:",
    "a: b\n",
    "|a|b|\n",
    "|",
    "--- ",
    "=\n",
    "on Windows 10 ",
    "works in Chrome 1.1.1.1.1.1.1.1",
    "python python3.11.",
    "环境",
    "【环境】",
    "版本 v1.1 ",
    "{code}\n",
    "h3. a\n",
    "- [ ] a\n",
    "a (b ",
    "_" * 50 + "\n",
)
NUMBERED = (
    "what version of {} a b c d e f g h i j k: x\n",
    "**how do you reproduce the a{} b c d e f g**\n",
    "### {}环境 a b / c d{}\n",
    "[{}]: x 'y'\n[{}] ",
    "<a{} b='c d'>",
    "&#{};",
    "Windows 1{} Python 3.{} Chrome {} on\n",
)
"""Each time another, so that nothing remembered helps."""


def texts() -> list[str]:
    """Return each piece repeated to a megabyte, and a sample of pairs of them."""
    pairs = [a + b for a, b in itertools.product(PIECES, PIECES)][::97]
    repeated = [piece * (CHARS // len(piece)) for piece in (*PIECES, *pairs)]
    return repeated + [_numbered(piece) for piece in NUMBERED]


def _numbered(piece: str) -> str:
    times = CHARS // len(piece.format(1, 1, 1))
    return "".join(piece.format(number, number, number) for number in range(times))[:CHARS]


def slowest(read: Callable[[str], object], among: list[str]) -> tuple[float, str]:
    """Return the processor seconds that the slowest text took, and how it begins.

    Each counts by its quicker run of two: what else the machine does shows in processor time, too.
    """
    took: list[tuple[float, str]] = []
    for text in among:
        tries: list[float] = []
        for _ in range(2):
            started = time.process_time()
            read(text)
            tries.append(time.process_time() - started)
        took.append((min(tries), text[:40]))
    return max(took)
