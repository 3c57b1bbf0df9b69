"""A verified patch becomes one branch, or a reason; a replay becomes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from processors import release
from schemas.bugs import FixReleased, ReleaseDeclined, ReleaseRequested
from schemas.errors import PoisonError, TransientError
from schemas.event import Actor, Event, derived_id
from schemas.fixes import FileEdit, Proposal
from schemas.projects import Project
from schemas.values import Release
from tests.processors.effects import DONE_AT, FakeForge, FakeLedger

BUG = UUID("11111111-2222-5333-8444-0000001e9e62")
SHOP = Project(id="shop", git_url="/srv/shop.git")
EDIT = FileEdit(path="shop/cart.py", before="a\n", after="b\n")
PROPOSAL = Proposal(
    proposer="template",
    template="off-by-one",
    edits=(EDIT,),
    diff="",
    explanation="Changed < to <=.\n\nBug-Id: forged\n@octocat closes #7",
)


class World:
    """A stage with its fakes."""

    def __init__(self, project: Project | None = SHOP, proposal: Proposal = PROPOSAL) -> None:
        self.blobs, self.ledger, self.forge = MemoryBlobs(), FakeLedger(), FakeForge()
        self.patch = self.blobs.put(
            proposal.model_dump_json().encode(), media_type="application/json", subject="s"
        )
        self.task = release.make(self.blobs, self.ledger, self.forge, lambda _: project)

    def requested(self, **changes: Any) -> ReleaseRequested:
        fields: dict[str, Any] = {
            "event_id": UUID(int=9),
            "project": "shop",
            "bug_id": BUG,
            "actor": Actor.stage("lifecycle"),
            "occurred_at": datetime(2026, 11, 22, tzinfo=UTC),
            "correlation_id": UUID(int=1),
            "attempt": 1,
            "name": "BUG-2026-1X7K2",
            "base_commit": "b" * 40,
            "patch": self.patch,
            "verification": UUID(int=5),
        }
        return ReleaseRequested(**{**fields, **changes})

    def answer(self, **changes: Any) -> Event:
        (event,) = self.task.handle(self.requested(**changes))
        return event


def test_a_verified_patch_is_released_on_the_branch_of_its_attempt() -> None:
    world = World()
    event = world.answer()

    assert isinstance(event, FixReleased)
    assert event.branch == "bugstream/bug-2026-1x7k2/a1"
    assert (event.commit, event.remote) == ("c" * 40, "/srv/shop.git")
    assert event.trace_id == derived_id(UUID(int=9), "agent-trace")
    assert event.causation_id == UUID(int=9)


def test_the_time_is_the_ledgers_and_a_replay_gives_the_same_event() -> None:
    world = World()
    first, again = world.answer(), world.answer()

    assert first == again
    assert first.occurred_at == DONE_AT
    assert len(world.forge.messages) == 1


def test_what_the_remote_has_already_is_not_pushed_again() -> None:
    world = World()
    world.answer()
    world.ledger.done.clear()  # As after a crash between push and settling.

    event = world.answer()

    assert isinstance(event, FixReleased)
    assert len(world.forge.messages) == 1


def test_a_branch_of_another_bug_with_the_same_short_name_is_not_taken_for_ours() -> None:
    world = World()
    branch = "bugstream/bug-2026-1x7k2/a1"
    world.forge.branches[branch] = Release(branch, "d" * 40, "r", UUID(int=77))
    world.forge.fails = PoisonError("refs/heads/x already holds something else")

    event = world.answer()

    assert isinstance(event, ReleaseDeclined)
    assert "something else" in event.reason


def test_a_refusal_is_an_outcome_that_stays() -> None:
    world = World()
    world.forge.fails = PoisonError("the remote refuses the branch")
    first = world.answer()
    world.forge.fails = None

    assert isinstance(first, ReleaseDeclined)
    assert world.answer() == first


def test_a_remote_out_of_reach_is_left_to_the_runner() -> None:
    world = World()
    world.forge.fails = TransientError("no route")

    with pytest.raises(TransientError):
        world.answer()
    assert world.ledger.done == {}


@pytest.mark.parametrize("project", [None, Project(id="shop")])
def test_a_project_without_a_repository_is_declined_with_the_field_to_set(
    project: Project | None,
) -> None:
    event = World(project).answer()

    assert isinstance(event, ReleaseDeclined)
    assert "git_url" in event.reason


def test_an_erased_patch_is_declined() -> None:
    world = World()
    world.blobs.erase("s")
    event = world.answer()

    assert isinstance(event, ReleaseDeclined)
    assert "erased" in event.reason


def test_a_patch_that_cannot_be_read_is_poison() -> None:
    world = World()
    world.patch = world.blobs.put(b"{}", media_type="application/json", subject="s")

    with pytest.raises(PoisonError, match="patch"):
        world.answer()


def test_another_patch_under_the_same_event_stops_the_process() -> None:
    """Same key, other request: somebody changed what can never change."""
    world = World()
    world.answer()

    from schemas.errors import FatalError

    with pytest.raises(FatalError):
        world.answer(base_commit="e" * 40)


def test_the_message_says_what_was_shown_and_who_wrote_it() -> None:
    world = World()
    world.answer()
    (message,) = world.forge.messages

    assert message.startswith("Fix BUG-2026-1X7K2 in shop/cart.py\n\n")
    assert "fails at the base commit and passes with this" in message
    assert "template 'off-by-one'" in message


def test_the_trailers_are_the_last_paragraph_and_nobody_can_add_one() -> None:
    world = World()
    event = world.answer()
    (message,) = world.forge.messages

    assert isinstance(event, FixReleased)
    assert message.rstrip().split("\n\n")[-1].splitlines() == [
        f"Bug-Id: {BUG}",
        f"Bug-Event-Id: {UUID(int=9)}",
        f"Agent-Trace: {event.trace_id}",
        "Assisted-by: bugstream:template",
    ]
    assert "\nBug-Id: forged" not in message
    assert "@octocat" not in message
    assert "#7" not in message


def test_a_models_patch_names_the_model() -> None:
    world = World(
        proposal=PROPOSAL.model_copy(
            update={"proposer": "anthropic", "template": None, "model": "claude-sonnet-5-5"}
        )
    )
    world.answer()
    (message,) = world.forge.messages

    assert "model 'claude-sonnet-5-5'" in message
    assert "Assisted-by: bugstream:claude-sonnet-5-5\n" in message


def test_a_subject_fits_whatever_the_path() -> None:
    long = PROPOSAL.model_copy(update={"edits": (EDIT.model_copy(update={"path": "a" * 300}),)})
    world = World(proposal=long)
    world.answer()

    assert len(world.forge.messages[0].splitlines()[0]) == 72


def test_where_the_patch_is_offered_is_part_of_the_event() -> None:
    world = World()
    world.forge.url = "https://github.example/acme/shop/pull/3"
    event = world.answer()

    assert isinstance(event, FixReleased)
    assert (event.url, event.note) == ("https://github.example/acme/shop/pull/3", None)
    (offer,) = world.forge.offers
    assert offer is not None
    assert offer.title == "Fix BUG-2026-1X7K2 in shop/cart.py"
