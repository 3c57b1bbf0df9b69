"""Firefox, Safari and React Native."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

FIREFOX_HEAD = """\
TypeError: cart is undefined
total@https://shop.example/cart.js:12:5
async*load@https://shop.example/main.js:3:1
promise callback*@https://shop.example/main.js:9:1
"""
HERMES = """\
TypeError: undefined is not an object (evaluating 'a.b')

This error is located at:
    in Cart (at App.js:12)
render@/home/x/app/index.bundle:78:8
y@/home/x/app/index.bundle:80:1
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (FIREFOX_HEAD, ["javascript TypeError raised"], "https://shop.example/cart.js:12 total"),
        (HERMES, ["javascript TypeError raised"], "/home/x/app/index.bundle:78 render"),
    ],
    ids=["asynchronous callers", "React Native"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
