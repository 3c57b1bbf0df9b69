"""What people said of pairs of reports: the likeness of each pair, and whether it was the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

from processors.base import StateChange
from processors.similarity.calibration import Calibration, calibrate

ANSWER_KEY = "answer/"
"""How the keys of its records begin, in a state topic that holds other records too."""
ANSWERS_MAX = 2_000
"""Of a project: the first ones, by key, are learnt from; more would teach no more."""


class Answers:
    """The answers of one partition, by project. The newest one about a pair counts."""

    def __init__(self) -> None:
        """Begin with none."""
        self._said: dict[str, dict[str, tuple[float, bool]]] = {}
        self._curves: dict[str, Calibration | None] = {}

    def take(
        self, project: str, pair: tuple[UUID, UUID], likeness: float, *, same: bool
    ) -> tuple[StateChange, Callable[[], None]]:
        """Take an answer in. Returns the record that keeps it, and what undoes it."""
        name = "/".join(map(str, pair))
        before = self._said.get(project, {}).get(name)
        self._put(project, name, (likeness, same))
        fields = {"v": 1, "project": project, "pair": name, "likeness": likeness, "same": same}
        record = StateChange(f"{ANSWER_KEY}{name}", json.dumps(fields).encode())
        return record, lambda: self._put(project, name, before)

    def load(self, value: bytes) -> None:
        """Take a record of the state topic. Raises `ValueError`, `KeyError` or `TypeError`."""
        fields = json.loads(value)
        self._put(fields["project"], fields["pair"], (fields["likeness"], fields["same"]))

    def curve(self, project: str) -> Calibration | None:
        """Return what a likeness means in `project`; None while too little was said."""
        if project not in self._curves:
            said = sorted(self._said.get(project, {}).items())[:ANSWERS_MAX]
            self._curves[project] = calibrate([answer for _, answer in said])
        return self._curves[project]

    def _put(self, project: str, name: str, answer: tuple[float, bool] | None) -> None:
        self._curves.pop(project, None)
        if answer is None:
            self._said.get(project, {}).pop(name, None)
        else:
            self._said.setdefault(project, {})[name] = answer
