"""Who calls whom, from the code alone.

A call is certain where imports, the same file, class or package say what it means. Where only the
name fits, and few define it, it is likely. What is looked up while the program runs (a registry, a
name in a string, a client that calls back) is not seen: no caller found is not never called.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from processors.locating.entries import Entry
from processors.locating.names import PACKAGE, Names, Node, growing
from processors.locating.outline import USES
from processors.locating.paths import holds_tests, is_internal

DEFINERS_MAX = 3
"""A method's name that more families of classes define says nothing about which one is called."""
FAMILY_MAX = 50
"""Methods of one name that are looked at."""
NEAR_MAX = 20
"""The same, of classes in the files that are imported."""
NAMES_MAX = 200
"""That one thing is called by: where it is imported, and by the classes that inherit from it."""
CALLS_SEEN_MAX = 2_000_000
"""Of one commit; whom the others call is not known."""
_OWN = frozenset({"self", "cls", "this", "super"})
_MADE_BY = ("__init__", "__new__", "__post_init__", "constructor")
_BEFORE_TESTS = ("setUp", "setUpClass", "asyncSetUp", "setup_method", "setup_class", "tearDown")
"""What a runner of tests calls around each test of a class."""
_FIXTURES = "conftest.py"
_COMMON = frozenset(
    name
    for kind in (str, bytes, list, dict, set, io.TextIOWrapper)
    for name in dir(kind)
    if not name.startswith("_")
)
"""Methods that every value of the language may have: who calls one means ours only by import."""
_Meant = tuple[Node, bool]
"""What is called, and whether that is certain."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and whether the code leaves no doubt about it."""

    node: Node
    is_certain: bool


class CallGraph:
    """The calls of one commit."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """Know the files, path -> entry; tests among them where they are to be found."""
        self.entries = entries
        self._names = Names(entries)
        self._found: dict[Node, tuple[Caller, ...]] = {}
        self._meanings: dict[tuple[str, str, str], tuple[_Meant, ...]] = {}
        self._guesses: dict[tuple[str, str], Sequence[Node]] = {}
        self._callers: dict[str, Mapping[Node, Mapping[Node, bool]]] = {}

    @cached_property
    def offered(self) -> frozenset[Node]:
        """Return what packages take from files of theirs to offer it, such as in `__init__.py`."""
        found: set[Node] = set()
        for path, entry in self.entries.items():
            if PACKAGE.fullmatch(path) and not is_internal(path):
                for taken in entry.imports:
                    found.update(self._names.plain(path, taken.alias))
        return frozenset(found)

    @cached_property
    def _sites(self) -> Mapping[str, Sequence[tuple[Node, str]]]:
        """Return the last part of what is called -> who calls so, and what is written there."""
        found: dict[str, list[tuple[Node, str]]] = {}
        for caller, written in islice(self._written(), CALLS_SEEN_MAX):
            name = written.removeprefix(USES).rpartition(".")[2]
            found.setdefault(name, []).append((caller, written))
        return found

    def _written(self) -> Iterator[tuple[Node, str]]:
        for path, entry in self.entries.items():
            is_test = holds_tests(path)
            for place, calls in zip(entry.places, entry.calls, strict=False):
                node = Node(path, place.symbol)
                for written in calls:
                    yield node, written
                if is_test and node.owner and node.name.startswith("test"):
                    for name in _BEFORE_TESTS:
                        yield node, f"{USES}self.{name}"

    @cached_property
    def _other_names(self) -> Mapping[str, Sequence[str]]:
        """Return a name -> what may be written instead: by who imports it, or inherits from it."""
        found: dict[str, dict[str, None]] = {}
        for entry in self.entries.values():
            for taken in entry.imports:
                if taken.name and taken.alias != taken.name:
                    last = taken.name.rpartition(".")[2]
                    found.setdefault(last, {})[taken.alias.rpartition(".")[2]] = None
            for place in entry.places:
                for base in place.bases:
                    name = place.symbol.rpartition(".")[2]
                    found.setdefault(base.rpartition(".")[2], {})[name] = None
        return {name: tuple(others) for name, others in found.items()}

    def _called_by(self, node: Node, name: str) -> Mapping[Node, bool]:
        """Return who calls `node` by `name`, or by what may be written instead of it."""
        names = {name: None}
        said: dict[Node, bool] = {}
        for one in islice(growing(names), NAMES_MAX):
            names.update(dict.fromkeys(self._other_names.get(one, ())))
            for caller, is_certain in self._calls_by(one).get(node, {}).items():
                said[caller] = said.get(caller, False) or is_certain
        return said

    def _calls_by(self, name: str) -> Mapping[Node, Mapping[Node, bool]]:
        """Return what is called where `name` is written last, and of each who calls it so."""
        if name not in self._callers:
            found: dict[Node, dict[Node, bool]] = {}
            for caller, written in self._sites.get(name, ()):
                for called, is_certain in self._meaning(caller, written):
                    if called != caller:
                        said = found.setdefault(called, {})
                        said[caller] = said.get(caller, False) or is_certain
            self._callers[name] = found
        return self._callers[name]

    @cached_property
    def _methods(self) -> Mapping[str, Mapping[str, Sequence[Node]]]:
        """Return the name of a method -> file -> those of that name in it."""
        found: dict[str, dict[str, list[Node]]] = {}
        for path, entry in self.entries.items():
            for place in entry.places:
                node = Node(path, place.symbol)
                if node.owner:
                    found.setdefault(node.name, {}).setdefault(path, []).append(node)
        return found

    @cached_property
    def _read(self) -> frozenset[Node]:
        """Return the methods that are called by being read, such as properties."""
        return frozenset(
            Node(path, place.symbol)
            for path, entry in self.entries.items()
            for place, calls in zip(entry.places, entry.calls, strict=False)
            if "." in place.symbol and any(one.endswith("property") for one in calls)
        )

    def callers(self, node: Node) -> tuple[Caller, ...]:
        """Return who calls `node`, each once, in the order of their paths."""
        if node not in self._found:
            kind = Node(node.path, node.owner)
            said = dict(self._called_by(node, node.name)) if node.symbol else {}
            if node.owner and node.name in (*_MADE_BY, kind.name):
                said |= self._called_by(node, kind.name)
            elif self._is_hidden(node):
                for maker in self._called_by(kind, kind.name):
                    said.setdefault(maker, False)
            order = sorted(said, key=lambda one: (one.path, one.symbol))
            self._found[node] = tuple(Caller(caller, said[caller]) for caller in order)
        return self._found[node]

    def _is_hidden(self, node: Node) -> bool:
        """Tell whether it is called without its name and brackets, such as `__len__`."""
        is_special = node.name.startswith("__") and node.name.endswith("__")
        return bool(node.owner) and (is_special or node in self._read)

    # --- what is called ---

    def _meaning(self, caller: Node, written: str) -> tuple[_Meant, ...]:
        key = caller.path, caller.owner, written
        if key not in self._meanings:
            self._meanings[key] = tuple(self._resolved(caller, written))
        return self._meanings[key]

    def _resolved(self, caller: Node, written: str) -> Iterator[_Meant]:
        is_use = written.startswith(USES)
        *heads, name = written.removeprefix(USES).split(".")
        found = self._known(caller, heads, name)
        if is_use:
            found = [each for each in found if not self._names.is_class(each)]
            found = found or (self._fixture(caller.path, name) if not heads else ())
        for each in found:
            yield each, True
            yield from ((made, True) for made in self._made(each))
        if not found and not is_use:
            # A bare name that is neither here nor imported is a built-in or a parameter.
            yield from ((each, False) for each in self._named(caller.path, name) if heads)

    def _known(self, caller: Node, heads: Sequence[str], name: str) -> Sequence[Node]:
        """Return what the code says is called; nothing where it leaves that open."""
        path, owner = caller.path, caller.owner
        if heads == ["super"]:
            kind = Node(path, owner)
            return self._names.inherited(kind, name) or self._names.meant(path, f"{owner}.{name}")
        if heads and heads[0] in _OWN:
            return self._names.meant(path, f"{owner}.{name}") if len(heads) == 1 else ()
        if heads == [""]:
            return ()  # Of a value without a name.
        found = self._names.meant(path, ".".join([*heads, name]))
        # A method of the same class, where the language needs no `this` for it.
        return found or (self._names.meant(path, f"{owner}.{name}") if not heads and owner else ())

    def _made(self, kind: Node) -> Iterator[Node]:
        """Yield what runs when an object of a class is made."""
        if not self._names.is_class(kind):
            return
        for name in (*_MADE_BY, kind.name):
            own = kind.inside(name)
            if own.symbol in self._names.kinds[own.path]:
                yield own
            else:
                yield from self._names.inherited(kind, name)

    def _fixture(self, path: str, name: str) -> Sequence[Node]:
        """Return what gives a test the argument of that name."""
        if not holds_tests(path):
            return ()
        folder = posixpath.dirname(path)
        while True:
            found = Node(posixpath.join(folder, _FIXTURES), name)
            if name in self._names.kinds.get(found.path, ()):
                return (found,)
            if not folder:
                return ()
            folder = posixpath.dirname(folder)

    def _named(self, path: str, name: str) -> Sequence[Node]:
        """Return the methods that a file may mean by a name alone."""
        if (path, name) not in self._guesses:
            self._guesses[path, name] = self._guessed(path, name)
        return self._guesses[path, name]

    def _guessed(self, path: str, name: str) -> Sequence[Node]:
        named = self._methods.get(name, {})
        if not named:
            return ()
        near = self._names.near(path)
        files = (each for each in (near if len(near) < len(named) else named) if each in near)
        found = [one for file in files for one in named.get(file, ())]
        if name in _COMMON:
            found = [one for one in found if self._is_taken(path, one)]
        if found or name in _COMMON:
            return found if len(found) <= NEAR_MAX else ()
        some = list(islice((one for each in named.values() for one in each), FAMILY_MAX + 1))
        families = {self._family(one) for one in some}
        return some if len(families) <= DEFINERS_MAX and len(some) <= FAMILY_MAX else ()

    def _family(self, method: Node) -> Node:
        """Return the class that a method's class inherits from in the end, or it itself."""
        kind = Node(method.path, method.owner)
        return (kind, *self._names.lineage(kind))[-1]

    def _is_taken(self, path: str, method: Node) -> bool:
        """Tell whether the file imports or defines the method's class by its name."""
        kind = method.owner.partition(".")[0]
        return method.path == path or any(one.name == kind for one in self.entries[path].imports)
