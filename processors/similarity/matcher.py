"""The known reports of one project: which come near a new one, in what order, and the verdicts."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from processors.ports import VectorIndex, VectorIndexes
from processors.similarity.features import Features, floats
from processors.similarity.postings import Asked, Postings
from processors.similarity.verdict import Several, Verdict, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANDIDATES_EACH = 20
"""Of each way of looking: by vectors, words, letters."""
CANDIDATES_PER_KEY_MAX = 32
"""Compared under one key, oldest first: a thousand copies of a report cost no more than 32."""
PLAIN_WORDS_MIN = 8
"""A text of so many words that came before word for word is looked for no further."""
_COUNTED = ("t/", "i/")
"""Keys, of titles and addresses, of which is asked how many bugs have them."""
GENERIC_BUGS_MIN = 3
"""A title that so many bugs have names none of them."""


@dataclass(slots=True)
class _Space:
    """One index. Equal vectors stand in it once, so that a thousand copies crowd nobody out.

    It is opened when first asked: while a state is loaded nothing is put into it one by one.
    """

    name: str
    indexes: VectorIndexes
    clusters: bytes | None = None
    members: dict[int, list[int]] = field(default_factory=dict)
    vectors: dict[int, bytes] = field(default_factory=dict)
    index: VectorIndex | None = None

    def add(self, key: int, vector: bytes) -> None:
        name = _name(vector)
        if name not in self.members:
            self.vectors[name] = vector
            if self.index is not None:
                self.index.add(name, floats(vector))
        insort(self.members.setdefault(name, []), key)

    def remove(self, key: int, vector: bytes) -> None:
        name = _name(vector)
        self.members[name].remove(key)
        if not self.members[name]:
            del self.members[name], self.vectors[name]
            if self.index is not None:
                self.index.remove(name)

    def near(self, vector: NDArray[np.float32]) -> Iterable[int]:
        if not self.members:
            return
        for name in self.opened(len(vector)).nearest(vector, CANDIDATES_EACH):
            yield from self.members[name][:CANDIDATES_PER_KEY_MAX]

    def opened(self, dim: int) -> VectorIndex:
        if self.index is None:
            self.index = self.indexes.open(
                self.name, dim, clusters=self.clusters, vectors=self.vectors
            )
        return self.index

    def learnt(self) -> bytes | None:
        """Return the clusters that it has learnt since it was last asked.

        When it learns follows from what it holds alone: one that has not been opened since a
        restart is opened here, for later it would learn others, and find others.
        """
        if self.clusters is None and self.indexes.learns(len(self.vectors)):
            self.opened(len(floats(next(iter(self.vectors.values())))))
        found = None if self.index is None else self.index.clusters
        if found is None or found == self.clusters:
            return None
        self.clusters = found
        return found


def _name(vector: bytes) -> int:
    """Return a number for a vector that depends on nothing but the vector."""
    return int.from_bytes(hashlib.blake2b(vector, digest_size=8).digest(), "big") >> 1


class Matcher:
    """Finds what a report may be the same as. A key is a report's place in the order of arrival."""

    def __init__(self, name: str, model_id: str, indexes: VectorIndexes) -> None:
        """Begin with none. `name` is for snapshots; vectors are made by `model_id`."""
        self._name = name
        self._model_id = model_id
        self._indexes = indexes
        self._known: dict[int, Features] = {}
        self._bugs: dict[int, int] = {}
        self._exact: dict[str, list[int]] = {}
        self._bugs_by_key: dict[str, Counter[int]] = {}
        """Counted as they come: a storm of one alert would be counted anew for every report."""
        self._words = Postings()
        self._letters = Postings()
        self._spaces: dict[str, _Space] = {}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: int, features: Features, *, bug: int) -> None:
        """Take a report of the bug `bug`; one that is known under `key` is replaced."""
        self.remove(key)
        self._known[key], self._bugs[key] = features, bug
        for name in _exact_keys(features):
            insort(self._exact.setdefault(name, []), key)
            if name.startswith(_COUNTED):
                self._bugs_by_key.setdefault(name, Counter())[bug] += 1
        self._words.add(key, features.counts)
        self._letters.add(key, features.grams)
        for space, vector in _places(features):
            self._space(space).add(key, vector)

    def remove(self, key: int) -> None:
        """Forget a report; one that is not known is none."""
        features = self._known.pop(key, None)
        if features is None:
            return
        bug = self._bugs.pop(key)
        for name in _exact_keys(features):
            self._exact[name].remove(key)
            if not self._exact[name]:
                del self._exact[name]
            if name.startswith(_COUNTED):
                self._uncount(name, bug)
        self._words.remove(key)
        self._letters.remove(key)
        for space, vector in _places(features):
            self._spaces[space].remove(key, vector)

    def verdicts(self, fresh: Features) -> list[Verdict]:
        """Return the verdicts on all that comes near: what merges first, then the likest.

        Ties go to the oldest, so that a verdict cannot depend on how batches were cut.
        """
        words, letters = self._words.asked(fresh.counts), self._letters.asked(fresh.grams)
        near = {*self._equal(fresh)}
        if not any(self._is_plain(fresh, self._known[key]) for key in near):
            near.update(self._words.top(words, CANDIDATES_EACH))
            near.update(self._letters.top(letters, CANDIDATES_EACH))
            near.update(self._near(fresh))
        found = [self._judge(fresh, self._known[key], words, letters, key) for key in sorted(near)]
        return sorted(found, key=lambda one: (not one.merges, -one.similarity, one.key))

    @staticmethod
    def _is_plain(fresh: Features, known: Features) -> bool:
        """Return whether nothing more is to be found: the same words, and enough of them."""
        return fresh.text_key == known.text_key and fresh.words >= PLAIN_WORDS_MIN

    def nearest(self, vector: NDArray[np.float32]) -> list[int]:
        """Return the reports nearest to a vector of the sharp space."""
        return [*self._spaces["main"].near(vector)] if "main" in self._spaces else []

    def learnt(self) -> Iterator[tuple[str, bytes]]:
        """Yield the spaces that have learnt clusters since they were last asked, and those.

        Who keeps the state keeps them as well, and says them to `taught` when it is loaded.
        """
        for name, space in self._spaces.items():
            if clusters := space.learnt():
                yield name, clusters

    def taught(self, space: str, clusters: bytes | None) -> None:
        """Look by `clusters` from now on; None: at all vectors, as if none had been learnt."""
        found = self._space(space)
        found.clusters, found.index = clusters, None

    def keep(self) -> None:
        """Keep snapshots of the indexes."""
        for space in self._spaces.values():
            if space.index is not None:
                self._indexes.keep(space.name, space.index)

    def between(self, one: Features, other: Features) -> Verdict:
        """Return the verdict on two reports, by what is known of words and letters now."""
        words, letters = self._words.asked(one.counts), self._letters.asked(one.grams)
        return self._judge(one, other, words, letters, -1)

    def _judge(
        self, fresh: Features, known: Features, words: Asked, letters: Asked, key: int
    ) -> Verdict:
        long, wide = known.lengths
        scores = _scores(
            fresh,
            known,
            words=words.share(known.counts, long),
            letters=letters.share(known.grams, wide),
        )
        same_title = fresh.title_key == known.title_key
        several = Several(
            title=same_title and self._bugs_with(f"t/{fresh.title_key}") >= GENERIC_BUGS_MIN,
            address=any(
                self._bugs_with(f"i/{one}") > 1 for one in fresh.addresses() & known.addresses()
            ),
        )
        return judge(fresh, known, key=key, scores=scores, several=several, model_id=self._model_id)

    def _bugs_with(self, key: str) -> int:
        return len(self._bugs_by_key.get(key, ()))

    def _uncount(self, name: str, bug: int) -> None:
        bugs = self._bugs_by_key[name]
        bugs[bug] -= 1
        if not bugs[bug]:
            del bugs[bug]
        if not bugs:
            del self._bugs_by_key[name]

    def _equal(self, fresh: Features) -> Iterable[int]:
        for name in _exact_keys(fresh):
            yield from self._exact.get(name, ())[:CANDIDATES_PER_KEY_MAX]

    def _near(self, fresh: Features) -> Iterable[int]:
        names: tuple[str, ...] = ("many-cjk", "many") if fresh.is_cjk else ("main", "many-cjk")
        for name in names:
            vector = fresh.vector(many=name != "main")
            if name in self._spaces and len(vector):
                yield from self._spaces[name].near(vector)

    def _space(self, name: str) -> _Space:
        if name not in self._spaces:
            self._spaces[name] = _Space(f"{self._name}/{name}", self._indexes)
        return self._spaces[name]


def _exact_keys(features: Features) -> list[str]:
    return [
        f"x/{features.text_key}",
        f"t/{features.title_key}",
        *(f"s/{one}" for one in features.stacks),
        *(f"i/{one}" for one in features.addresses()),
        *(f"b/{one}" for one in features.bands()),
    ]


def _places(features: Features) -> list[tuple[str, bytes]]:
    """Return the indexes a report stands in: what is Chinese is compared in one space only."""
    if features.is_cjk:
        places = [("many-cjk", features.many)]
    else:
        places = [("main", features.main), ("many", features.many)]
    return [(space, vector) for space, vector in places if vector]


def _scores(one: Features, other: Features, *, words: float, letters: float) -> dict[str, float]:
    many = one.is_cjk or other.is_cjk
    mine, theirs = one.vector(many=many), other.vector(many=many)
    found: dict[str, float] = {}
    if len(mine) and len(mine) == len(theirs):
        found["meaning"] = float(np.einsum("i,i->", mine, theirs))
    if one.is_cjk == other.is_cjk or not found:
        # Of two languages no word is the same, but for names that any two reports may share.
        found |= {"words": words, "letters": letters}
    return {name: round(min(max(score, 0.0), 1.0), 4) for name, score in found.items()}
