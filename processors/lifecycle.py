"""The lifecycle stage: holds the bugs of its partitions and lets `decide` move them on.

It is the only stage that decides what happens next. Stages report, people command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import ValidationError

from processors.base import Decision, StateChange, StatefulProcessor
from processors.bug_answer import STAGE
from processors.bug_decisions import decide
from processors.bug_state import BugState, evolve
from schemas import commands, topics
from schemas.errors import FatalError
from schemas.event import BugScoped, Event
from schemas.identity import ApartRequested, BugAbsorbed, MergeRequested
from schemas.projects import Project
from schemas.registry import BY_TYPE
from schemas.tell import Tell

NAME = STAGE


def make(projects: Sequence[Project], tell: Tell | None = None) -> StatefulProcessor:
    """Return the stage, bound to the projects of the settings and to who is told what."""
    known = {project.id: project for project in projects}
    return StatefulProcessor(
        NAME,
        topics.SOURCES[NAME],
        state=topics.BUGS_STATE,
        open=lambda partition: LifecycleState(partition, known.get, tell or Tell()),
        stops_on_unknown=True,
    )


class LifecycleState:
    """The bugs of one partition; what a transaction decided lies over what was committed."""

    def __init__(
        self, partition: int, project_of: Callable[[str], Project | None], tell: Tell
    ) -> None:
        self._partition = partition
        self._tell = tell
        self._project_of = project_of
        self._bugs: dict[str, BugState] = {}
        self._overlay: dict[str, BugState] = {}

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the state topic. Raises `FatalError` for one it cannot read."""
        if value is None:
            self._bugs.pop(key, None)
            return
        try:
            self._bugs[key] = BugState.model_validate_json(value)
        except ValidationError as error:
            raise FatalError(
                f"state record {key!r} of partition {self._partition} is not readable"
            ) from error

    def decide(self, event: Event) -> Decision:
        """Return what follows from `event`, and the bug's new state."""
        if not isinstance(event, BugScoped) or _is_own(event):
            return Decision()
        key = str(event.bug_id)
        before = self._overlay.get(key) or self._bugs.get(key)
        state = evolve(before, event)
        project = self._project_of(state.project if state else event.project)
        emitted = tuple(decide(state, event, project, self._tell))
        for follow in emitted:
            if follow.bug_id == event.bug_id:
                state = evolve(state, follow)
        if state is None:
            # Of its topics Kafka gives either first: the bug may be opened and not yet read.
            return Decision(emitted, is_early=isinstance(event, commands.COMMANDS))
        if state == before:
            return Decision(emitted)
        self._overlay[key] = state
        return Decision(emitted, (StateChange(key, state.model_dump_json().encode()),))

    def commit(self) -> None:
        """Keep what was decided."""
        self._bugs.update(self._overlay)
        self._overlay.clear()

    def rollback(self) -> None:
        """Forget what was decided since the last commit."""
        self._overlay.clear()


def _is_own(event: Event) -> bool:
    # Its own facts were folded in when they were decided. What one bug says to another is decided
    # at another partition, so it counts where it is read.
    return BY_TYPE[event.type].writer == NAME and not isinstance(
        event, (BugAbsorbed, MergeRequested, ApartRequested)
    )
