from __future__ import annotations

import pytest

from connectors.embeddings import HashingEmbedder
from streams import bench_dedupe_speed
from streams.bench_dedupe_speed import bench


def quiet(done: int, total: int, what: str) -> None:
    assert done <= total, what


def test_each_step_is_timed_and_held_to_its_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_dedupe_speed, "OnnxEmbedder", HashingEmbedder)
    monkeypatch.setattr(bench_dedupe_speed, "MultilingualEmbedder", lambda: HashingEmbedder(32))
    monkeypatch.setattr(bench_dedupe_speed, "CHINESE_GOAL_MS", 0.0)

    figures = bench(known=200, times=2, progress=quiet)

    assert [row[4] for row in figures.rows] == [15.0, 40.0, None, 0.0]
    assert figures.rows[-1][-1] is False
    assert figures.holds is False
    assert all(isinstance(row[1], float) for row in figures.rows)
