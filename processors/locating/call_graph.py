"""Who calls whom, from the code alone: each call is resolved when it is asked for.

A call is certain where imports, the same file, class or package say what it means. Where only the
name fits, and few define it, it is likely. What is looked up while the program runs (a registry, a
fixture, a name in a string) is not seen: no caller found is not the same as never called.

How often that is right was measured: `impact` says so.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from processors.locating.entries import Entry
from processors.locating.grammars import MAJOR
from processors.locating.outline import Import
from processors.locating.paths import Paths, is_internal

DEFINERS_MAX = 3
"""A method's name that more classes define says nothing about which one is called."""
_OWN = frozenset({"self", "cls", "this", "super"})
_MADE_BY = frozenset({"__init__", "__new__", "constructor"})
_COMMON = frozenset(
    name
    for kind in (str, bytes, list, dict, set, io.TextIOWrapper)
    for name in dir(kind)
    if not name.startswith("_")
)
"""Methods that every value of the language may have: who calls one means ours only by import."""
_SCRIPTS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_PACKAGE = re.compile(r"(.*/)?(__init__\.py|index\.[cm]?[jt]sx?)")
_HOSTED_PARTS = 3
"""Of `host/owner/name`: the package in the repository's own folder."""
_PACKAGED = frozenset({"java", "go"})
"""Languages in which the files of one folder see each other."""


@dataclass(frozen=True, slots=True)
class Node:
    """A function, a class, or (with an empty symbol) what a file does besides."""

    path: str
    symbol: str

    @property
    def name(self) -> str:
        """Return the last part of the symbol."""
        return self.symbol.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """Return the class it stands in; empty where in none."""
        return self.symbol.rpartition(".")[0]


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
        self._paths = Paths(entries)
        self._found: dict[Node, tuple[Caller, ...]] = {}
        self._imports: dict[str, frozenset[str]] = {}

    @cached_property
    def _calls(self) -> Mapping[str, Sequence[tuple[Node, str]]]:
        """Return the last part of what is called -> who calls so, and what is written there."""
        found: dict[str, list[tuple[Node, str]]] = {}
        for path, entry in self.entries.items():
            for place, calls in zip(entry.places, entry.calls, strict=False):
                for written in calls:
                    at = found.setdefault(written.rpartition(".")[2], [])
                    at.append((Node(path, place.symbol), written))
        return found

    @cached_property
    def _aliases(self) -> Mapping[str, frozenset[str]]:
        """Return a name -> what files that import it call it instead."""
        found: dict[str, set[str]] = {}
        for entry in self.entries.values():
            for taken in entry.imports:
                if taken.name and taken.alias != taken.name:
                    found.setdefault(taken.name, set()).add(taken.alias)
        return {name: frozenset(aliases) for name, aliases in found.items()}

    @cached_property
    def offered(self) -> frozenset[Node]:
        """Return what packages take from files of theirs to offer it, such as in `__init__.py`."""
        found: set[Node] = set()
        for path, entry in self.entries.items():
            if _PACKAGE.fullmatch(path) and not is_internal(path):
                for taken in entry.imports:
                    found.update(self._imported(path, taken, taken.alias))
        return frozenset(found)

    @cached_property
    def _definers(self) -> Mapping[str, Sequence[Node]]:
        found: dict[str, list[Node]] = {}
        for path, entry in self.entries.items():
            for place in entry.places:
                if place.symbol:
                    node = Node(path, place.symbol)
                    found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def _symbols(self) -> Mapping[str, frozenset[str]]:
        return {path: frozenset(p.symbol for p in e.places) for path, e in self.entries.items()}

    @cached_property
    def _folders(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for path in self.entries:
            found.setdefault(posixpath.dirname(path), []).append(path)
        return found

    def callers(self, node: Node) -> tuple[Caller, ...]:
        """Return who calls `node`, each once, in the order of their paths."""
        if node not in self._found:
            self._found[node] = tuple(self._search(node))
        return self._found[node]

    def _search(self, node: Node) -> Iterator[Caller]:
        # Who makes an object calls what makes it, and it may be what the language calls by itself.
        makes, is_hidden = self._makes(node), self._is_hidden(node)
        name = node.owner.rpartition(".")[2] if makes or is_hidden else node.name
        meant = {node, Node(node.path, node.owner)} if makes or is_hidden else {node}
        said: dict[Node, bool] = {}
        written_so = (name, *self._aliases.get(name, ())) if name else ()
        for caller, written in chain.from_iterable(self._calls.get(n, ()) for n in written_so):
            if caller != node:
                found, is_certain = self._resolved(caller, written)
                if not meant.isdisjoint(found):
                    said[caller] = said.get(caller, False) or (is_certain and not is_hidden)
        for caller in sorted(said, key=lambda one: (one.path, one.symbol)):
            yield Caller(caller, said[caller])

    def _makes(self, node: Node) -> bool:
        return bool(node.owner) and node.name in {*_MADE_BY, node.owner.rpartition(".")[2]}

    def _is_hidden(self, node: Node) -> bool:
        """Tell whether Python calls it without saying its name, such as `__len__`."""
        is_special = node.name.startswith("__") and node.name.endswith("__")
        return bool(node.owner) and is_special and not self._makes(node)

    def _resolved(self, caller: Node, written: str) -> tuple[Sequence[Node], bool]:
        """Return what is called, and whether that is certain."""
        *heads, name = written.split(".")
        if found := self._known(caller, heads, name):
            return found, True
        # A bare name that is neither here nor imported is a built-in or a parameter.
        named = [one for one in self._definers.get(name, ()) if heads and one.owner]
        if name in _COMMON:
            return [one for one in named if self._is_taken(caller.path, one)], False
        near = [one for one in named if one.path in self._near(caller.path)]
        return near or (named if len(named) <= DEFINERS_MAX else ()), False

    def _is_taken(self, path: str, method: Node) -> bool:
        """Tell whether the file imports or defines the method's class by its name."""
        kind = method.owner.partition(".")[0]
        taken = any(one.name == kind for one in self.entries[path].imports)
        return method.path == path or (taken and method.path in self._near(path))

    def _near(self, path: str) -> frozenset[str]:
        """Return the file itself, and those that it imports."""
        if path not in self._imports:
            found = (self._files(path, taken) for taken in self.entries[path].imports)
            self._imports[path] = frozenset({path, *chain.from_iterable(found)})
        return self._imports[path]

    def _known(self, caller: Node, heads: Sequence[str], name: str) -> Sequence[Node]:
        """Return what the code says is called; nothing where it leaves that open."""
        if heads and heads[0] in _OWN:
            return self._at(caller.path, f"{caller.owner}.{name}") if len(heads) == 1 else ()
        if heads == [""]:
            return ()  # Of a value without a name.
        symbol = ".".join([*heads, name])
        for each in (symbol, *(() if heads else (f"{caller.owner}.{name}",))):
            if found := self._at(caller.path, each):
                return found
        entry = self.entries[caller.path]
        imported = (
            self._imported(caller.path, one, symbol)
            for one in entry.imports
            if f"{symbol}.".startswith(f"{one.alias}.")
        )
        found = next((each for each in imported if each), ())
        return found or self._beside(caller.path, entry.language, symbol)

    def _at(self, path: str, symbol: str) -> Sequence[Node]:
        return (Node(path, symbol),) if symbol in self._symbols[path] else ()

    def _beside(self, path: str, language: str, symbol: str) -> Sequence[Node]:
        """Return what a file of the same package defines, where one needs no import for it."""
        if language not in _PACKAGED:
            return ()
        for other in self._folders[posixpath.dirname(path)]:
            if symbol in self._symbols[other]:
                return (Node(other, symbol),)
        return ()

    def _imported(self, path: str, taken: Import, symbol: str) -> Sequence[Node]:
        rest = symbol[len(taken.alias) + 1 :]
        for file in self._files(path, taken):
            wanted = ".".join(part for part in (taken.name, rest) if part)
            for each in dict.fromkeys((wanted, rest, symbol)):
                if each and (found := self._at(file, each)):
                    return found
        return ()

    def _files(self, path: str, taken: Import) -> Sequence[str]:
        """Return the files that an import may mean, the likeliest first."""
        language, folder = self.entries[path].language, posixpath.dirname(path)
        if language == "go":
            return self._package(taken.module)
        if language in ("javascript", "typescript", "tsx"):
            return self._script(folder, taken.module)
        module = taken.module
        if module.startswith("."):
            return self._relative(folder, taken)
        whole = f"{module}.{taken.name}" if taken.name else module
        return [*self._modules(whole), *self._modules(module)]

    def _modules(self, name: str) -> Sequence[str]:
        if "." in name:
            return self._paths.modules(name)
        return [each for each in (f"{name}.py", f"src/{name}.py") if each in self.entries]

    def _relative(self, folder: str, taken: Import) -> Sequence[str]:
        """Return the files of a Python import with leading dots."""
        rest = taken.module.lstrip(".")
        for _ in range(len(taken.module) - len(rest) - 1):
            folder = posixpath.dirname(folder)
        base = posixpath.join(folder, *rest.split(".")) if rest else folder
        tried = (f"{base}/{taken.name}.py", f"{base}.py", f"{base}/__init__.py")
        return [each.lstrip("/") for each in tried if each.lstrip("/") in self.entries]

    def _script(self, folder: str, module: str) -> Sequence[str]:
        if not module.startswith("."):
            return ()
        base = posixpath.normpath(posixpath.join(folder, module))
        stem = base.rpartition(".")[0] if base.endswith((".js", ".mjs", ".cjs")) else base
        tried = [f"{one}{end}" for one in dict.fromkeys((base, stem)) for end in _SCRIPTS]
        tried += [f"{base}/index{end}" for end in _SCRIPTS[1:]]
        return [each for each in tried if each in self.entries]

    def _package(self, module: str) -> Sequence[str]:
        parts = [part for part in module.split("/") if not MAJOR.fullmatch(part)]
        for start in range(len(parts)):
            if found := self._folders.get("/".join(parts[start:])):
                return found
        return self._folders.get("", ()) if len(parts) == _HOSTED_PARTS else ()
