"""What a name in the code means: by imports, by what packages offer, and by inheritance.

Nothing is guessed here: a name whose meaning is open has none. Every walk has a limit, since code
may import and inherit in circles.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeVar

from processors.locating.entries import Entry
from processors.locating.grammars import MAJOR
from processors.locating.outline import Import
from processors.locating.paths import Paths

LOOKED_MAX = 100
"""Places that a name is looked up in: a package offers what another offers."""
BASES_MAX = 30
"""Classes that one is followed up through."""
IMPORTS_MAX = 1_000
"""Of one file that are looked at."""
_SCRIPTS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
PACKAGE = re.compile(r"(.*/)?(__init__\.py|index\.[cm]?[jt]sx?)")
_HOSTED_PARTS = 3
"""Of `host/owner/name`: the package in the repository's own folder."""
_PACKAGED = frozenset({"java", "go"})
"""Languages in which the files of one folder see each other."""
_ALL = "*"
_Key = TypeVar("_Key")


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

    def inside(self, name: str) -> Node:
        """Return what is called `name` in this class."""
        return Node(self.path, f"{self.symbol}.{name}")


class Names:
    """The names in the files of one commit."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """Know the files, path -> entry."""
        self.entries = entries
        self._paths = Paths(entries)
        self._lines: dict[Node, tuple[Node, ...]] = {}
        self._taken: dict[str, Mapping[str, Sequence[Import]]] = {}
        self._near: dict[str, frozenset[str]] = {}
        self._packages: dict[str, Mapping[str, Node]] = {}
        self._modules_known: dict[str, Sequence[str]] = {}

    @cached_property
    def kinds(self) -> Mapping[str, Mapping[str, str]]:
        """Return of each file its symbols, and what each is."""
        return {path: {p.symbol: p.kind for p in e.places} for path, e in self.entries.items()}

    @cached_property
    def _folders(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for path in self.entries:
            found.setdefault(posixpath.dirname(path), []).append(path)
        return found

    @cached_property
    def _bases(self) -> Mapping[Node, Sequence[str]]:
        return {
            Node(path, place.symbol): place.bases
            for path, entry in self.entries.items()
            for place in entry.places
            if place.bases
        }

    def lineage(self, node: Node) -> tuple[Node, ...]:
        """Return the classes that a class inherits from, the nearest first."""
        if node not in self._lines:
            found: dict[Node, None] = {}
            waiting = [node]
            while waiting and len(found) < BASES_MAX:
                one = waiting.pop(0)
                for written in self._bases.get(one, ()):
                    for base in self.plain(one.path, written):
                        if base != node and base not in found:
                            found[base] = None
                            waiting.append(base)
            self._lines[node] = tuple(found)
        return self._lines[node]

    def is_class(self, node: Node) -> bool:
        """Tell whether it is a class."""
        return self.kinds[node.path].get(node.symbol) == "class"

    def meant(self, path: str, symbol: str) -> Sequence[Node]:
        """Return what `symbol` is in a file: there, imported, or inherited."""
        if found := self.plain(path, symbol):
            return found
        owner, _, name = symbol.rpartition(".")
        for kind in self.plain(path, owner) if owner else ():
            if inherited := self.inherited(kind, name):
                return inherited
        return ()

    def inherited(self, kind: Node, name: str) -> Sequence[Node]:
        """Return what a class has under that name of the classes it inherits from."""
        made = (base.inside(name) for base in self.lineage(kind))
        found = next((each for each in made if each.symbol in self.kinds[each.path]), None)
        return () if found is None else (found,)

    def plain(self, path: str, symbol: str) -> Sequence[Node]:
        """Return what `symbol` is in a file: there, or imported, by others between them too."""
        waiting = {(path, symbol): None}
        for file, wanted in islice(growing(waiting), LOOKED_MAX):
            if found := self._at(file, wanted):
                return found
            if len(waiting) < LOOKED_MAX:
                waiting.update(dict.fromkeys(islice(self._taken_from(file, wanted), LOOKED_MAX)))
        return self._beside(path, symbol)

    def _taken_from(self, path: str, symbol: str) -> Iterator[tuple[str, str]]:
        """Yield where else `symbol` may be defined, and what it is called there."""
        for taken in self._imports(path, symbol):
            rest = symbol[len(taken.alias) + 1 :] if taken.alias != _ALL else symbol
            name = taken.name if taken.name != _ALL else ""
            wanted = ".".join(part for part in (name, rest) if part)
            for file in self.files(path, taken):
                yield from ((file, each) for each in (wanted, rest, symbol) if each)

    def _imports(self, path: str, symbol: str) -> Iterator[Import]:
        """Yield the imports of a file that may bring `symbol`."""
        if path not in self._taken:
            by_alias: dict[str, list[Import]] = {}
            for each in self.entries[path].imports[:IMPORTS_MAX]:
                by_alias.setdefault(each.alias, []).append(each)
            self._taken[path] = by_alias
        taken = self._taken[path]
        if not taken:
            return
        parts = symbol.split(".")
        for size in range(len(parts), 0, -1):
            yield from taken.get(".".join(parts[:size]), ())
        yield from taken.get(_ALL, ())

    def near(self, path: str) -> frozenset[str]:
        """Return the file itself, and those that it imports."""
        if path not in self._near:
            taken = self.entries[path].imports[:IMPORTS_MAX]
            self._near[path] = frozenset({path, *(f for t in taken for f in self.files(path, t))})
        return self._near[path]

    def _at(self, path: str, symbol: str) -> Sequence[Node]:
        return (Node(path, symbol),) if symbol and symbol in self.kinds[path] else ()

    def _beside(self, path: str, symbol: str) -> Sequence[Node]:
        """Return what a file of the same package defines, where one needs no import for it."""
        if self.entries[path].language not in _PACKAGED:
            return ()
        folder = posixpath.dirname(path)
        if folder not in self._packages:
            found: dict[str, Node] = {}
            for other in self._folders[folder]:
                for each in self.kinds[other]:
                    found.setdefault(each, Node(other, each))
            self._packages[folder] = found
        beside = self._packages[folder].get(symbol) if symbol else None
        return () if beside is None else (beside,)

    # --- files ---

    def files(self, path: str, taken: Import) -> Sequence[str]:
        """Return the files that an import may mean, the likeliest first."""
        language, folder = self.entries[path].language, posixpath.dirname(path)
        if language == "go":
            return self._package(taken.module)
        if language in ("javascript", "typescript", "tsx"):
            return self._script(folder, taken.module)
        module = taken.module
        if not module:
            return (path,)  # A second name for something of the file.
        if module.startswith("."):
            return self._relative(folder, taken)
        whole = f"{module}.{taken.name}" if taken.name else module
        return list(dict.fromkeys([*self._modules(whole), *self._modules(module)]))

    def _modules(self, name: str) -> Sequence[str]:
        if "." in name:
            if name not in self._modules_known:
                self._modules_known[name] = self._paths.modules(name)
            return self._modules_known[name]
        tried = (f"{name}.py", f"src/{name}.py", f"{name}/__init__.py", f"src/{name}/__init__.py")
        return [each for each in tried if each in self.entries]

    def _relative(self, folder: str, taken: Import) -> Sequence[str]:
        """Return the files of a Python import with leading dots."""
        rest = taken.module.lstrip(".")
        for _ in range(min(len(taken.module) - len(rest) - 1, folder.count("/") + 1)):
            folder = posixpath.dirname(folder)
        base = posixpath.join(folder, *rest.split(".")) if rest else folder
        inner = f"{base}/{taken.name}"
        tried = (f"{inner}.py", f"{inner}/__init__.py", f"{base}.py", f"{base}/__init__.py")
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


def growing(names: Mapping[_Key, None]) -> Iterator[_Key]:
    """Yield the keys, those too that are added meanwhile."""
    at = 0
    while at < len(names):
        known = list(names)
        yield from known[at:]
        at = len(known)
