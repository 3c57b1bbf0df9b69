"""How `prove --dedupe` harms the snapshots of an index between two lives of its stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

_BESIDE = ".json"
Snapshots = Mapping[str, Path]
"""The newest snapshot of each index, by the name of that index: partition/project/space."""


def snapshots(folder: Path) -> dict[str, Path]:
    """Return the snapshots in `folder` that were written to their end.

    One whose name was harmed before, and which was not written anew since, is left as it is.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.faiss")):
        # Where nothing is said beside it, or what is said has no name that can be read.
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            found[json.loads(_beside(path).read_bytes())["about"]["name"]] = path
    return found


@dataclass(frozen=True, slots=True)
class Harm:
    """One way to harm them all, and what the next life must say of it."""

    name: str
    do: Callable[[Snapshots, Snapshots, Random], None]
    """Given the newest, and those of an earlier kill."""
    is_taken_up: bool = False
    """Whether snapshots have to be taken up all the same."""
    is_distrusted: bool = False
    """Whether some have to be thrown away."""


def _nothing(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    del newest, older, chance


def _flip(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    """Flip one bit in each: of every second one, in what is said beside it."""
    del older
    for number, path in enumerate(newest.values()):
        spoilt = path if number % 2 == 0 else _beside(path)
        content = bytearray(spoilt.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        spoilt.write_bytes(content)


def _cut(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    del older
    for path in newest.values():
        content = path.read_bytes()
        path.write_bytes(content[: chance.randrange(len(content))])


def _older(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    """Put an older one in the place of each, with what is said beside it."""
    del chance
    for name, path in newest.items():
        if name in older:
            shutil.copyfile(older[name], path)
            shutil.copyfile(_beside(older[name]), _beside(path))


def _older_bytes(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    """Put older bytes beside what is said of the newest: a write that was torn in two."""
    del chance
    for name, path in newest.items():
        if name in older:
            shutil.copyfile(older[name], path)


def _delete(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    del older, chance
    for path in newest.values():
        path.unlink()
        _beside(path).unlink()


def _swap(newest: Snapshots, older: Snapshots, chance: Random) -> None:
    """Give each the snapshot of the same space in the next partition, whole as it is."""
    del older, chance
    by_space: dict[str, list[Path]] = {}
    for name, path in sorted(newest.items()):
        by_space.setdefault(name.rpartition("/")[2], []).append(path)
    for paths in by_space.values():
        contents = [(path.read_bytes(), _beside(path).read_bytes()) for path in paths]
        for path, (content, beside) in zip(paths, contents[1:] + contents[:1], strict=True):
            path.write_bytes(content)
            _beside(path).write_bytes(beside)


OLDER = Harm("an older one instead", _older, is_taken_up=True)
SWAPPED = Harm("another partition's instead", _swap, is_distrusted=True)
HARMS = (
    Harm("no harm", _nothing, is_taken_up=True),
    Harm("a bit flipped", _flip, is_distrusted=True),
    Harm("cut short", _cut, is_distrusted=True),
    OLDER,
    Harm("older bytes under the newest's sum", _older_bytes, is_distrusted=True),
    SWAPPED,
    Harm("deleted", _delete),
)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{_BESIDE}")
