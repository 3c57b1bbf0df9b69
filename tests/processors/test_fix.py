"""The fix stage: what it hands to proposers, in which order, and what it says of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from processors.fix import make
from processors.ports import (
    BudgetExceededError,
    Declined,
    FixTask,
    ModelCall,
    PatchProposer,
    Proposed,
    SandboxUnavailableError,
)
from schemas.bugs import BudgetSpent, FixDeclined, FixProposed, FixRequested
from schemas.diffs import unified
from schemas.errors import TransientError
from schemas.event import Event
from schemas.fixes import FileEdit, Oracle, OracleKind, Proposal
from schemas.projects import Project
from tests.factories import EPOCH, LINK, envelope
from tests.processors.trees import CALC, COMMIT, SHOP, FolderCheckouts, ScriptedSandbox, report

EDIT = FileEdit(path="calc/mean.py", before=CALC["calc/mean.py"], after="mended\n")
PATCH = Proposal(proposer="template", edits=(EDIT,), diff=unified([EDIT]), candidates_tried=7)
CALL = ModelCall(UUID(int=9), "claude-sonnet-5-5", 1200, 300, 40)
MODEL_TEST = Oracle(kind=OracleKind.MODEL_TEST, node_ids=("t.py::t",), files={"t.py": "x = 1\n"})
RED = {"tests/test_mean.py::test_mean_of_none": "failed", "tests/test_mean.py::test_two": "passed"}
GREEN = {"tests/test_mean.py::test_two": "passed"}


@dataclass
class Scripted:
    """A proposer that gives its answers in turn, and keeps what it was asked."""

    name: str
    answers: list[Proposed | Declined | Exception]
    asked: list[FixTask] = field(default_factory=list)

    def propose(self, task: FixTask) -> Proposed | Declined:
        assert (task.tree / "calc/mean.py").is_file()
        assert not (task.tree / ".git").exists()
        (task.tree / "calc/mean.py").write_text("changed at will")
        self.asked.append(task)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def played(outcomes: Mapping[str, str]) -> ScriptedSandbox:
    """Play a suite; of its tests, those asked for."""
    return ScriptedSandbox(
        lambda _tree, names, _call: {n: o for n, o in outcomes.items() if not names or n in names}
    )


def answered(
    *proposers: PatchProposer,
    sandbox: ScriptedSandbox | None = None,
    project: Project | None = SHOP,
    feedback: str = "",
    blobs: MemoryBlobs | None = None,
) -> list[Event]:
    """Return the events of one attempt."""
    blobs = blobs or MemoryBlobs()
    text = report("test_mean_of_none fails").model_dump_json().encode()
    ref = blobs.put(text, media_type="application/json", subject="someone")
    event = FixRequested(
        **envelope("fix.requested"),
        attempt=1,
        report=LINK.model_copy(update={"report_blob": ref}),
        base_commit=COMMIT,
        budget_usd_micros=2_000_000,
        feedback=blobs.put(feedback.encode(), media_type="text/plain", subject="bug:x")
        if feedback
        else None,
    )
    sandbox = sandbox or played(RED)
    stage = make(FolderCheckouts(CALC), sandbox, blobs, proposers, lambda _id: project)
    events = list(stage.handle(event))
    assert len({e.event_id for e in events}) == len(events)
    assert {e.occurred_at for e in events} == {EPOCH}
    return events


def test_a_proposer_gets_the_red_oracle_and_its_patch_is_handed_on() -> None:
    blobs, proposer = MemoryBlobs(), Scripted("template", [Proposed(PATCH)])
    (event,) = answered(proposer, blobs=blobs)

    assert isinstance(event, FixProposed)
    assert (event.oracle, event.files) == (OracleKind.SUITE_TEST, ("calc/mean.py",))
    (task,) = proposer.asked
    assert task.oracle is not None
    assert task.oracle.node_ids == ("tests/test_mean.py::test_mean_of_none",)
    assert task.failing_output == "played"
    handed_on = Proposal.model_validate_json(blobs.get(event.patch))
    assert (handed_on.edits, handed_on.oracle) == ((EDIT,), task.oracle)
    assert event.patch.subject == f"bug:{event.bug_id}"


def test_the_next_proposer_is_asked_when_one_declines_and_every_call_is_counted() -> None:
    first = Scripted("template", [Declined("no candidate passed", candidates_tried=40)])
    second = Scripted("anthropic", [Proposed(PATCH, calls=(CALL, CALL))])
    events = answered(first, second)

    assert [type(event) for event in events] == [BudgetSpent, BudgetSpent, FixProposed]
    assert events[2].cost_usd_micros == 2400  # type: ignore[attr-defined]
    assert len(second.asked) == 1


def test_no_patch_with_a_reproduction_is_could_not_with_every_reason() -> None:
    blobs = MemoryBlobs()
    first = Scripted("template", [Declined("no candidate passed", 40, "tried: a, b")])
    second = Scripted("anthropic", [Declined("it gave up", calls=(CALL,))])
    *_, event = answered(first, second, blobs=blobs)

    assert isinstance(event, FixDeclined)
    assert event.outcome == "could_not"
    assert event.reason == "template: no candidate passed; anthropic: it gave up"
    assert (event.candidates_tried, event.cost_usd_micros) == (40, 1200)
    assert event.detail is not None
    assert b"tried: a, b" in blobs.get(event.detail)


def test_no_patch_and_no_oracle_is_no_reproduction() -> None:
    (event,) = answered(Scripted("template", [Declined("no oracle")]), sandbox=played(GREEN))

    assert isinstance(event, FixDeclined)
    assert event.outcome == "not_verified"
    assert event.reason.startswith("no reproduction: all of the suite's 1 tests pass")


def test_a_models_own_test_counts_only_where_there_is_no_other() -> None:
    with_test = Proposed(PATCH.model_copy(update={"oracle": MODEL_TEST}))
    (alone,) = answered(Scripted("anthropic", [with_test]), sandbox=played(GREEN))
    (beside,) = answered(Scripted("anthropic", [with_test]))

    assert isinstance(alone, FixProposed)
    assert isinstance(beside, FixProposed)
    assert (alone.oracle, beside.oracle) == (OracleKind.MODEL_TEST, OracleKind.SUITE_TEST)


def test_a_patch_that_was_rejected_before_is_not_handed_on_again() -> None:
    feedback = f"The patch was:\n{PATCH.diff}\n\nit broke a test"
    proposer = Scripted("template", [Proposed(PATCH)])
    (event,) = answered(proposer, feedback=feedback)

    assert isinstance(event, FixDeclined)
    assert "rejected before" in event.reason
    assert proposer.asked[0].feedback == feedback


def test_a_spent_budget_is_a_reason_and_a_fault_that_may_pass_is_passed_on() -> None:
    (event,) = answered(Scripted("anthropic", [BudgetExceededError("2.00 USD")]))
    with pytest.raises(TransientError):
        answered(Scripted("anthropic", [TransientError("overloaded")]))

    assert isinstance(event, FixDeclined)
    assert "the budget is spent" in event.reason


@pytest.mark.parametrize(
    ("project", "what"),
    [
        (None, "`git_url`"),
        (SHOP.model_copy(update={"git_url": None}), "`git_url`"),
        (SHOP.model_copy(update={"python": None}), "`python`"),
        (SHOP.model_copy(update={"test_command": ("-m", "unittest")}), "test_command"),
        (SHOP.model_copy(update={"proposer": "anthropic"}), "ANTHROPIC_API_KEY"),
    ],
)
def test_a_project_that_cannot_be_worked_on_says_what_to_set(
    project: Project | None, what: str
) -> None:
    (event,) = answered(Scripted("template", []), project=project)

    assert isinstance(event, FixDeclined)
    assert event.outcome == "could_not"
    assert what in event.reason


class Unavailable(ScriptedSandbox):
    """Cannot be set up here."""

    def check(self) -> str:
        raise SandboxUnavailableError("bwrap was not found: install it")


def test_without_a_sandbox_nobody_is_asked() -> None:
    proposer = Scripted("template", [])
    (event,) = answered(proposer, sandbox=Unavailable(lambda *_: {}))

    assert isinstance(event, FixDeclined)
    assert event.outcome == "could_not"
    assert "install it" in event.reason
    assert proposer.asked == []


def test_a_project_setting_picks_among_the_proposers() -> None:
    template, model = Scripted("template", []), Scripted("anthropic", [Proposed(PATCH)])

    answered(template, model, project=SHOP.model_copy(update={"proposer": "anthropic"}))

    assert (len(template.asked), len(model.asked)) == (0, 1)


def test_an_interpreter_without_pytest_is_a_setting_to_change() -> None:
    class NoPytest(ScriptedSandbox):
        def run(self, spec):  # type: ignore[no-untyped-def]
            result = super().run(spec)
            mark = result.stderr.split(b"{")[0]
            return replace(result, exit_code=1, stderr=mark + b'{"kind": "no_pytest"}')

    (event,) = answered(Scripted("template", []), sandbox=NoPytest(lambda *_: {}))

    assert isinstance(event, FixDeclined)
    assert (event.outcome, "has no pytest" in event.reason) == ("could_not", True)
