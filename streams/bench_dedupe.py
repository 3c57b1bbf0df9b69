"""`bugstream bench dedupe FILE...`: what is found, and what is merged, on trackers with labels.

Reports come in the order of their trackers and only earlier ones are known. Labels are what people
linked, and they missed much; so every merge without a label, of ours and of plain MiniLM, was read
and judged by one of us.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.embeddings import CHARS_MAX, MultilingualEmbedder, OnnxEmbedder
from connectors.vector_index import VectorIndexes
from processors.ports import Embedder, Progress
from processors.similarity.features import Spaces, features_of
from processors.similarity.matcher import Matcher
from processors.similarity.texts import is_cjk
from schemas.errors import UserError
from schemas.raw import Origin
from schemas.reports import BugReport
from streams.figures import Cell, Figures, machine, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pair = tuple[str, str, str]
"""Tracker, report, and what it was merged with."""
NOT_RUN = "not run"
SAME, UNSURE = "same", "unsure"
PLAIN_MERGE_MIN = 0.85
JUDGED = Path(__file__).with_name("dedupe_adjudicated.json")
COLUMNS = (
    *("file", "decision", "reports", "queries", "R@1", "R@5", "R@10", "R@10, 95 %", "merged"),
    *("labelled", "labelled precision", "judged", "judged precision"),
)
RECALLS = (1, 5, 10)
GOALS: Mapping[str, float] = {"gitbugs_hadoop": 0.90, "gitbugs_seamonkey": 0.92}
"""R@10 by tracker. A tracker that is not here has no goal of ours."""
MERGED_GOAL, PRECISION_GOAL, ACROSS_GOAL = 20, 0.97, 0.95
_DATES = ("%d/%b/%y %H:%M", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z")


@dataclass(frozen=True, slots=True)
class Line:
    """One report of a file."""

    report: BugReport
    cluster: str
    english: str | None
    """The same in English, where the file has that."""
    is_chinese: bool


@dataclass(slots=True)
class Outcome:
    """What one way of deciding came to on one tracker."""

    ranks: list[int] = field(default_factory=list)
    """Of the first known duplicate, for each report that has one."""
    merges: list[tuple[int, int]] = field(default_factory=list)


def bench(files: Sequence[Path], *, progress: Progress) -> Figures:
    """Return the figures of `files`. Raises `UserError` for one that is no list of reports."""
    judged = _judged()
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    met: list[bool] = []
    lines = {path: read(path) for path in files if path.is_file()}
    main, many = OnnxEmbedder(), MultilingualEmbedder()
    for path in files:
        told = _Told(progress, path.stem)
        if path not in lines:
            rows.append((path.stem, NOT_RUN, *[None] * (len(COLUMNS) - 2)))
            met.append(False)
            continue
        if any(line.english is not None for line in lines[path]):
            others = [one for other in lines if other != path for one in lines[other]]
            row, holds, note = _across(path, lines[path], others, Spaces(main, many), told)
            rows.append(row)
            notes.append(note)
        else:
            found, holds, more = _tracker(path.stem, lines[path], main, many, judged, told)
            rows += found
            notes += more
        met.append(holds)
    return Figures(
        name="dedupe",
        claim=(
            "A report finds its earlier duplicate, and what is merged without asking is the same:"
            f" at least {MERGED_GOAL} merges on Hadoop, {PRECISION_GOAL:.0%} of them right"
        ),
        measured_on=machine() | {"model": main.model_id, "many languages": many.model_id},
        columns=COLUMNS,
        rows=rows,
        holds=all(met) and bool(met),
        notes=(
            "Judged: merges without a label were read and judged by one of us, who knew the rules"
            f" and whose merge it was; ids and reasons stand in {JUDGED.name}."
            " Labels are incomplete.",
            *notes,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    progress: Progress
    name: str

    def __call__(self, done: int, total: int, what: str) -> None:
        self.progress(done, total, f"{self.name}: {what}")


def read(path: Path) -> list[Line]:
    """Return the reports of a file, a JSON object a line. Raises `UserError`."""
    try:
        found = [
            _line(json.loads(row), path.stem)
            for row in path.read_text(encoding="utf-8").splitlines()
            if row.strip()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path.name}: give a file with a JSON object a line: id, title, body, created"
        ) from error
    if not found:
        raise UserError(f"{path.name}: there is no report in it")
    return found


def _line(row: Mapping[str, Any], container: str) -> Line:
    origin = Origin(channel="http", container=container, item=str(row["id"]))
    report = BugReport(
        report_id=origin.report_id,
        origin=origin,
        title=str(row["title"])[:2_000] or "?",
        description=str(row.get("body") or row.get("description") or "")[:CHARS_MAX],
        created_at=_when(str(row.get("created") or "")),
    )
    english = row.get("gpt")
    return Line(
        report,
        cluster=str(row.get("cluster", row["id"])),
        english=None if english is None else str(english),
        is_chinese=str(row.get("lang", "")).startswith("zh"),
    )


def _when(text: str) -> datetime | None:
    for form in _DATES:
        try:
            at = datetime.strptime(text, form)  # noqa: DTZ007  # put right below
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _judged() -> dict[Pair, str]:
    rows = json.loads(JUDGED.read_text(encoding="utf-8"))
    return {(row["tracker"], row["report"], row["merged_with"]): row["verdict"] for row in rows}


# --- one tracker ---


def _tracker(
    name: str,
    lines: Sequence[Line],
    main: Embedder,
    many: Embedder,
    judged: Mapping[Pair, str],
    told: Progress,
) -> tuple[list[tuple[Cell, ...]], bool, list[str]]:
    ours, plain = _ours(lines, main, many, told), _plain(lines, main, told)
    rows, fit, unjudged = [], True, 0
    for what, outcome in (("ours", ours), (f"MiniLM >= {PLAIN_MERGE_MIN}", plain)):
        row, precision, left = _row(name, what, lines, outcome, judged)
        rows.append(row)
        if what == "ours":
            unjudged = left
            fit = _fits(name, outcome, precision)
    notes = [f"{name}: {unjudged} of our merges were not judged"] if unjudged else []
    if unsure := sum(pair[0] == name and said == UNSURE for pair, said in judged.items()):
        notes.append(f"{name}: of {unsure} merges no one could tell; they count as wrong")
    if stale := _stale(name, lines, (ours, plain), judged):
        notes.append(f"{name}: {stale} judgements are of merges that are made no more")
    return rows, fit and not unjudged and not stale, notes


def _stale(
    name: str, lines: Sequence[Line], outcomes: Sequence[Outcome], judged: Mapping[Pair, str]
) -> int:
    """Return how many judgements are about a pair that neither decision merges any longer."""
    items = [line.report.origin.item for line in lines]
    merged = {(name, items[new], items[old]) for one in outcomes for new, old in one.merges}
    return sum(pair[0] == name and pair not in merged for pair in judged)


def _fits(name: str, outcome: Outcome, precision: float | None) -> bool:
    enough = name != "gitbugs_hadoop" or len(outcome.merges) >= MERGED_GOAL
    right = precision is None or precision >= PRECISION_GOAL
    return enough and right and share(outcome.ranks, 10) >= GOALS.get(name, 0.0)


def _ours(lines: Sequence[Line], main: Embedder, many: Embedder, told: Progress) -> Outcome:
    """Let each report find the earlier ones by the matcher of the stage."""
    texts = (f"{line.report.title}\n{line.report.description}" for line in lines)
    # Where no text is Chinese the other space is never looked into.
    spaces = Spaces(main, many if any(map(is_cjk, texts)) else _Unasked())
    matcher = Matcher("bench", spaces.model_id, VectorIndexes(None, spaces.model_id))
    outcome, bugs, members = Outcome(), list[int](), defaultdict[str, list[int]](list)
    for number, line in enumerate(lines):
        told(number, len(lines), "our decision")
        fresh = features_of(line.report, spaces)
        verdicts = matcher.verdicts(fresh)
        bug = number
        if verdicts and verdicts[0].merges:
            outcome.merges.append((number, verdicts[0].key))
            bug = bugs[verdicts[0].key]
        if earlier := members[line.cluster]:
            ranked = sorted(verdicts, key=lambda one: (-one.similarity, one.key))
            places = (at for at, one in enumerate(ranked, 1) if one.key in earlier)
            outcome.ranks.append(next(places, len(lines)))
        members[line.cluster].append(number)
        bugs.append(bug)
        matcher.add(number, fresh, bug=bug)
    return outcome


class _Unasked:
    """Stands where a space is never looked into."""

    model_id, dim = "unasked", 1

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 1), np.float32)


def _plain(lines: Sequence[Line], main: Embedder, told: Progress) -> Outcome:
    """Let the cosine of the bare texts decide, as a first sketch of such a thing would."""
    outcome, members = Outcome(), defaultdict[str, list[int]](list)
    known = np.zeros((len(lines), main.dim), np.float32)
    for number, line in enumerate(lines):
        told(number, len(lines), "plain MiniLM")
        known[number] = main.embed([f"{line.report.title}\n{line.report.description}"])[0]
        scores = known[:number] @ known[number]
        if number and scores.max() >= PLAIN_MERGE_MIN:
            outcome.merges.append((number, int(scores.argmax())))
        if earlier := members[line.cluster]:
            outcome.ranks.append(int((scores > scores[earlier].max()).sum()) + 1)
        members[line.cluster].append(number)
    return outcome


def _row(
    name: str,
    what: str,
    lines: Sequence[Line],
    outcome: Outcome,
    judged: Mapping[Pair, str],
) -> tuple[tuple[Cell, ...], float | None, int]:
    def item(number: int) -> str:
        return lines[number].report.origin.item

    merged = len(outcome.merges)
    labelled = [pair for pair in outcome.merges if lines[pair[0]].cluster == lines[pair[1]].cluster]
    rest = [pair for pair in outcome.merges if pair not in labelled]
    said = [judged.get((name, item(new), item(old))) for new, old in rest]
    known = [one for one in said if one is not None]
    left = len(said) - len(known)
    right = len(labelled) + sum(one == SAME for one in known)
    precision = right / merged if merged and not left else None
    row: tuple[Cell, ...] = (
        *(name, what, len(lines), len(outcome.ranks)),
        *(share(outcome.ranks, at) for at in RECALLS),
        between(sum(rank <= RECALLS[-1] for rank in outcome.ranks), len(outcome.ranks)),
        *(merged, len(labelled), len(labelled) / merged if merged else None),
        f"{len(known)} of {len(rest)}",
        precision if precision is not None else f"{left} not judged",
    )
    return row, precision, left


def share(ranks: Sequence[int], at: int) -> float:
    """Return the share of ranks up to `at`."""
    return round(sum(rank <= at for rank in ranks) / len(ranks), 3) if ranks else 0.0


def between(hits: int, of: int) -> str:
    """Return the 95 % interval of a share, for people."""
    low, high = wilson(hits, of)
    return f"{low:.3f} to {high:.3f}" if of else "-"


# --- across languages ---


def _across(
    path: Path, lines: Sequence[Line], others: Sequence[Line], spaces: Spaces, told: Progress
) -> tuple[tuple[Cell, ...], bool, str]:
    """Let Chinese reports find themselves in English among all reports of all files."""
    matcher = Matcher("bench", spaces.model_id, VectorIndexes(None, spaces.model_id))
    pool = [*filter(None, map(_in_english, lines)), *others]
    keys: dict[str, int] = {}
    for number, line in enumerate(pool):
        told(number, len(pool), "English reports")
        matcher.add(number, features_of(line.report, spaces), bug=number)
        if line.english is not None:
            keys[line.report.origin.item] = number
    asked = [line for line in lines if line.report.origin.item in keys and line.is_chinese]
    ranks: dict[bool, list[int]] = {True: [], False: []}
    """By whether the report has Chinese words of its own, beside what the template put in."""
    for number, line in enumerate(asked):
        told(number, len(asked), "Chinese reports")
        fresh = features_of(line.report, spaces)
        verdicts = matcher.verdicts(fresh)
        wanted = keys[line.report.origin.item]
        own = next((one.similarity for one in verdicts if one.key == wanted), None)
        # Of those who filed the same text twice, either will do.
        before = sum(own is None or one.similarity > own for one in verdicts)
        ranks[fresh.is_cjk].append(before + 1 if own is not None else len(pool))
    found, every = ranks[True], [*ranks[True], *ranks[False]]
    row: tuple[Cell, ...] = (
        *(path.stem, "Chinese to English", len(pool), len(found)),
        *(share(found, at) for at in RECALLS),
        between(sum(rank <= RECALLS[-1] for rank in found), len(found)),
        *[None] * 5,
    )
    note = (
        f"{path.stem}: each Chinese report is to find its own translation, made by a machine, among"
        " those of the whole file and the reports of the other files. R@1 is"
        f" {between(sum(rank == 1 for rank in found), len(found))} (95 %). With the"
        f" {len(ranks[False])} that are labelled Chinese but have no Chinese words of their own,"
        f" beside what the template put in, it is {share(every, 1)}"
    )
    return row, share(found, 1) >= ACROSS_GOAL, note


def _in_english(line: Line) -> Line | None:
    """Return the translation as a report; None where there is none, or it is not English."""
    title, _, body = (line.english or "").partition(". ")
    if not title.strip() or is_cjk(line.english or ""):
        return None
    told = line.report.model_copy(update={"title": title, "description": body})
    return replace(line, report=told)
