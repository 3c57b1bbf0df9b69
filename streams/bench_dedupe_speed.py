"""`bugstream bench dedupe --speed`: how long a report takes among 100,000 that are known.

The known ones are made up: words by how often words are used, and vectors that stand in groups as
those of texts do. The reports that are timed are embedded for real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from connectors.embeddings import MultilingualEmbedder, OnnxEmbedder
from connectors.vector_index import VectorIndexes
from processors.ports import Embedder, Progress
from processors.similarity.features import Spaces, features_of
from processors.similarity.matcher import Matcher
from schemas.raw import Origin
from schemas.reports import BugReport
from streams.figures import Cell, Figures, machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOWN = 100_000
TIMES = 60
"""Each report is timed so often, after one try that loads things."""
VOCABULARY = 60_000
GROUPS = 3_000
SPREAD = 0.6
"""How far a vector stands from the middle of its group: neighbours are then about 0.7 alike."""
GOALS_MS = {"English: embed + vectors": 15.0, "English: with words and letters": 40.0}
CHINESE_GOAL_MS = 150.0
ENGLISH = (
    "Total of an empty cart fails after the update",
    "After the update to the newest release I open the shop and put nothing into the cart. Then I"
    " ask for the total on the second page, and instead of a zero the program stops with an error"
    " about a division. The log says that the tax is computed for each line before the lines are"
    " counted, so that an empty cart has a rate of none. It worked in the release before, and it"
    " works as soon as one thing lies in the cart. I tried two other browsers too",
)
CHINESE = (
    "升级之后空购物车的总价计算失败",
    "升级到最新版本之后，我打开商店，购物车里什么都没有放，然后在第二页查看总价，程序没有显示零，而是报除零错误并退出。"
    "日志里说每一行的税率是在统计行数之前计算的，所以空购物车的税率为空。旧版本没有这个问题，只要购物车里有一件商品就正常。"
    "我换了两个浏览器，也用新账号试过，每次结果都一样，请帮忙看看是什么原因。",
)


def bench(*, known: int = KNOWN, times: int = TIMES, progress: Progress) -> Figures:
    """Return how long one report takes, step by step."""
    spaces = Spaces(OnnxEmbedder(), MultilingualEmbedder())
    matcher = _filled(spaces, known, progress)
    english, chinese = _report(*ENGLISH), _report(*CHINESE)
    rows: list[tuple[Cell, ...]] = []
    for name, goal_ms, work in _works(spaces, matcher, english, chinese):
        progress(known, known, name)
        p50, p95, cpu = _timed(work, times)
        met = None if goal_ms is None else p50 < goal_ms
        rows.append((name, p50, p95, cpu, goal_ms, met))
    return Figures(
        name="dedupe-speed",
        claim=f"A report is looked up among {known:,} in less than the eye sees",
        measured_on=machine() | {"known": known, "times": times},
        columns=("what", "median, ms", "p95, ms", "processor, ms", "goal, ms", "met"),
        rows=rows,
        holds=all(row[-1] is not False for row in rows),
        notes=(
            "The median counts. Processor: what the whole process used, so that a busy machine is"
            " seen. The vectors of the many-language space are made for every report, so that a"
            " Chinese one can find it later; that is in the last rows and not in the first two.",
        ),
    )


def _works(
    spaces: Spaces, matcher: Matcher, english: BugReport, chinese: BugReport
) -> Iterator[tuple[str, float | None, Callable[[], object]]]:
    assert spaces.main is not None  # noqa: S101  # made above
    main = spaces.main
    text = f"{english.title}\n{english.description}"
    fresh = features_of(english, spaces)

    def vectors() -> object:
        return matcher.nearest(main.embed([text])[0])

    def words() -> object:
        return matcher.nearest(main.embed([text])[0]), matcher.verdicts(fresh)

    for name, work in zip(GOALS_MS, (vectors, words), strict=True):
        yield name, GOALS_MS[name], work
    yield "English: all that the stage does", None, lambda: _whole(english, spaces, matcher)
    yield (
        "Chinese: all that the stage does",
        CHINESE_GOAL_MS,
        lambda: _whole(chinese, spaces, matcher),
    )


def _whole(report: BugReport, spaces: Spaces, matcher: Matcher) -> object:
    return matcher.verdicts(features_of(report, spaces))


def _timed(work: Callable[[], object], times: int) -> tuple[float, float, float]:
    work()
    took: list[float] = []
    began_cpu_s = time.process_time()
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began_s))
    cpu = 1000 * (time.process_time() - began_cpu_s) / times
    return round(float(np.median(took)), 1), round(float(np.quantile(took, 0.95)), 1), round(cpu, 1)


def _report(title: str, body: str) -> BugReport:
    origin = Origin(channel="http", container="bench", item=title)
    return BugReport(report_id=origin.report_id, origin=origin, title=title, description=body)


class _Drawn:
    """Makes up vectors in groups, instead of reading a text."""

    def __init__(self, model: Embedder, seed: int) -> None:
        self.model_id, self.dim = model.model_id, model.dim
        self._chance = np.random.default_rng(seed)
        self._middles = self._chance.normal(size=(GROUPS, self.dim)).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        picked = self._middles[self._chance.integers(0, GROUPS, len(texts))]
        found = picked + SPREAD * self._chance.normal(size=picked.shape).astype(np.float32)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / lengths, np.float32)


def _filled(spaces: Spaces, known: int, progress: Progress) -> Matcher:
    assert spaces.main is not None  # noqa: S101  # made above
    assert spaces.many is not None  # noqa: S101
    drawn = Spaces(_Drawn(spaces.main, 1), _Drawn(spaces.many, 2))
    matcher = Matcher("bench", spaces.model_id, VectorIndexes(None, spaces.model_id))
    words = _words()
    for key in range(known):
        if not key % 1_000:
            progress(key, known, "making up what is known")
        title, body = (
            " ".join(next(words) for _ in range(8)),
            " ".join(next(words) for _ in range(92)),
        )
        matcher.add(key, features_of(_report(title, body), drawn), bug=key)
    return matcher


def _words() -> Iterator[str]:
    """Yield words for ever, the n-th as often as words of that rank are used, and our own too."""
    chance = np.random.default_rng(3)
    ours = " ".join(ENGLISH).casefold().split()
    letters = np.array([*"etaoinshrdlucmfwypvbgk"])
    made = ["".join(chance.choice(letters, int(n))) for n in chance.integers(3, 10, VOCABULARY)]
    vocabulary = np.array([*dict.fromkeys(ours), *made])
    weights = 1 / (np.arange(len(vocabulary)) + 2.7)
    weights /= weights.sum()
    while True:
        yield from chance.choice(vocabulary, 10_000, p=weights).tolist()
