"""Debuggers, sanitizers and glibc."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

GDB = """\
Program received signal SIGSEGV, Segmentation fault.
0x0000555555555139 in total (cart=0x0) at cart.c:12
12\t  return cart->n;
(gdb) bt
#0  0x0000555555555139 in total (cart=0x0) at cart.c:12
#1  0x0000555555555160 in main (argc=1, argv=0x7ffe) at main.c:5
"""
GDB_ABORT = """\
Program terminated with signal SIGABRT, Aborted.
#0  __GI_raise (sig=sig@entry=6) at ../sysdeps/unix/sysv/linux/raise.c:50
#1  0x00007ffff7d3b859 in __GI_abort () at abort.c:79
#2  0x00005555555551c5 in Cart::total (this=0x0,
    items=std::vector of length 2, capacity 2 = {...})
    at /home/me/src/cart.cpp:33
#3  0x00007ffff7d3d083 in __libc_start_main () from /lib/x86_64-linux-gnu/libc.so.6
"""
ASAN = """\
=================================================================
==12345==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x0000004c3a5d bp 0x7ffd sp 0x7ffd
READ of size 4 at 0x602000000010 thread T0
    #0 0x4c3a5c in total(Cart*) /home/me/cart.cpp:12:10
    #1 0x4c3b11 in main /home/me/main.cpp:5:3
    #2 0x7f0 in __libc_start_main (/lib/x86_64-linux-gnu/libc.so.6+0x21b96)

0x602000000010 is located 0 bytes inside of 4-byte region
freed by thread T0 here:
    #0 0x493f5d in free (/home/me/a.out+0x493f5d)
    #1 0x4c3a00 in drop /home/me/cart.cpp:30:3

SUMMARY: AddressSanitizer: heap-use-after-free /home/me/cart.cpp:12:10 in total(Cart*)
"""  # noqa: E501
GLIBC = """\
*** Error in `./shop': double free or corruption (fasttop): 0x0000000001c8f010 ***
======= Backtrace: =========
/lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f8b0]
./shop(total+0x1a)[0x4005a4]
./shop(main+0x9)[0x4005c0]
"""
ASSERT = """\
shop: cart.c:12: total: Assertion `n > 0' failed.
Aborted (core dumped)
"""
UBSAN = """\
cart.c:12:7: runtime error: signed integer overflow: 2147483647 + 1
"""
LLDB = """\
* thread #1, queue = 'main', stop reason = signal SIGSEGV
  * frame #0: 0x0000000100003f5b shop`total(cart=0x0) at cart.c:12:10
    frame #1: 0x0000000100003f8c shop`main at main.c:5:3
    frame #2: 0x00007fff2 libdyld.dylib`start + 1
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (GDB, ["c SIGSEGV raised"], "cart.c:12 total"),
        (GDB_ABORT, ["c SIGABRT raised"], "/home/me/src/cart.cpp:33 Cart::total"),
        (ASAN, ["c heap-use-after-free raised", "c ? context"], "/home/me/cart.cpp:12 total"),
        (GLIBC, ["c SIGABRT raised"], "./shop:None total"),
        (ASSERT, ["c Assertion failed raised"], "cart.c:12 total"),
        (UBSAN, ["c runtime error raised"], "cart.c:12"),
        (LLDB, ["c SIGSEGV raised"], "cart.c:12 total"),
    ],
    ids=["gdb", "gdb abort", "asan", "glibc", "assert", "ubsan", "lldb"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
