"""A channel is added by three files, as the connectors' page shows: its example is what is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "processors", "projections", "connectors", "streams")
PAGE = ROOT / "connectors" / "README.md"
USE = Path(__file__).parent / "use_of_zulip.py"
FILES = ("connectors/zulip.py", "processors/channels/zulip.py", "streams/channels.py")
USE_S_MAX = 60


def shown() -> list[str]:
    """Return what the page shows of each file."""
    _, _, block = PAGE.read_text(encoding="utf-8").partition("```python\n")
    code, _, _ = block.partition("```")
    begins = [code.index(f"# {name}\n") for name in FILES]
    return [code[one:end] for one, end in zip(begins, [*begins[1:], None], strict=True)]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.onnx", "models")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def use(folder: Path) -> subprocess.CompletedProcess[str]:
    script = shutil.copy(USE, folder)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=USE_S_MAX,
        check=False,
    )


def test_what_the_page_shows_is_a_channel(copied: Path) -> None:
    assert "'zulip:shop' names nothing" in use(copied).stderr
    new, parser, registry = shown()
    (copied / FILES[0]).write_text(new, encoding="utf-8")
    (copied / FILES[1]).write_text(parser, encoding="utf-8")
    lines = registry.splitlines(keepends=True)
    imports = "".join(line for line in lines if not line.startswith(" "))
    way = "".join(line for line in lines if line.startswith(" "))
    text = (copied / FILES[2]).read_text(encoding="utf-8")
    for begin, more in (("WAYS: tuple[Way, ...] = (\n", way), ("\nif TYPE_CHECKING:\n", imports)):
        assert text.count(begin) == 1
        text = text.replace(begin, begin + more if more == way else f"{more}{begin}")
    (copied / FILES[2]).write_text(text, encoding="utf-8")

    done = use(copied)

    assert done.returncode == 0, done.stderr
