"""Sees what the process does to the world while it is watched: programs, files, the network.

The interpreter itself reports it (PEP 578), so code that goes around our adapters is seen as well.
A hook cannot be taken away again; it does nothing while nobody watches.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn")
_FILES = {
    "open": (0,),
    "os.listdir": (0,),
    "os.scandir": (0,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.truncate": (0,),
    "shutil.rmtree": (0,),
}
"""Event -> which of its arguments are paths."""
_NET = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_OBJECTS = ("pickle.find_class",)
_HARMLESS = ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo", "/etc/mime.types", "/proc/self")
"""What Python's own library looks at by itself."""


@dataclass
class Seen:
    """What happened that must not happen, in words."""

    argv: list[tuple[str, ...]] = field(default_factory=list)
    """Of every program that was started, allowed or not."""
    violations: list[str] = field(default_factory=list)


@dataclass
class _Watch:
    seen: Seen
    roots: tuple[str, ...]
    programs: frozenset[str]
    words: tuple[str, ...]

    def hear(self, event: str, args: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            self._started(args)
        elif event.startswith(_STARTS):
            self.seen.violations.append(f"{event} {args[:2]!r}")
        elif event in _FILES:
            for index in _FILES[event]:
                self._touched(event, args[index] if index < len(args) else None)
        elif event in _NET:
            self._called(event, args)
        elif event in _OBJECTS:
            self.seen.violations.append(f"{event} {args!r}")

    def _started(self, args: tuple[object, ...]) -> None:
        given = args[1] if len(args) > 1 else ()
        argv = tuple(map(_text, given)) if isinstance(given, Sequence) else (_text(given),)
        self.seen.argv.append(argv)
        name = Path(_text(args[0]) if args[0] else argv[0]).name
        if isinstance(given, str | bytes):
            self.seen.violations.append(f"a shell's line: {argv[0][:200]}")
        if name not in self.programs:
            self.seen.violations.append(f"a program that is none of ours: {name} {argv[:4]!r}")
        for word in self.words:
            if any(word in part for part in argv):
                self.seen.violations.append(f"words of a stranger in an argument: {argv[:6]!r}")
                break

    def _touched(self, event: str, path: object) -> None:
        if isinstance(path, int) or path is None:
            return  # A file that is open already.
        text = os.path.abspath(_text(path))  # noqa: PTH100  # `..` goes, links stay: as it is asked
        if not text.startswith((*self.roots, *_HARMLESS)):
            self.seen.violations.append(f"{event} outside: {text[:200]}")

    def _called(self, event: str, args: tuple[object, ...]) -> None:
        where = args[1] if event in ("socket.connect", "socket.sendto") else args[0]
        if not isinstance(where, str | bytes) or event == "socket.getaddrinfo":
            self.seen.violations.append(f"{event} {where!r}")  # A text is a local socket's path.


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return os.fspath(value) if isinstance(value, str | os.PathLike) else repr(value)


_watches: list[_Watch] = []
_is_hooked = False


def _hook(event: str, args: tuple[object, ...]) -> None:
    for one in _watches:
        one.hear(event, args)


@contextmanager
def watched(
    *folders: Path, programs: Collection[str] = (), words: Collection[str] = ()
) -> Iterator[Seen]:
    """Yield what is seen until the end. Only below `folders`, and of Python, may files be touched.

    Only `programs` may be started, with none of `words` in an argument; nothing may be called.
    """
    global _is_hooked  # noqa: PLW0603  # one hook for the life of the process
    if not _is_hooked:
        sys.addaudithook(_hook)
        _is_hooked = True
    own = {ROOT, *map(Path, sysconfig.get_paths().values()), Path(sys.base_prefix) / "lib"}
    own |= {Path(sys.prefix), *folders}
    roots = tuple(sorted(os.path.abspath(path) for path in own))  # noqa: PTH100
    watch = _Watch(Seen(), roots, frozenset(programs), tuple(words))
    _watches.append(watch)
    try:
        yield watch.seen
    finally:
        _watches.remove(watch)
