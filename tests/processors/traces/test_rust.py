"""Panics and errors, with and without a backtrace."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

RUST_NEW = """\
thread 'main' panicked at src/cart.rs:12:9:
attempt to divide by zero
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
RUST_OLD_BT = """\
thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/cart.rs:12:9
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9eb3afe9ebe9c7d2b84b71002d44f4a0edac95e0/library/std/src/panicking.rs:575:5
   1: core::panicking::panic_fmt
             at /rustc/9eb3afe9ebe9c7d2b84b71002d44f4a0edac95e0/library/core/src/panicking.rs:64:14
   2: shop::cart::total
             at ./src/cart.rs:12:9
   3: shop::main
             at ./src/main.rs:4:5
   4: core::ops::function::FnOnce::call_once
             at /rustc/9eb3afe9ebe9c7d2b84b71002d44f4a0edac95e0/library/core/src/ops/function.rs:250:5
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
"""  # noqa: E501
ANYHOW = """\
Error: could not load config

Caused by:
    0: could not read file
    1: No such file or directory (os error 2)

Stack backtrace:
   0: anyhow::error::<impl anyhow::Error>::msg
             at /root/.cargo/registry/src/index/anyhow-1.0/src/error.rs:79:36
   1: shop::config::load
             at ./src/config.rs:9:5
"""
SENTRY_RUST = """\
   0:     0x10f5b2000 - std::backtrace::trace::h8f8f8f8f8f8f8f8f
   1: <shop::Cart as core::ops::Add>::add::hfdfdfdfdfdfdfdfd (0x10f5b2345)
             at /home/me/shop/src/cart.rs:12
   2: shop::run::hfdfdfdfdfdfdfdfd (0x10f5b2345)
             at /home/me/shop/src/main.rs:44
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (RUST_NEW, ["rust panic raised"], "src/cart.rs:12"),
        (RUST_OLD_BT, ["rust panic raised"], "./src/cart.rs:12 shop::cart::total"),
        (
            ANYHOW,
            ["rust Error raised", "rust Error cause", "rust Error cause"],
            "./src/config.rs:9 shop::config::load",
        ),
        (
            SENTRY_RUST,
            ["rust ? raised"],
            "/home/me/shop/src/cart.rs:12 <shop::Cart as core::ops::Add>::add",
        ),
    ],
    ids=["no backtrace", "a backtrace", "anyhow", "only a backtrace"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
