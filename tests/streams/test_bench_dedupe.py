from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.embeddings import HashingEmbedder
from schemas.errors import UserError
from streams import bench_dedupe
from streams.bench_dedupe import COLUMNS, JUDGED, bench, between, read, share
from streams.figures import Figures


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_dedupe, "OnnxEmbedder", HashingEmbedder)
    monkeypatch.setattr(bench_dedupe, "MultilingualEmbedder", lambda: HashingEmbedder(32))


def quiet(done: int, total: int, what: str) -> None:
    assert done <= total, what


LONG = "When I put nothing into the cart and ask for its total the program stops with an error"


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def line(number: int, title: str, body: str = LONG, **more: str) -> dict[str, str]:
    return {"id": str(number), "title": title, "body": body, "created": "01/Jan/20 02:52", **more}


@pytest.fixture
def tracker(tmp_path: Path) -> Path:
    rows = [
        line(1, "Total of an empty cart fails", cluster="a"),
        line(2, "Window is too small to read", "not on a large one", cluster="b"),
        line(3, "Total of an empty cart fails", cluster="a"),
        line(4, "Window is too small to read", "not on a large one", cluster="c"),
        line(5, "Empty carts have no total", "it stops with an error", cluster="a"),
    ]
    return write(tmp_path / "shop.jsonl", rows)


def row(figures: Figures, number: int) -> dict[str, object]:
    return dict(zip(COLUMNS, figures.rows[number], strict=True))


def test_what_is_found_and_merged_is_counted(tracker: Path) -> None:
    figures = bench([tracker], progress=quiet)

    ours = row(figures, 0)
    assert (ours["queries"], ours["R@1"], ours["merged"], ours["labelled"]) == (2, 1.0, 2, 1)
    assert ours["judged"] == "0 of 1"
    plain = row(figures, 1)
    assert (plain["decision"], plain["R@1"]) == ("MiniLM >= 0.85", 1.0)
    assert figures.holds is False
    assert any("shop: 1 of our merges were not judged" in note for note in figures.notes)


def test_a_judgement_counts(tracker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"tracker": "shop", "report": "4", "merged_with": "2", "verdict": "same", "reason": "-"}
    judged = tmp_path / "judged.json"
    judged.write_text(json.dumps([said]))
    monkeypatch.setattr(bench_dedupe, "JUDGED", judged)

    figures = bench([tracker], progress=quiet)

    assert row(figures, 0)["judged precision"] == 1.0
    assert figures.holds is True


def test_a_judgement_of_what_is_merged_no_more_is_said(
    tracker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"tracker": "shop", "merged_with": "2", "verdict": "same", "reason": "-"}
    judged = tmp_path / "judged.json"
    judged.write_text(json.dumps([said | {"report": "4"}, said | {"report": "5"}]))
    monkeypatch.setattr(bench_dedupe, "JUDGED", judged)

    figures = bench([tracker], progress=quiet)

    assert "shop: 1 judgements are of merges that are made no more" in figures.notes
    assert figures.holds is False


def test_a_merge_that_no_one_could_judge_counts_as_wrong(
    tracker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"tracker": "shop", "report": "4", "merged_with": "2", "verdict": "unsure"}
    judged = tmp_path / "judged.json"
    judged.write_text(json.dumps([said]))
    monkeypatch.setattr(bench_dedupe, "JUDGED", judged)

    figures = bench([tracker], progress=quiet)

    assert (row(figures, 0)["judged"], row(figures, 0)["judged precision"]) == ("1 of 1", 0.5)
    assert "shop: of 1 merges no one could tell; they count as wrong" in figures.notes


def test_merges_of_the_plain_decision_are_judged_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [line(1, "Move to parser 4.1.77"), line(2, "Move to parser 4.1.89")]
    path = write(tmp_path / "shop.jsonl", rows)
    judged = tmp_path / "judged.json"
    judged.write_text("[]")
    monkeypatch.setattr(bench_dedupe, "JUDGED", judged)
    before = bench([path], progress=quiet)
    said = {"tracker": "shop", "report": "2", "merged_with": "1", "verdict": "other"}
    judged.write_text(json.dumps([said]))

    after = bench([path], progress=quiet)

    assert [row(before, number)["merged"] for number in (0, 1)] == [0, 1]
    assert row(before, 1)["judged precision"] == "1 not judged"
    assert (row(after, 1)["judged"], row(after, 1)["judged precision"]) == ("1 of 1", 0.0)
    assert not any("made no more" in note for note in after.notes)


def test_a_file_that_is_missing_was_not_run(tmp_path: Path, tracker: Path) -> None:
    figures = bench([tracker, tmp_path / "gone.jsonl"], progress=quiet)

    assert row(figures, 2)["decision"] == "not run"
    assert figures.holds is False


def test_chinese_reports_are_to_find_their_translation(tmp_path: Path, tracker: Path) -> None:
    rows = [
        line(1, "终端 terminal 闪退", "打开就闪退", lang="zh", gpt="terminal crashes. On opening."),
        line(2, "字体 font 太小", "看不清楚", lang="zh", gpt="font too small. Cannot be read."),
        line(3, "Fonte pequena", "ruim", lang="pt", gpt="The font of mine is small."),
        line(4, "crash", "no words", lang="zh", gpt="crash. No words."),
    ]
    figures = bench([write(tmp_path / "many.jsonl", rows), tracker], progress=quiet)

    across = row(figures, 0)
    assert (across["decision"], across["reports"], across["queries"]) == (
        "Chinese to English",
        9,
        2,
    )
    assert any("With the 1 that are labelled Chinese" in note for note in figures.notes)


@pytest.mark.parametrize("content", ["", "{", '{"id": 1}', "[]", '"x"'])
def test_a_file_of_something_else_is_said_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(content)

    with pytest.raises(UserError, match=r"odd\.jsonl"):
        read(path)


def test_shares_come_with_their_interval() -> None:
    assert share([1, 3, 11], 10) == 0.667
    assert share([], 10) == 0.0
    assert between(60, 66) == "0.816 to 0.958"
    assert between(0, 0) == "-"


def test_every_judgement_has_a_reason_and_no_text_of_the_tracker() -> None:
    rows = json.loads(JUDGED.read_text(encoding="utf-8"))

    assert {row["verdict"] for row in rows} <= {"same", "other", "unsure"}
    assert all(10 < len(row["reason"]) < 160 for row in rows)
    pairs = {(row["tracker"], row["report"], row["merged_with"]) for row in rows}
    assert len(pairs) == len(rows)
