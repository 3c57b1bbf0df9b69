"""Verdicts of dedupe while it is killed and its snapshots are harmed: as of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from connectors.embeddings import HashingEmbedder, MultilingualEmbedder, OnnxEmbedder
from connectors.vector_index import DISTRUSTED, FaissIndex, VectorIndexes
from processors.dedupe import CLUSTERS_KEY, DedupeState
from processors.similarity.features import Spaces
from schemas.bugs import LinkSuggested, ReportLinked
from schemas.codec import encode
from schemas.event import Event
from schemas.reports import ReportNormalized
from tests.factories import normalized

QUICK = Spaces(HashingEmbedder(), HashingEmbedder(32))
FLAT_MAX = 40
REPORTS = 160


def stream(count: int, seed: int) -> list[ReportNormalized]:
    """Return reports, a good part of them alike, in two languages, and some of them edited."""
    chance = Random(seed)
    words = [f"{a}{b}" for a in ("cart", "total", "page", "tax", "login") for b in "abcdefgh"]
    found: list[ReportNormalized] = []
    for number in range(count):
        if found and chance.random() < 0.3:
            old = chance.choice(found).report
            title, text = old.title, old.description
            if chance.random() < 0.5:
                text = f"{text} {chance.choice(words)}"
        else:
            title = " ".join(chance.sample(words, 5))
            text = " ".join(chance.choices(words, k=30))
            if chance.random() < 0.15:
                title, text = f"购物车{title[:5]}总价错误", "打开页面之后计算总价时出错"
        item = str(number if chance.random() < 0.9 else chance.randrange(max(number, 1)))
        found.append(normalized(text, item=item, title=title))
    return found


class Stage:
    """Dedupe beside its state topic, which keeps what was committed."""

    def __init__(
        self, folder: Path | None, spaces: Spaces = QUICK, *, snapshot_every: int = 5_000
    ) -> None:
        self.topic: dict[str, bytes | None] = {}
        self.said: list[bytes] = []
        self.events: list[Event] = []
        self._spaces = spaces
        self._snapshot_every = snapshot_every
        self._indexes = VectorIndexes(folder, spaces.model_id, flat_max=FLAT_MAX)
        self.start()

    def start(self) -> None:
        """Begin anew from the state topic, as a process does."""
        self.state = DedupeState(
            0,
            spaces=self._spaces,
            indexes=self._indexes,
            snapshot_every_reports=self._snapshot_every,
        )
        for key, value in self.topic.items():
            self.state.load(key, value)

    def work(self, batch: Sequence[Event]) -> None:
        """Decide on a batch and commit it."""
        decided = [self.state.decide(event) for event in batch]
        for decision in decided:
            for change in decision.changes:
                self.topic.pop(change.key, None)  # Compaction keeps the newest, at its place.
                self.topic[change.key] = change.value
            self.events += decision.events
            self.said += [encode(event) for event in decision.events]
        self.state.commit()


def undisturbed(reports: Sequence[Event], spaces: Spaces = QUICK) -> Stage:
    stage = Stage(None, spaces)
    for report in reports:
        stage.work([report])
    return stage


def harm(folder: Path, chance: Random) -> None:
    """Spoil a snapshot: a bit, the end, the sidecar, or all of it."""
    for path in sorted(folder.glob("*")):
        content = bytearray(path.read_bytes())
        kind = chance.randrange(4)
        if kind == 0:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del content[len(content) // 2 :]
        if kind == 3:
            path.unlink()
        else:
            path.write_bytes(content)


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_with_harmed_snapshots_it_decides_the_same(
    seed: int, tmp_path: Path
) -> None:
    reports = stream(REPORTS, seed)
    chance = Random(seed)
    stage, at, kills, snapshots = Stage(tmp_path, snapshot_every=15), 0, 0, 0
    while at < len(reports):
        size = chance.randrange(1, 12)
        if chance.random() < 0.4:
            # Killed before the commit: what it decided in this batch was never there.
            for report in reports[at : at + size]:
                stage.state.decide(report)
            snapshots += len(list(tmp_path.glob("*.faiss")))
            if chance.random() < 0.7:
                harm(tmp_path, chance)
            stage.start()
            kills += 1
        elif chance.random() < 0.3:
            for report in reports[at : at + size]:
                stage.state.decide(report)
            stage.state.rollback()
        else:
            stage.work(reports[at : at + size])
            at += size

    quiet = undisturbed(reports)

    assert stage.said == quiet.said
    assert kills > 5
    assert snapshots > 5
    # The run has to have had something to decide, and indexes that had switched.
    assert {ReportLinked, LinkSuggested} <= {type(event) for event in quiet.events}
    assert any(key.startswith(CLUSTERS_KEY) for key in quiet.topic)


def test_a_snapshot_that_is_whole_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = stream(60, 9)
    stage = Stage(tmp_path, snapshot_every=1)
    for report in reports[:-1]:
        stage.work([report])
    taken: list[bool] = []
    restore: Callable[..., bool] = FaissIndex.restore

    def watched(self: FaissIndex, *args: object, **more: object) -> bool:
        taken.append(restore(self, *args, **more))
        return taken[-1]

    monkeypatch.setattr(FaissIndex, "restore", watched)
    stage.start()
    stage.work(reports[-1:])

    assert taken
    assert all(taken)
    assert stage.said == undisturbed(reports).said


def test_a_snapshot_that_is_some_reports_old_is_taken_up_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reports = stream(60, 9)
    stage = Stage(tmp_path, snapshot_every=25)
    for report in reports[:-1]:
        stage.work([report])
    stage.start()
    with caplog.at_level("INFO"):
        stage.work(reports[-1:])

    assert any(one.startswith("an index of") for one in caplog.messages)
    assert DISTRUSTED not in caplog.messages
    assert stage.said == undisturbed(reports).said


def test_an_index_that_nobody_asked_since_a_restart_learns_the_same_clusters() -> None:
    """English is looked for in the index for Chinese only once Chinese has come."""
    english = stream(3 * FLAT_MAX, 5)
    plain = [one for one in english if one.report.title.isascii()]
    chinese = [normalized(f"打开页面之后出错{n}", item=f"c{n}", title="总价错误") for n in (1, 2)]
    reports = [chinese[0], *plain[:30], chinese[1], *plain[30:], chinese[0], chinese[1]]
    quiet = undisturbed(reports)
    stage = Stage(None)
    for report in reports:
        stage.work([report])
        stage.start()

    assert f"{CLUSTERS_KEY}shop/many" in quiet.topic
    assert stage.topic == quiet.topic
    assert stage.said == quiet.said


def test_with_the_real_models_a_restart_changes_no_verdict() -> None:
    spaces = Spaces(OnnxEmbedder(), MultilingualEmbedder())
    reports = stream(25, 3)
    stage = Stage(None, spaces)
    for report in reports:
        stage.work([report])
        stage.start()

    assert stage.said == undisturbed(reports, spaces).said


def test_after_a_change_of_the_model_older_reports_are_found_by_words() -> None:
    before = Stage(None)
    before.work([normalized("the cart has no total at all", item="1", title="Total is gone")])
    other = Spaces(HashingEmbedder(48), HashingEmbedder(24))
    after = Stage(None, Spaces(other.main, None))
    after.topic = before.topic
    after.start()

    after.work([normalized("the total of my cart", item="2", title="Total is gone again")])

    [suggested] = [event for event in after.events if isinstance(event, LinkSuggested)]
    assert set(suggested.scores) == {"words", "letters"}
