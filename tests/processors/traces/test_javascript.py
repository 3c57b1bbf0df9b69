"""Node, bundles and test runners."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

NODE_CAUSE = """\
/srv/app.js:3
    throw new Error('outer', { cause: e });
    ^

Error: outer
    at run (/srv/app.js:3:11)
    at Object.<anonymous> (/srv/app.js:9:1)
    at node:internal/main/run_main_module:28:49 {
  [cause]: TypeError: Cannot read properties of undefined (reading 'x')
      at load (/srv/load.js:7:9)
      at run (/srv/app.js:2:5)
}

Node.js v20.1.0
"""
WEBPACK = """\
Uncaught (in promise) TypeError: e is undefined
    at l (webpack:///./src/cart.ts?:12:3)
    at async webpack:///./node_modules/axios/lib/x.js:3:1
"""
MIN = """\
TypeError: n is not a function
    at t.default (https://shop.example/static/js/main.3f2a1b.chunk.js:1:48213)
    at Oa (https://shop.example/static/js/vendors~main.1a.chunk.js:2:9)
"""
JEST = """\
  ● total › sums

    expect(received).toBe(expected) // Object.is equality

    Expected: 3
    Received: 4

      at Object.toBe (src/cart.test.ts:7:22)
      at processTicksAndRejections (node:internal/process/task_queues:95:5)
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            NODE_CAUSE,
            ["javascript Error raised", "javascript TypeError cause"],
            "/srv/load.js:7 load",
        ),
        (WEBPACK, ["javascript TypeError raised"], "webpack:///./src/cart.ts?:12 l"),
        (
            MIN,
            ["javascript TypeError raised"],
            "https://shop.example/static/js/main.3f2a1b.chunk.js:1 t.default",
        ),
        (JEST, ["javascript ? raised"], "src/cart.test.ts:7 Object.toBe"),
    ],
    ids=["a cause in braces", "webpack addresses", "minified bundles", "a test runner"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
