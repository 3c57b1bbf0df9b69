"""Verdicts on patches: real runs on a small repository, and endings that are hard to bring on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.blobs import MemoryBlobs
from connectors.sandbox import ProvenSandbox, find_sandbox
from processors.ports import Sandbox, SandboxResult, SandboxUnavailableError
from processors.verify import CHECKS, GREEN_AFTER, RED_BEFORE, SPARES_TESTS, SUITE, make
from schemas.bugs import FixRejected, FixVerified, VerifyRequested
from schemas.diffs import unified
from schemas.fixes import FileEdit, Oracle, OracleKind, Proposal, Verdict
from schemas.projects import Project
from tests.factories import EPOCH, envelope
from tests.processors.trees import (
    CALC,
    COMMAND,
    COMMIT,
    MEND,
    TIMED_OUT,
    FolderCheckouts,
    ScriptedSandbox,
)

PROJECT = Project(
    id="shop", git_url="file:///srv/shop.git", python=Path(sys.executable), test_command=COMMAND
)
TEST = "from calc.mean import mean\n\ndef test_bug():\n    assert mean([]) == 0.0\n"
ORACLE = Oracle(
    kind=OracleKind.SNIPPET, node_ids=("test_bug.py::test_bug",), files={"test_bug.py": TEST}
)
MEAN = CALC["calc/mean.py"]
MENDING = FileEdit(path="calc/mean.py", before=MEAN, after=MEAN.replace(*MEND))


def judged(
    sandbox: Sandbox,
    *edits: FileEdit,
    oracle: Oracle | None = ORACLE,
    project: Project | None = PROJECT,
    blobs: MemoryBlobs | None = None,
    files: Mapping[str, str] = CALC,
) -> FixVerified | FixRejected:
    """Return the verdict on a patch for `files`."""
    blobs = blobs or MemoryBlobs()
    proposal = Proposal(proposer="test", edits=edits, diff=unified(edits), oracle=oracle)
    patch = blobs.put(
        proposal.model_dump_json().encode(), media_type="application/json", subject="bug:x"
    )
    event = VerifyRequested(
        **envelope("verify.requested"), attempt=1, base_commit=COMMIT, patch=patch
    )
    stage = make(FolderCheckouts(files), sandbox, blobs, lambda _id: project)
    (verdict,) = stage.handle(event)
    assert isinstance(verdict, FixVerified | FixRejected)
    assert [check.name for check in verdict.checks] == list(CHECKS)
    assert verdict.occurred_at == EPOCH
    return verdict


def verdicts(event: FixVerified | FixRejected) -> dict[str, str]:
    return {check.name: check.verdict.value for check in event.checks}


@pytest.fixture(scope="module")
def real() -> ProvenSandbox:
    return find_sandbox()


@pytest.mark.sandbox
def test_a_patch_that_mends_the_bug_and_breaks_nothing_is_verified(real: ProvenSandbox) -> None:
    blobs = MemoryBlobs()
    event = judged(real, MENDING, blobs=blobs)

    assert isinstance(event, FixVerified), event
    assert set(verdicts(event).values()) == {"passed"}
    green = event.checks[CHECKS.index(GREEN_AFTER)]
    assert (green.runs, green.command[-21:]) == (3, "test_bug.py::test_bug")
    assert green.output is not None
    assert b"1 passed" in blobs.get(green.output)


@pytest.mark.sandbox
def test_a_patch_that_breaks_another_test_is_rejected_with_its_name(real: ProvenSandbox) -> None:
    blobs = MemoryBlobs()
    worse = MEAN.replace(*MEND).replace("number * 2", "number ** 3")
    event = judged(real, FileEdit(path="calc/mean.py", before=MEAN, after=worse), blobs=blobs)

    assert isinstance(event, FixRejected)
    assert (event.verdict, verdicts(event)[SUITE]) == ("failed", "failed")
    assert "test_double" in event.reason
    assert event.feedback is not None
    feedback = blobs.get(event.feedback).decode()
    assert "number ** 3" in feedback
    assert "assert 8 == 4" in feedback


@pytest.mark.sandbox
def test_a_patch_that_breaks_what_only_a_docstring_shows_is_rejected(real: ProvenSandbox) -> None:
    shown = '    """Return twice the number.\n\n    >>> double("ab")\n    \'abab\'\n    """\n'
    before = MEAN.replace("def double(number):\n", f"def double(number):\n{shown}")
    mended = before.replace(*MEND)
    worse = mended.replace("number * 2", "int(number) * 2")
    files = CALC | {"calc/mean.py": before}

    good = judged(real, FileEdit(path="calc/mean.py", before=before, after=mended), files=files)
    bad = judged(real, FileEdit(path="calc/mean.py", before=before, after=worse), files=files)

    assert isinstance(good, FixVerified), good
    assert "still hold" in good.checks[-1].summary
    assert isinstance(bad, FixRejected)
    assert "calc.mean.double" in bad.reason


SHARES = """\
def shares(total, people):
    if people > 1:
        left = total % people
        return [total // people] * (people - 1) + [total // people + left]
    return [total]
"""
SHARED = (
    "from calc.shares import shares\n\n\ndef test_three():\n    assert sum(shares(7, 3)) == 7\n"
)


@pytest.mark.sandbox
def test_a_patch_that_takes_code_out_of_use_is_rejected_with_file_and_lines(
    real: ProvenSandbox,
) -> None:
    files = CALC | {"calc/shares.py": SHARES, "tests/test_shares.py": SHARED}
    bug = "from calc.shares import shares\n\ndef test_bug():\n    assert shares(5, '1') == [5]\n"
    oracle = ORACLE.model_copy(update={"files": {"test_bug.py": bug}})

    def patched(condition: str) -> FixVerified | FixRejected:
        after = SHARES.replace("people > 1", condition)
        edit = FileEdit(path="calc/shares.py", before=SHARES, after=after)
        return judged(real, edit, oracle=oracle, files=files)

    bad, good = patched("people is None"), patched("int(people) > 1")

    assert isinstance(bad, FixRejected)
    assert (bad.verdict, verdicts(bad)[SUITE]) == ("failed", "failed")
    assert "takes code out of use: calc/shares.py, lines 3-4 (`shares`)" in bad.reason
    assert isinstance(good, FixVerified), good
    assert good.checks[-1].summary.endswith(
        "what they ran of calc/shares.py is still run;"
        " coverage of the change: tests run 1 of 1 statement"
    )


@pytest.mark.sandbox
@pytest.mark.parametrize("text", [MEAN, MEAN.replace(*MEND)])
def test_a_project_whose_tests_rewrite_the_patched_file_is_not_judged(
    real: ProvenSandbox, text: str
) -> None:
    # Whether they write the fault back or something that passes: it is not the patch that ran.
    conftest = f"from pathlib import Path\nPath('calc/mean.py').write_text({text + '#'!r})\n"
    event = judged(real, MENDING, files=CALC | {"conftest.py": conftest})

    assert isinstance(event, FixRejected)
    assert event.verdict == "not_run"
    if text == MEAN:
        assert "the project's own tests rewrite calc/mean.py" in event.reason
    else:
        assert "does not fail at the base commit" in event.reason


BEFORE, AFTER = {"test_bug.py::test_bug": "failed"}, {"test_bug.py::test_bug": "passed"}
SUITE_RUN = {"tests/test_mean.py::test_double": "passed"}


def scripted(**changes: object) -> ScriptedSandbox:
    """Play a good patch, but for the runs named: red, green1, green2, green3, before, after.

    What is run after these is watched; it says nothing of what it saw.
    """
    runs = {"red": BEFORE, "green1": AFTER, "green2": AFTER, "green3": AFTER}
    runs |= {"before": SUITE_RUN, "after": SUITE_RUN}
    order = list({**runs, **changes}.values())
    order += [SUITE_RUN] * 3
    return ScriptedSandbox(lambda _tree, _names, call: order[call - 1])  # type: ignore[arg-type,return-value]


def test_the_script_without_changes_is_verified_and_says_what_was_not_measured() -> None:
    event = judged(scripted(), MENDING)

    assert isinstance(event, FixVerified)
    assert "not measured whether code fell out of use" in event.checks[-1].summary


@pytest.mark.parametrize(
    ("run", "outcome", "check", "verdict"),
    [
        ("red", AFTER, RED_BEFORE, "not_run"),
        ("red", {}, RED_BEFORE, "not_run"),
        ("red", TIMED_OUT, RED_BEFORE, "not_run"),
        ("green1", BEFORE, GREEN_AFTER, "failed"),
        ("green3", BEFORE, GREEN_AFTER, "failed"),
        ("green2", {}, GREEN_AFTER, "failed"),
        ("green1", TIMED_OUT, GREEN_AFTER, "failed"),
        ("before", TIMED_OUT, SUITE, "not_run"),
        ("after", TIMED_OUT, SUITE, "failed"),
    ],
)
def test_whatever_does_not_pass_is_never_verified(
    run: str, outcome: object, check: str, verdict: str
) -> None:
    event = judged(scripted(**{run: outcome}), MENDING)

    assert isinstance(event, FixRejected)
    assert (event.verdict, verdicts(event)[check]) == (verdict, verdict)
    later = CHECKS[CHECKS.index(check) + 1 :]
    assert {verdicts(event)[name] for name in later} <= {"not_run"}


def test_without_an_oracle_it_is_not_run_whatever_the_patch_looks_like() -> None:
    event = judged(scripted(), MENDING, oracle=None)

    assert isinstance(event, FixRejected)
    assert (event.verdict, event.reason) == ("not_run", "no reproduction")


def test_an_oracle_that_would_replace_a_file_is_not_used() -> None:
    oracle = ORACLE.model_copy(update={"files": {"tests/test_mean.py": TEST}})
    event = judged(scripted(), MENDING, oracle=oracle)

    assert isinstance(event, FixRejected)
    assert event.verdict == "not_run"
    assert "exists already" in event.reason


def test_a_patch_for_another_text_fails_before_anything_runs() -> None:
    sandbox = scripted()
    event = judged(sandbox, FileEdit(path="calc/mean.py", before="other", after="x"))

    assert isinstance(event, FixRejected)
    assert (event.verdict, sandbox.calls) == ("failed", 0)


def test_a_patch_that_weakens_a_test_fails_before_anything_runs() -> None:
    sandbox = scripted()
    text = CALC["tests/test_mean.py"]
    weaker = FileEdit(path="tests/test_mean.py", before=text, after=text.replace("== 2", ">= 0"))
    event = judged(sandbox, MENDING, weaker)

    assert isinstance(event, FixRejected)
    assert verdicts(event)[SPARES_TESTS] == "failed"
    assert sandbox.calls == 0


class Unavailable(ScriptedSandbox):
    """Cannot be set up here."""

    def check(self) -> str:
        raise SandboxUnavailableError("bwrap was not found")


def test_without_a_sandbox_nothing_is_run() -> None:
    sandbox = Unavailable(lambda *_: SandboxResult(0, "exited", b"", b"", 0.0, 0.0))
    event = judged(sandbox, MENDING)

    assert isinstance(event, FixRejected)
    assert event.verdict == "not_run"
    assert "bwrap was not found" in event.reason
    assert sandbox.calls == 0


@pytest.mark.parametrize("project", [None, PROJECT.model_copy(update={"python": None})])
def test_a_project_that_cannot_be_run_says_what_to_set(project: Project | None) -> None:
    event = judged(scripted(), MENDING, project=project)

    assert isinstance(event, FixRejected)
    assert event.verdict == "not_run"
    assert "set `" in event.reason


def test_the_same_request_gives_the_same_event() -> None:
    one, two = judged(scripted(), MENDING), judged(scripted(), MENDING)

    assert one.event_id == two.event_id
    assert {check.verdict for check in one.checks} == {Verdict.PASSED}
