"""The program itself, spoken to over its pipes; what it does with tests is in test_harness."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

TEXT = files("processors.repair").joinpath("fork_server.py").read_text(encoding="utf-8")
RUN = {
    "op": "run",
    "tests": [],
    "select": [],
    "skip": [],
    "red": [],
    "args": [],
    "trace": False,
    "details": False,
    "trace_only": None,
    "cpu_s_per_test": 5,
    "wall_s_per_test": 5,
    "cpu_s_max": 20,
    "wall_s_max": 20,
    "memory_mb": 1024,
}


def _talk(tree: Path, *requests: object) -> list[dict[str, object]]:
    lines = "".join(f"{json.dumps(request)}\n" for request in requests)
    done = subprocess.run(
        [sys.executable, "-c", TEXT],
        cwd=tree,
        input=lines.encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_needs_nothing_of_ours() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(TEXT))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        if name
    }

    assert imported - {"pytest"} <= sys.stdlib_module_names


def test_output_of_tests_never_mixes_with_the_answers(tmp_path: Path) -> None:
    noisy = (
        "import os\ndef test_a():\n    print('x' * 9)\n    os.write(1, b'{\"results\": 1}\\n')\n"
    )
    (tmp_path / "test_noise.py").write_text(noisy, encoding="utf-8")

    answers = _talk(tmp_path, RUN, RUN)

    assert len(answers) == 2
    assert all(answer["finished"] for answer in answers)


def test_module_that_refuses_to_load_is_left_out(tmp_path: Path) -> None:
    answers = _talk(tmp_path, {"op": "preload", "modules": ["json", "no_such_module", "this"]})

    assert answers == [{"loaded": 2}]


def test_same_second_edits_never_meet_stale_bytecode(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("VALUE = 0\n", encoding="utf-8")
    (tmp_path / "test_shop.py").write_text(
        "import shop\ndef test_a(): assert shop.VALUE == 7\n", encoding="utf-8"
    )
    requests = [{**RUN, "path": "shop.py", "source": f"VALUE = {n}\n"} for n in (7, 8, 7, 9)]

    answers = _talk(tmp_path, *requests)

    outcomes = [answer["results"][0]["outcome"] for answer in answers]  # type: ignore[index]
    assert outcomes == ["passed", "failed", "passed", "failed"]
