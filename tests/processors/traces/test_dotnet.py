"""C# with and without files, nested, and from Mono."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

MONO = """\
System.Collections.Generic.KeyNotFoundException: no such item
  at System.Collections.Generic.Dictionary`2[System.Int32,System.Double].get_Item (System.Int32 key) [0x00000] in <filename unknown>:0
  at Shop.Cart.Total (System.Collections.Generic.List`1 items) [0x00007] in /home/me/my shop/Cart.cs:9
  at Shop.Program.Main () [0x00000] in /home/me/my shop/Program.cs:3
"""  # noqa: E501
AGGREGATE = """\
Unhandled exception. System.AggregateException: One or more errors occurred. (no stock)
 ---> System.InvalidOperationException: no stock
   at Shop.Stock.Take(Int32 n) in /src/Shop/Stock.cs:line 12
   --- End of inner exception stack trace ---
   at System.Threading.Tasks.Task.Wait()
   at Shop.Program.Main() in /src/Shop/Program.cs:line 5
"""
CS_NOPDB = """\
System.NullReferenceException: Object reference not set to an instance of an object.
   at Shop.Cart.Total(Order order)
   at Shop.Web.CartController.<Get>d__3.MoveNext()
--- End of stack trace from previous location ---
   at Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor.Execute(Object o)
"""
CS_ZH = """\
System.NullReferenceException: 未将对象引用设置到对象的实例。
   在 Shop.Cart.Total(Order o) 位置 D:\\src\\Cart.cs:行号 12
   在 Shop.Program.Main() 位置 D:\\src\\Program.cs:行号 3
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            MONO,
            ["csharp System.Collections.Generic.KeyNotFoundException raised"],
            "/home/me/my shop/Cart.cs:9 Shop.Cart.Total",
        ),
        (
            AGGREGATE,
            [
                "csharp System.AggregateException raised",
                "csharp System.InvalidOperationException cause",
            ],
            "/src/Shop/Stock.cs:12 Shop.Stock.Take",
        ),
        (CS_NOPDB, ["csharp System.NullReferenceException raised"], ":None Shop.Cart.Total"),
        (
            CS_ZH,
            ["csharp System.NullReferenceException raised"],
            "D:\\src\\Cart.cs:12 Shop.Cart.Total",
        ),
    ],
    ids=["Mono", "inner exception on its own line", "no files", "Windows in Chinese"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
