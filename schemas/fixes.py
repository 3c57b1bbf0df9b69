"""A patch, the test that judges it and what the checks found: said by fix, verify and release."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from schemas.event import BlobRef, Model


class OracleKind(StrEnum):
    """What shows the bug, red before and green after; the order is the order of trust."""

    SUITE_TEST = "suite_test"
    SNIPPET = "snippet"
    TRACEBACK_TEST = "traceback_test"
    MODEL_TEST = "model_test"


class Oracle(Model):
    """A check that is red at the base commit and must be green with the patch.

    Suite tests are named by `node_ids`. The other kinds bring their own test in `files`
    (path in the work tree -> content), which are added before the check runs and never released
    unless `release_files` says so.
    """

    kind: OracleKind
    node_ids: tuple[str, ...]
    """pytest node ids, relative to the root of the work tree."""
    files: dict[str, str] = Field(default_factory=dict)
    release_files: bool = False
    description: str = ""
    """One plain sentence for people: what it runs and what it saw at the base commit."""


class FileEdit(Model):
    """One file before and after. `None` means that it does not exist."""

    path: str
    before: str | None
    after: str | None


class Proposal(Model):
    """A patch as a proposer hands it over: data, judged by verify and by nothing else."""

    proposer: str
    model: str | None = None
    conversation: str | None = None
    edits: tuple[FileEdit, ...]
    diff: str
    """The same as a unified diff, for people."""
    oracle: Oracle | None = None
    explanation: str = ""
    template: str | None = None
    candidates_tried: int = 0


class Verdict(StrEnum):
    """Not run is never passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


class CheckResult(Model):
    """One line of the verification table, with the evidence as a blob."""

    name: str
    verdict: Verdict
    summary: str
    command: str
    output: BlobRef | None = None
    runs: int = 1
    wall_s: float = 0.0
