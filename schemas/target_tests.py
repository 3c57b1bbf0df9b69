"""Which files of a target are its tests: one answer, for those who edit and for those who judge."""

from __future__ import annotations

from pathlib import PurePosixPath

_FOLDERS = frozenset({"test", "tests", "testing"})
_FOLDER_ENDINGS = ("_test", "_tests", "_testcases")
_STEMS = frozenset({"test", "tests", "conftest"})
_RUN_BY_THEMSELVES = frozenset({"conftest.py", "sitecustomize.py", "usercustomize.py"})


def is_test(path: str) -> bool:
    """Return whether a file belongs to the tests, data that tests read included."""
    pure = PurePosixPath(path)
    stem, folders = pure.stem, [part.lower() for part in pure.parts[:-1]]
    named = stem.startswith("test_") or stem.endswith("_test") or stem in _STEMS
    return (pure.suffix == ".py" and named) or any(
        folder in _FOLDERS or folder.endswith(_FOLDER_ENDINGS) for folder in folders
    )


def runs_by_itself(path: str) -> bool:
    """Return whether Python or pytest runs a file that nothing imports."""
    name = PurePosixPath(path).name
    return name in _RUN_BY_THEMSELVES or name.endswith(".pth")
