"""A diff is one that git applies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from schemas.diffs import unified
from schemas.fixes import FileEdit


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\nb = 2\n", "a = 1\nb = 3\n"),
        ("a = 1\nb = 2", "a = 1\nb = 3"),
        ("a = 1\r\nb = 2\r\n", "a = 1\r\nb = 3\r\n"),
        ("a = 1\n\f\nb = '\x85 \u2028 \r'\nc = 2\n", "a = 1\n\f\nb = '\x85 \u2028 \r'\nc = 3\n"),
        (None, "new\n"),
        ("old\n", None),
    ],
    ids=["plain", "no last newline", "windows", "not line ends to git", "new file", "deleted"],
)
def test_git_makes_the_one_side_of_a_diff_into_the_other(
    tmp_path: Path, before: str | None, after: str | None
) -> None:
    file = tmp_path / "m.py"
    if before is not None:
        file.write_bytes(before.encode())
    diff = unified([FileEdit(path="m.py", before=before, after=after)])

    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)

    assert (file.read_bytes().decode() if file.exists() else None) == after


def test_a_patch_of_several_files_is_one_diff() -> None:
    edits = (
        FileEdit(path="a.py", before="x\ny", after="x\nz"),
        FileEdit(path="b.py", before=None, after="new\n"),
    )

    diff = unified(edits)

    assert "--- a/a.py\n+++ b/a.py\n" in diff
    assert "-y\n\\ No newline at end of file\n+z\n\\ No newline at end of file\n" in diff
    assert "--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+new\n" in diff
