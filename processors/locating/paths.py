"""Paths of the repository: which one a path printed elsewhere means, and which count less."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from processors.locating.words import terms_of

PARTS_MAX = 40
_BESIDE = frozenset(
    {"test", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
    | {"asv_bench", "tutorial", "tutorials", "gallery", "demo", "demos", "script", "scripts"}
    | {"tool", "tools", "vendor", "_vendor", "third_party", "ci"}
    | {"sample", "samples", "fixture", "fixtures", "playground", "website", "bench"}
    | {"generated", "__generated__", "generated-sources"}
)
_BESIDE_FILES = frozenset({"setup.py", "conf.py", "noxfile.py", "conftest.py"})
_SETTINGS_FILE = re.compile(r".*\.d\.[cm]?ts|.*\.config\.[cm]?[jt]s|(grunt|gulp)file\.[cm]?[jt]s")
"""Declarations without code, and settings of tools."""
_TESTS = frozenset({"tests", "__tests__", "test_suite"})
_TEST_FILE = re.compile(
    r"(test_.*|.*_tests?|tests?|conftest)\.py"
    r"|.*[.-](test|spec|e2e|bench|stories)\.[cm]?[jt]sx?"
    r"|Test\w*\.java|\w+(Test|Tests|TestCase|IT)\.java"
    r"|.*_test\.go"
)
_TESTS_ELSEWHERE = frozenset({"test", "spec", "specs", "e2e", "testdata", "__mocks__", "cypress"})
"""Folders of tests in languages other than Python, where `test` may be part of the product."""
_MADE = frozenset({"LC_MESSAGES", "node_modules", "bower_components", "dist"})
_MADE_FILE = re.compile(r".*([.-]min\.[cm]?js|\.bundle\.js|\.pb(\.gw)?\.go|[._]gen(erated)?\.\w+)")
_SAME_SOURCE = dict.fromkeys(
    (".js", ".mjs", ".cjs", ".jsx"), (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx")
)
"""What runs may have been made of a file with another ending."""
_ROOTS = frozenset({"src", "lib"})


def holds_tests(path: str) -> bool:
    """Tell whether a file is nothing but tests: those show faults, and seldom hold them."""
    *folders, name = path.split("/")
    if not _TESTS.isdisjoint(folders) or _TEST_FILE.fullmatch(name):
        return True
    if name.endswith(".py") or "main" in folders:  # `src/main/java/…/test` is shipped.
        return False
    return not _TESTS_ELSEWHERE.isdisjoint(folders)


def is_made(path: str) -> bool:
    """Tell whether a program made a file, or it came with a package: nobody mends it there."""
    *folders, name = path.split("/")
    return not _MADE.isdisjoint(folders) or _MADE_FILE.fullmatch(name) is not None


def is_beside(path: str) -> bool:
    """Tell whether a file stands beside what is shipped: documentation, tools, others' code."""
    *folders, name = path.lower().split("/")
    return (
        not _BESIDE.isdisjoint(folders)
        or name in _BESIDE_FILES
        or _SETTINGS_FILE.fullmatch(name) is not None
    )


def is_internal(path: str) -> bool:
    """Tell whether a file or one of its folders is by its name for the project alone."""
    *folders, name = path.split("/")
    hidden = any(part.startswith("_") for part in (*folders, name.removeprefix("__init__")))
    return hidden or "internal" in folders


def dotted(path: str) -> tuple[str, ...]:
    """Return the parts of the module that a file is, without `src` before them."""
    pure = PurePosixPath(path).with_suffix("")
    parts = pure.parts[:-1] if pure.name in ("__init__", "index") else pure.parts
    return parts[1:] if len(parts) > 1 and parts[0] in _ROOTS else parts


def words_of(path: str) -> Iterator[str]:
    """Yield the words in the last three parts of a path."""
    for part in PurePosixPath(path).with_suffix("").parts[-3:]:
        yield from terms_of(part)


class Paths:
    """The paths of a repository, to be asked by what is printed elsewhere."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Know `paths`."""
        self._by_name: dict[str, list[str]] = {}
        self._by_module: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
        for path in paths:
            self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
            parts = dotted(path)
            if len(parts) > 1:
                self._by_module.setdefault(parts[-2:], []).append((parts, path))

    def match(self, printed: str) -> str | None:
        """Return the file that a path printed elsewhere means, if just one fits."""
        fitting = self.fitting(printed)
        return fitting[0] if len(fitting) == 1 else None

    def fitting(self, printed: str) -> Sequence[str]:
        """Return the files that share the longest ending with a path printed elsewhere.

        Where there is none of that name, those that it may have been made of: `cart.ts` of
        `cart.js`.
        """
        printed = printed.replace("\\", "/").partition("?")[0]
        if found := self._fitting(printed):
            return found
        path = PurePosixPath(printed)
        others = (path.with_suffix(ending) for ending in _SAME_SOURCE.get(path.suffix, ()))
        return next((found for other in others if (found := self._fitting(str(other)))), ())

    def _fitting(self, printed: str) -> Sequence[str]:
        parts = [part for part in PurePosixPath(printed).parts[-PARTS_MAX:] if part != "/"]
        found: Sequence[str] = self._by_name.get(parts[-1], ()) if parts else ()
        shared = parts[-1] if found else ""
        for part in parts[-2::-1]:
            longer = f"{part}/{shared}"
            fitting = [path for path in found if f"/{path}".endswith(f"/{longer}")]
            if not fitting:
                break
            found, shared = fitting, longer
        return [path for path in found if path == shared] or found

    def modules(self, name: str) -> Sequence[str]:
        """Return the files of the longest module that a dotted name begins with.

        `shop.cart.total` leads to `shop/cart.py`; one part alone leads nowhere.
        """
        parts = tuple(name.split("."))[:PARTS_MAX]
        for size in range(len(parts), 1, -1):
            found = [
                path
                for module, path in self._by_module.get(parts[size - 2 : size], ())
                if module[-size:] == parts[max(0, size - len(module)) : size]
            ]
            if found:
                return found
        return ()


def match_path(printed: str, paths: Iterable[str]) -> str | None:
    """Return the one of `paths` that a path printed elsewhere means, if just one fits."""
    return Paths(paths).match(printed)
