"""Chains and broken lines; more is in `test_find.py`."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

PYTHON_CHAIN = """\
Traceback (most recent call last):
  File "/srv/shop/cart.py", line 3, in total
    return d["x"]
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop/main.py", line 8, in <module>
    total({})
  File "/usr/lib/python3.11/asyncio/x.py", line 5, in total
RuntimeError: y
"""
PYTHON_WRAPPED = """\
> Traceback (most recent call last):
>   File "/srv/a/very/long/path/that/a/mail/program/will/surely/break/cart.py",
> line 3, in total
>     return d["x"]
> KeyError: 'x'
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            PYTHON_CHAIN,
            ["python KeyError cause", "python RuntimeError raised"],
            "/srv/shop/cart.py:3 total",
        ),
        (
            PYTHON_WRAPPED,
            ["python KeyError raised"],
            "/srv/a/very/long/path/that/a/mail/program/will/surely/break/cart.py:3 total",
        ),
    ],
    ids=["a direct cause", "quoted and broken by mail"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
