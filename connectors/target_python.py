"""Which folders an interpreter needs to run, found by looking: the interpreter is not started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from schemas.values import SandboxUnavailableError

_LINKS_MAX = 40


@dataclass(frozen=True, slots=True)
class TargetPython:
    """An interpreter as the sandbox must show it, each path where the host has it."""

    executable: Path
    folders: tuple[Path, ...]
    """The environment's own folder, and that of the installation it was made from."""
    links: tuple[tuple[Path, str], ...]
    """Symlinks outside of `folders` on the way to the executable: path, and what it says."""


def target_python(python: Path) -> TargetPython:
    """Return what `python` needs. Raises `SandboxUnavailableError` with the way out."""
    # Not resolved: a venv is recognised by where its interpreter stands, not by what it links to.
    executable = Path(os.path.abspath(python.expanduser()))  # noqa: PTH100
    if not executable.is_file() or not os.access(executable, os.X_OK):
        raise SandboxUnavailableError(
            f"python: {executable} is not a program; set the project's `python` (or --python)"
            " to the interpreter that has its packages"
        )
    _refuse_script(executable)
    chain = _link_chain(executable)
    folders = _folders(chain)
    links = tuple(
        (path, str(path.readlink()))
        for path in chain
        if path.is_symlink() and not any(path.is_relative_to(folder) for folder in folders)
    )
    return TargetPython(executable, folders, links)


def _refuse_script(executable: Path) -> None:
    with executable.open("rb") as file:
        if file.read(2) == b"#!":
            raise SandboxUnavailableError(
                f"python: {executable} is a script that chooses an interpreter (a pyenv or asdf"
                " shim, perhaps); set `python` to what it prints for"
                " `-c 'import sys; print(sys.executable)'`"
            )


def _link_chain(path: Path) -> list[Path]:
    chain = [path]
    while path.is_symlink():
        path = Path(os.path.normpath(path.parent / path.readlink()))
        chain.append(path)
        if len(chain) > _LINKS_MAX:
            raise SandboxUnavailableError(f"python: {chain[0]} is a circle of links")
    return chain


def _folders(chain: list[Path]) -> tuple[Path, ...]:
    prefixes = [path.parent.parent for path in chain]
    for prefix in tuple(prefixes):
        home = _home_of_venv(prefix)
        if home is not None:
            prefixes.append(home.parent)
    real = chain[-1].resolve()
    prefixes.append(real.parent.parent)
    kept: list[Path] = []
    for prefix in prefixes:
        # Only what is an environment or an installation: the parent of a stray link in
        # ~/bin would be a whole home.
        if prefix not in kept and (_is_venv(prefix) or _is_installation(prefix)):
            kept.append(prefix)
    _refuse_home(kept)
    if not any(_is_installation(prefix) for prefix in kept):
        raise SandboxUnavailableError(
            f"python: the standard library of {chain[0]} was not found under"
            f" {real.parent.parent}; set `python` to an interpreter in a venv or an installation"
        )
    return tuple(kept)


def _refuse_home(prefixes: list[Path]) -> None:
    home = Path.home()
    for prefix in prefixes:
        if home.is_relative_to(prefix) and prefix not in (Path("/"), Path("/usr")):
            raise SandboxUnavailableError(
                f"python: its installation is {prefix}, which holds a home: showing it to"
                " strangers' code would show everything there; make a venv elsewhere with"
                " an interpreter that has a folder of its own"
            )


def _is_venv(prefix: Path) -> bool:
    return (prefix / "pyvenv.cfg").is_file()


def _is_installation(prefix: Path) -> bool:
    return any(
        (folder / "os.py").is_file()
        for lib in ("lib", "lib64")
        for folder in (prefix / lib).glob("python3*")
    )


def _home_of_venv(prefix: Path) -> Path | None:
    if not _is_venv(prefix):
        return None
    for line in (prefix / "pyvenv.cfg").read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() == "home":
            return Path(value.strip())
    return None
