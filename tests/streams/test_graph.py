from __future__ import annotations

from schemas.topics import STAGES
from streams.graph import mermaid


def test_every_stage_reads_and_writes_something() -> None:
    lines = mermaid().splitlines()

    for stage in STAGES:
        assert any(line.endswith(f"--> {stage}") for line in lines), stage
        assert any(line.startswith(f"  {stage} -->") for line in lines), stage
