"""The filter, run by a small BPF interpreter: what it answers for each kind of call."""

from __future__ import annotations

import struct

import pytest

from connectors.seccomp import seccomp_filter

X86, ARM = 0xC000003E, 0xC00000B7
ALLOW = "allow"


def verdict(program: bytes, arch: int, number: int, *arguments: int) -> str:
    data = struct.pack("=IIQ", number, arch, 0)
    data += struct.pack("=6Q", *(arguments + (0,) * 6)[:6])
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x06:
                return ALLOW if value == 0x7FFF0000 else f"errno {value & 0xFFFF}"
            case _:
                holds = {
                    0x15: accumulator == value,
                    0x35: accumulator >= value,
                    0x45: bool(accumulator & value),
                }[code]
                at += if_true if holds else if_false


@pytest.mark.parametrize(
    ("number", "arguments", "expected"),
    [
        (0, (), ALLOW),  # read
        (101, (), "errno 1"),  # ptrace
        (425, (), "errno 1"),  # io_uring_setup
        (435, (), "errno 38"),  # clone3: programs fall back to clone
        (56, (17,), ALLOW),  # clone, as fork does it
        (56, (0x10000000 | 17,), "errno 1"),  # clone with a new user namespace
        (41, (2, 1), ALLOW),  # socket: IPv4
        (41, (40, 1), "errno 97"),  # socket: to the hypervisor
        (16, (0, 0x5401), ALLOW),  # ioctl: TCGETS
        (16, (0, 0x5412), "errno 1"),  # ioctl: TIOCSTI
        (456, (), ALLOW),
        (457, (), "errno 38"),  # newer than the list
        (0x40000000, (), "errno 38"),  # x32
    ],
)
def test_each_call_gets_its_answer_on_x86_64(
    number: int, arguments: tuple[int, ...], expected: str
) -> None:
    program = seccomp_filter("x86_64")

    assert program is not None
    assert verdict(program, X86, number, *arguments) == expected


def test_arm_has_its_own_numbers() -> None:
    program = seccomp_filter("aarch64")

    assert program is not None
    assert verdict(program, ARM, 117) == "errno 1"  # ptrace
    assert verdict(program, ARM, 101) == ALLOW  # nanosleep
    assert verdict(program, ARM, 198, 40) == "errno 97"
    assert verdict(program, X86, 0) == "errno 38"


def test_a_machine_it_does_not_know_gets_no_filter() -> None:
    assert seccomp_filter("riscv64") is None
