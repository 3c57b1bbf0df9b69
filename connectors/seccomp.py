"""The system call filter of the sandbox: a small BPF program, as `bwrap --seccomp` takes it.

Namespaces keep the host out of sight; this keeps the kernel's rarely used and often broken
parts (io_uring, bpf, user namespaces, keyrings) and virtual machine sockets out of reach.
"""

from __future__ import annotations

import platform
import struct

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_NUMBER_AT, _ARCH_AT, _ARGUMENT_AT = 0, 4, (16, 24)
_X32_BIT = 0x40000000
_NEWEST_KNOWN = 456
"""futex_requeue of Linux 6.7. What is newer has not been judged, so it does not exist inside."""

_ARCHES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine -> column of the tables below, AUDIT_ARCH constant."""

_DENIED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "memfd_secret": (447, 447),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_CLONE, _SOCKET, _IOCTL, _CLONE3 = (56, 220), (41, 198), (16, 29), (435, 435)

_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET, and NEWTIME."""
_FAMILIES = (1, 2, 10, 16)
"""unix, IPv4, IPv6, netlink. AF_VSOCK would reach the hypervisor past any network namespace."""
_IOCTLS_DENIED = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into somebody's terminal."""


def seccomp_filter(machine: str = "") -> bytes | None:
    """Return the compiled filter for `machine` (this one's); None where it is not known."""
    known = _ARCHES.get(machine or platform.machine())
    if known is None:
        return None
    column, arch = known
    numbers = [pair[column] for pair in _DENIED.values()]
    program = [
        _load(_ARCH_AT),
        *_unless(_JUMP_EQUAL, arch, _ENOSYS),
        _load(_NUMBER_AT),
        *_if(_JUMP_AT_LEAST, _X32_BIT, _ENOSYS),
        *_if(_JUMP_AT_LEAST, _NEWEST_KNOWN + 1, _ENOSYS),
        # clone3 hides its flags behind a pointer; without it, programs use clone.
        *_if(_JUMP_EQUAL, _CLONE3[column], _ENOSYS),
    ]
    for number in numbers:
        if number is not None:
            program += _if(_JUMP_EQUAL, number, _EPERM)
    program += _when(_CLONE[column], [_load(_ARGUMENT_AT[0]), *_if_bits(_NEW_NAMESPACES)])
    program += _when(_SOCKET[column], _only_families())
    refused = [step for code in _IOCTLS_DENIED for step in _if(_JUMP_EQUAL, code, _EPERM)]
    program += _when(_IOCTL[column], [_load(_ARGUMENT_AT[1]), *refused])
    program.append(_return(_ALLOW))
    return b"".join(program)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _return(value: int) -> bytes:
    return _instruction(_RETURN, value)


def _if(jump: int, value: int, errno: int) -> list[bytes]:
    return [_instruction(jump, value, 0, 1), _return(_ERRNO | errno)]


def _unless(jump: int, value: int, errno: int) -> list[bytes]:
    return [_instruction(jump, value, 1, 0), _return(_ERRNO | errno)]


def _if_bits(bits: int) -> list[bytes]:
    return _if(_JUMP_ANY_BIT, bits, _EPERM)


def _only_families() -> list[bytes]:
    steps = [_load(_ARGUMENT_AT[0])]
    for family in _FAMILIES:
        steps += [_instruction(_JUMP_EQUAL, family, 0, 1), _return(_ALLOW)]
    return [*steps, _return(_ERRNO | _EAFNOSUPPORT)]


def _when(number: int, steps: list[bytes]) -> list[bytes]:
    """Run `steps`, which end in allowing, for one system call; pass the others on."""
    body = [*steps, _return(_ALLOW)]
    return [_instruction(_JUMP_EQUAL, number, 0, len(body)), *body]
