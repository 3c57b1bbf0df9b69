"""Calls without an `at`, as lists of strings that were joined show them."""

from __future__ import annotations

from tests.processors.traces.told import told


def test_a_run_of_bare_calls_is_a_trace() -> None:
    java = "shop.Cart.total(shop/Cart.java:9)\njava.lang.Thread.run(Thread.java:3)\n"
    script = "compile ((execjs):69:19)\neval (<anonymous>:1:10)\nmain.js:3:1\n"

    assert told(java) == (["java ? raised"], "shop/Cart.java:9 shop.Cart.total")
    assert told(script) == (["javascript ? raised"], "(execjs):69 compile")


def test_one_alone_is_prose() -> None:
    assert told("see total(cart.py:3)\n\ntotal(cart.py:3)\n") == ([], "")
