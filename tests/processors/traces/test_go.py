"""Panics, deadlocks and logged stacks."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

GO_NEW = """\
panic: runtime error: integer divide by zero [recovered]
\tpanic: runtime error: integer divide by zero

goroutine 7 [running]:
testing.tRunner.func1.2({0x1, 0x2})
\t/usr/local/go/src/testing/testing.go:1545 +0x238
panic({0x50, 0x5b})
\t/usr/local/go/src/runtime/panic.go:914 +0x21f
github.com/acme/shop/cart.(*Cart).Total(0xc00)
\t/home/me/shop/cart/cart.go:17 +0x1d
github.com/gin-gonic/gin.(*Context).Next(...)
\t/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174
created by testing.(*T).Run in goroutine 1
\t/usr/local/go/src/testing/testing.go:1648 +0x3ad
exit status 2
"""
GO_FATAL = """\
fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/tmp/x.go:5 +0x1d
exit status 2
"""
GO_ERRORS = """\
2026/11/22 10:00:00 could not open cart
main.load
\t/srv/shop/load.go:12
main.main
\t/srv/shop/main.go:5
runtime.main
\t/usr/local/go/src/runtime/proc.go:250
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            GO_NEW,
            ["go panic raised"],
            "/home/me/shop/cart/cart.go:17 github.com/acme/shop/cart.(*Cart).Total",
        ),
        (GO_FATAL, ["go fatal error raised"], "/tmp/x.go:5 main.main"),
        (GO_ERRORS, ["go ? raised"], "/srv/shop/load.go:12 main.load"),
    ],
    ids=["a panic in a test", "a deadlock", "a stack that was logged"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
