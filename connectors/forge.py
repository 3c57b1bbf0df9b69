"""Put a patch on a branch of a bare git remote, with a note that says who wrote its lines.

The commit is built from objects alone, so no work tree and nothing strangers have run in takes
part. Its author, date and message are given: the same release is the same commit, for ever.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from connectors import agent_trace
from connectors.checkouts import FETCH, GitCheckouts, checked_path
from connectors.git_command import Git, GitError, checked_url, shown
from schemas.errors import PoisonError
from schemas.fixes import FileEdit, Proposal
from schemas.projects import Project
from schemas.values import Offer, Release

BRANCH_PREFIX = "bugstream/"
"""We never push anywhere else: not to the project's own branches, whatever an event says."""
AUTHOR = "bugstream"
AUTHOR_EMAIL = "bugstream@noreply.invalid"
"""Part of every commit's id: another author would make a second commit of the same patch."""
EDITS_MAX = 500
PUSH_TRIES_MAX = 8
"""Other writers of the notes may be faster each time; then somebody should look."""

_WORK_NOTES = "refs/notes/bugstream-work"
_PAUSE_S = 0.05
_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_REJECTED = re.compile(r"rejected|stale info|cannot lock ref|failed to update ref", re.IGNORECASE)


class GitForge:
    """A `Forge` on any git remote, by file, ssh or http. Shares the mirrors of the checkouts."""

    def __init__(self, checkouts: GitCheckouts) -> None:
        self._checkouts = checkouts

    def find(self, project: Project, branch: str) -> Release | None:
        """Return the release at the tip of `branch`; None when it holds none of ours.

        Raises `TransientError` when the remote cannot be reached.
        """
        ref = _branch_ref(project, branch)
        with self._checkouts.locked(project) as git:
            url = checked_url(project.git_url, project.id)
            tip = _remote_refs(git, project, url, ref).get(ref)
            if tip is None:
                return None
            _fetch(git, project, url, f"+{ref}:{ref}")
            trailer = "--format=%(trailers:key=Agent-Trace,valueonly)"
            found = git("log", "-1", trailer, tip).decode(errors="replace").strip()
        try:
            return Release(branch=branch, commit=tip, remote=url, trace_id=UUID(found))
        except ValueError:
            return None  # Somebody else's commit.

    def release(
        self,
        project: Project,
        *,
        branch: str,
        base_commit: str,
        proposal: Proposal,
        message: str,
        when: datetime,
        trace_id: UUID,
        offer: Offer | None = None,
    ) -> Release:
        """Commit and push, with the Agent Trace note. Doing it again changes nothing.

        A bare remote offers nothing to people: `offer` is not used. `message` ends with the
        trailers, `Agent-Trace: <trace_id>` among them. Raises `PoisonError` when the patch does
        not fit its base, when `branch` holds something else, or when the remote refuses;
        `TransientError` when it cannot be reached.
        """
        del offer
        ref = _branch_ref(project, branch)
        with self._checkouts.locked(project) as git:
            url = checked_url(project.git_url, project.id)
            self._checkouts.ensure(git, project, base_commit)
            identity = self._identity(when)
            edits = _edits(proposal)
            commit = _commit(git, base_commit, edits, message, identity)
            trace = agent_trace.record(
                trace_id=trace_id,
                when=when,
                revision=commit,
                contributor=_contributor(proposal),
                files=[_traced(git, base_commit, commit, edit) for edit in edits],
            )
            line = agent_trace.canonical_line(trace)
            for attempt in range(PUSH_TRIES_MAX):
                if _push(git, project, url, _Wanted(ref, commit, line, identity)):
                    return Release(branch=branch, commit=commit, remote=url, trace_id=trace_id)
                time.sleep(_PAUSE_S * 2**attempt)
        raise PoisonError(
            f"project {project.id}: the remote rejected the push {PUSH_TRIES_MAX} times;"
            f" see whether a hook or a protection rule covers {BRANCH_PREFIX}*"
        )

    def _identity(self, when: datetime) -> dict[str, str]:
        identity = {}
        for role in ("AUTHOR", "COMMITTER"):
            identity[f"GIT_{role}_NAME"] = AUTHOR
            identity[f"GIT_{role}_EMAIL"] = AUTHOR_EMAIL
            identity[f"GIT_{role}_DATE"] = f"@{int(when.timestamp())} +0000"
        return identity


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the remote should have after a push."""

    ref: str
    commit: str
    line: str
    identity: Mapping[str, str]


# --- the commit ---


def _edits(proposal: Proposal) -> list[FileEdit]:
    edits = {str(checked_path(edit.path)): edit for edit in proposal.edits}
    if len(edits) != len(proposal.edits):
        raise PoisonError("the patch edits one file twice")
    oracle = proposal.oracle
    if oracle is not None and oracle.release_files:
        for path, content in oracle.files.items():
            edits.setdefault(
                str(checked_path(path)), FileEdit(path=path, before=None, after=content)
            )
    if len(edits) > EDITS_MAX:
        raise PoisonError(f"the patch edits {len(edits)} files; the limit is {EDITS_MAX}")
    return [edits[path] for path in sorted(edits)]


def _commit(
    git: Git, base: str, edits: list[FileEdit], message: str, identity: Mapping[str, str]
) -> str:
    """Write the commit into the mirror's objects and return its id."""
    entries = b"".join(_index_entry(git, base, edit) for edit in edits)
    with _private_index() as index:
        git("read-tree", base, env=index)
        git("update-index", "-z", "--index-info", stdin=entries, env=index)
        tree = git.line("write-tree", env=index)
    if tree == git.line("rev-parse", f"{base}^{{tree}}"):
        raise PoisonError("the patch changes nothing")
    text = message.replace("\0", "").rstrip() + "\n"
    return git.line("commit-tree", tree, "-p", base, stdin=text.encode(), env=identity)


@contextmanager
def _private_index() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="bugstream-index-") as folder:
        yield {"GIT_INDEX_FILE": str(Path(folder) / "index")}


def _index_entry(git: Git, base: str, edit: FileEdit) -> bytes:
    path = str(checked_path(edit.path))
    for parent in checked_path(edit.path).parents:
        # A link in the place of a folder would take the file somewhere else.
        if str(parent) != "." and _entry(git, base, str(parent))[0] not in {"", "040000"}:
            raise PoisonError(f"{path!r}: {str(parent)!r} is not a folder at the base commit")
    mode, blob = _entry(git, base, path)
    if mode not in {"", "100644", "100755"}:
        raise PoisonError(f"{path!r} is not a file at the base commit")
    before = git("cat-file", "blob", blob) if mode else None
    if before != _bytes(edit.before) and not (edit.before is None and before == _bytes(edit.after)):
        raise PoisonError(f"{path!r} is not what the patch was made for")
    if edit.after is None:
        return b"0 " + b"0" * 40 + b"\t" + path.encode() + b"\0"
    new = git.line("hash-object", "-w", "--stdin", stdin=edit.after.encode())
    return f"{mode or '100644'} {new}\t{path}\0".encode()


def _entry(git: Git, commit: str, path: str) -> tuple[str, str]:
    """Return mode and object id of `path`, or two empty texts."""
    out = git(
        "ls-tree", "-z", "--full-tree", commit, "--", path, env={"GIT_LITERAL_PATHSPECS": "1"}
    )
    if not out:
        return "", ""
    mode, _, blob = out.partition(b"\t")[0].decode().split()
    return mode, blob


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


# --- who wrote it ---


def _contributor(proposal: Proposal) -> agent_trace.Contributor:
    return agent_trace.Contributor(
        proposer=proposal.proposer,
        model=proposal.model,
        template=proposal.template,
        conversation_url=proposal.conversation,
    )


def _traced(git: Git, base: str, commit: str, edit: FileEdit) -> agent_trace.TracedFile:
    """Return what the commit really changed in one file, from the two trees."""
    path = str(checked_path(edit.path))
    exact = ("--text", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "-U0")
    diff = git(
        *("diff-tree", "-p", *exact, base, commit, "--", path), env={"GIT_LITERAL_PATHSPECS": "1"}
    )
    content = (edit.after or "").encode()
    ranges, deleted = [], 0
    for old_lines, start, new_lines in _HUNK.findall(diff):
        count = int(new_lines or 1)
        if count:
            first = int(start)
            ranges.append(agent_trace.range_of(content, first, first + count - 1))
        else:
            deleted += int(old_lines or 1)
    return agent_trace.TracedFile(path, tuple(ranges), deleted)


# --- the remote ---


def _push(git: Git, project: Project, url: str, wanted: _Wanted) -> bool:
    """Bring branch and note to the remote, both or neither. False: somebody was faster."""
    there = _remote_refs(git, project, url, wanted.ref, agent_trace.NOTES_REF)
    updates = {}
    if wanted.ref not in there:
        updates[wanted.ref] = wanted.commit
    elif there[wanted.ref] != wanted.commit:
        _fetch(git, project, url, f"+{wanted.ref}:{wanted.ref}")
        if not _is_ancestor(git, wanted.commit, there[wanted.ref]):
            raise PoisonError(f"project {project.id}: {wanted.ref} already holds something else")
    notes = _noted(git, project, url, wanted, there.get(agent_trace.NOTES_REF))
    if notes != there.get(agent_trace.NOTES_REF):
        updates[agent_trace.NOTES_REF] = notes
    if not updates:
        return True
    leases = [f"--force-with-lease={ref}:{there.get(ref, '')}" for ref in updates]
    changes = [f"{new}:{ref}" for ref, new in updates.items()]
    try:
        git("push", "--quiet", "--atomic", "--no-verify", *leases, "--", url, *changes)
    except GitError as error:
        if "does not support --atomic" in error.stderr:
            return _push_one_by_one(git, project, url, leases, changes)
        return _not_pushed(error, project)
    return True


def _push_one_by_one(
    git: Git, project: Project, url: str, leases: list[str], changes: list[str]
) -> bool:
    # The note comes first: where the branch is, the note must be.
    for lease, change in reversed(list(zip(leases, changes, strict=True))):
        try:
            git("push", "--quiet", "--no-verify", lease, "--", url, change)
        except GitError as error:
            return _not_pushed(error, project)
    return True


def _not_pushed(error: GitError, project: Project) -> bool:
    """Return False when a new try can help, else raise."""
    if "hook declined" in error.stderr or "protected" in error.stderr:
        words = [line for line in error.stderr.splitlines() if line.startswith("remote:")]
        said = shown("\n".join(words) or error.stderr)
        raise PoisonError(
            f"project {project.id}: the remote refuses the branch ({said})"
        ) from error
    if _REJECTED.search(error.stderr):
        return False
    raise error.explained(f"pushing to project {project.id}") from error


def _noted(git: Git, project: Project, url: str, wanted: _Wanted, seen: str | None) -> str:
    """Return the notes commit with our record, made on top of what the remote has.

    `git notes` itself loses concurrent writes; here they are serialised by the mirror's lock and
    the lease of the push.
    """
    if seen is not None:
        _fetch(git, project, url, f"+{agent_trace.NOTES_REF}:{_WORK_NOTES}")
    else:
        git("update-ref", "-d", _WORK_NOTES)
    try:
        note = git("notes", f"--ref={_WORK_NOTES}", "show", wanted.commit).decode(errors="replace")
    except GitError:
        note = ""
    merged = agent_trace.merged(note, wanted.line)
    if merged == note and seen is not None:
        return seen
    add = ("notes", f"--ref={_WORK_NOTES}", "add", "--force", "--file=-", wanted.commit)
    git(*add, stdin=merged.encode(), env=wanted.identity)
    return git.line("rev-parse", _WORK_NOTES)


def _remote_refs(git: Git, project: Project, url: str, *refs: str) -> dict[str, str]:
    try:
        out = git("ls-remote", "--refs", "--", url, *refs).decode(errors="replace")
    except GitError as error:
        raise error.explained(f"asking the remote of project {project.id}") from error
    pairs = (line.split("\t", 1) for line in out.splitlines())
    # ls-remote matches the ends of names, so others may be among them.
    return {name: commit for commit, name in pairs if name in refs}


def _fetch(git: Git, project: Project, url: str, refspec: str) -> None:
    try:
        git(*FETCH, "--", url, refspec)
    except GitError as error:
        raise error.explained(f"fetching from project {project.id}") from error


def _is_ancestor(git: Git, commit: str, of: str) -> bool:
    try:
        git("merge-base", "--is-ancestor", commit, of)
    except GitError:
        return False
    return True


def _branch_ref(project: Project, branch: str) -> str:
    if not re.fullmatch(rf"{BRANCH_PREFIX}[a-z0-9][a-z0-9/-]{{0,99}}", branch):
        raise PoisonError(f"{branch[:80]!r} is not a branch that bugstream may write")
    if branch == project.branch:
        raise PoisonError(f"project {project.id}: {branch!r} is its own branch; set another one")
    return f"refs/heads/{branch}"
