"""Flutter."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

FLUTTER = """\
══╡ EXCEPTION CAUGHT BY WIDGETS LIBRARY ╞══
The following _TypeError was thrown building CartPage(dirty):
type 'Null' is not a subtype of type 'String'

The relevant error-causing widget was:
  CartPage

When the exception was thrown, this was the stack:
#0      CartPage.build (package:shop/cart_page.dart:22:30)
#1      StatelessElement.build (package:flutter/src/widgets/framework.dart:5550:49)
"""
FLUTTER_LOG = """\
E/flutter ( 4321): [ERROR:flutter/runtime/dart_vm_initializer.cc(41)] Unhandled Exception: Null check operator used on a null value
E/flutter ( 4321): #0      _CartState.load (package:shop/cart.dart:41:23)
E/flutter ( 4321): <asynchronous suspension>
E/flutter ( 4321): #1      main (package:shop/main.dart:8:3)
"""  # noqa: E501


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (FLUTTER, ["dart _TypeError raised"], "package:shop/cart_page.dart:22 CartPage.build"),
        (FLUTTER_LOG, ["dart TypeError raised"], "package:shop/cart.dart:41 _CartState.load"),
    ],
    ids=["an error of a widget", "logcat"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
