"""Java, Kotlin and Android as their logs show them."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

JAVA_AT_BAR = """\
shop.CartException: empty
  at total
Caused by: shop.StockException
  at take
  at count
"""
COMPLEX = """\
jakarta.servlet.ServletException: checkout failed
    at com.shop.web.Filter.doFilter(Filter.java:60)
    at java.base/java.lang.Thread.run(Thread.java:833)
Caused by: org.hibernate.exception.ConstraintViolationException: could not insert: [com.shop.Order]
    at org.hibernate.SQLStateConverter.convert(SQLStateConverter.java:96)
    at $Proxy19.save(Unknown Source)
    at app//com.shop.OrderService.save(OrderService.java:59) <-- here
    at com.shop.web.Checkout.doPost(Checkout.java:164) ~[shop.jar!/:1.0]
    ... 32 more
Caused by: java.sql.SQLException: Violation of unique constraint ORDER_UK
    at org.hsqldb.jdbc.Util.throwError(Unknown Source)
    ... 54 common frames omitted
"""
KOTLIN = """\
Exception in thread "main" java.util.NoSuchElementException: Collection contains no element matching the predicate.
\tat shop.CartKt.total(Cart.kt:12)
\tat shop.MainKt.main(Main.kt)
\tSuppressed: java.io.IOException: close
\t\tat shop.Res.close(Res.kt:3)
\tCaused by: java.lang.Error: y
\t\tat shop.Deep.x(Deep.kt:1)
"""  # noqa: E501
ANDROID = """\
11-22 10:00:01.123  1234  1234 E AndroidRuntime: FATAL EXCEPTION: main
11-22 10:00:01.123  1234  1234 E AndroidRuntime: Process: com.shop, PID: 1234
11-22 10:00:01.123  1234  1234 E AndroidRuntime: java.lang.RuntimeException: Unable to start activity
11-22 10:00:01.123  1234  1234 E AndroidRuntime: \tat android.app.ActivityThread.performLaunchActivity(ActivityThread.java:3449)
11-22 10:00:01.123  1234  1234 E AndroidRuntime: Caused by: java.lang.NullPointerException: x
11-22 10:00:01.123  1234  1234 E AndroidRuntime: \tat com.shop.CartActivity.onCreate(CartActivity.kt:22)
11-22 10:00:01.123  1234  1234 E AndroidRuntime: \t... 11 more
"""  # noqa: E501
JAVA_WRAPPED = """\
java.lang.IllegalStateException: no
at com.example.shop.long.name.CartController.handleTheRequest(
CartController.java:33)
at com.example.shop.long.name.CartController.handle(CartController.java:
30)
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            JAVA_AT_BAR,
            ["java shop.CartException raised", "java shop.StockException cause"],
            ":None take",
        ),
        (
            COMPLEX,
            [
                "java jakarta.servlet.ServletException raised",
                "java org.hibernate.exception.ConstraintViolationException cause",
                "java java.sql.SQLException cause",
            ],
            "OrderService.java:59 com.shop.OrderService.save",
        ),
        (
            KOTLIN,
            [
                "java java.util.NoSuchElementException raised",
                "java java.io.IOException suppressed",
                "java java.lang.Error suppressed",
            ],
            "Cart.kt:12 shop.CartKt.total",
        ),
        (
            ANDROID,
            ["java java.lang.RuntimeException raised", "java java.lang.NullPointerException cause"],
            "CartActivity.kt:22 com.shop.CartActivity.onCreate",
        ),
        (
            JAVA_WRAPPED,
            ["java java.lang.IllegalStateException raised"],
            "CartController.java:33 com.example.shop.long.name.CartController.handleTheRequest",
        ),
    ],
    ids=[
        "only names",
        "a chain with a remark behind a call",
        "suppressed exceptions",
        "logcat before each line",
        "broken lines",
    ],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
