"""The parts of the proof's worker that are no real stages: they must hide nothing."""

from __future__ import annotations

from uuid import UUID

from connectors.blobs import MemoryBlobs
from schemas.bugs import FixProposed, FixReleased, NotifyRequested, ReleaseRequested
from schemas.event import Event
from schemas.values import Done, Effect
from streams.clock import SystemClock
from streams.effects_worker import NoLedger, fix, lead_on
from streams.prove_effects import _fix_requested
from tests.processors.effects import FakeLedger


def proposed() -> FixProposed:
    ledger = FakeLedger()
    request = _fix_requested(3, "b" * 40)
    key = next(iter(_keys(request)))
    ledger.done[key] = Done({"line": "fixed\n"}, cost_usd_micros=7)
    (event,) = fix(MemoryBlobs(), ledger, "http://127.0.0.1:9/").handle(request)
    assert isinstance(event, FixProposed)
    return event


def _keys(request: Event) -> list[UUID]:
    from schemas.event import derived_id

    return [derived_id(request.event_id, "model.call")]


def test_without_a_ledger_an_effect_is_done_whenever_it_is_asked_for() -> None:
    done: list[int] = []

    def do() -> Done:
        done.append(1)
        return Done({"n": len(done)})

    effect = Effect(
        key=UUID(int=1),
        kind="git.push",
        project="p",
        bug_id=UUID(int=2),
        attempt=1,
        request_sha256="0" * 64,
    )
    outcomes = [
        NoLedger(SystemClock()).perform(effect, look=lambda: Done({"n": 0}), do=do)
        for _ in range(2)
    ]

    assert [outcome.result["n"] for outcome in outcomes] == [1, 2]
    assert not any(outcome.reused for outcome in outcomes)


def test_a_patch_is_what_the_ledger_says_the_model_answered() -> None:
    event = proposed()

    assert (event.proposer, event.files) == ("scripted", ("bugs.txt",))
    assert event.base_commit == "b" * 40


def test_each_bug_is_led_from_stage_to_stage_under_its_own_ids() -> None:
    proposal = proposed()
    (release,) = lead_on(proposal)
    assert isinstance(release, ReleaseRequested)
    released = FixReleased(
        event_id=UUID(int=5),
        project="prove",
        bug_id=proposal.bug_id,
        actor=proposal.actor,
        occurred_at=proposal.occurred_at,
        correlation_id=proposal.correlation_id,
        attempt=1,
        branch="bugstream/x/a1",
        commit="c" * 40,
        remote="r",
        trace_id=UUID(int=6),
    )
    (notify,) = lead_on(released)

    assert release.patch == proposal.patch
    assert isinstance(notify, NotifyRequested)
    assert notify.origin.item == str(proposal.bug_id)
    assert list(lead_on(notify)) == []
    assert list(lead_on(proposal)) == [release]
