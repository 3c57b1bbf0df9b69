"""What travels in blobs between fix, verify and release: a patch and the test that judges it."""

from __future__ import annotations

from pydantic import Field

from schemas.bugs import OracleKind
from schemas.event import Model


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
