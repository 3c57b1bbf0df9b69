"""pytest and IPython; whole failures are in `test_find.py`."""

from __future__ import annotations

from tests.processors.traces.told import told


def test_two_failures_of_pytest_are_two_traces() -> None:
    failure = "E       ValueError: x\n\nshop/cart.py:{}: ValueError\n"
    text = "____ test_a ____\n" + failure.format(3) + "____ test_b ____\n" + failure.format(9)

    names, innermost = told(text)

    assert names == ["python ValueError raised"] * 2
    assert innermost == "shop/cart.py:3"


def test_a_cell_without_its_message_is_no_trace() -> None:
    text = "KeyError                 Traceback (most recent call last)\nCell In[3], line 1\n"

    assert told(text) == ([], "")
