"""Branches and notes on a real bare repository: exact, repeatable, and nowhere else."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.checkouts import GitCheckouts
from connectors.forge import GitForge
from processors.ports import Forge
from schemas.errors import PoisonError, TransientError
from schemas.fixes import FileEdit, Oracle, OracleKind, Proposal
from schemas.projects import Project
from schemas.values import Release
from tests.connectors.agent_trace_schema import problems
from tests.connectors.git_servers import PASSWORD, askpass, fake_ssh, over_http
from tests.connectors.repositories import ENVIRONMENT, commit_files, git, make_remote, project

BEFORE = "def total(prices):\n    result = 0\n    for price in prices:\n        result = price\n"
AFTER = BEFORE.replace("result = price", "result += price")
FILES: dict[str, str | bytes | Path] = {
    "shop/cart.py": BEFORE,
    "README": "shop\n",
    "link": Path("shop"),
    "run.sh": "#!/bin/sh\n",
}
WHEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TRACE = UUID("6f1c2b9e-1111-5222-8333-444455556666")
BRANCH = "bugstream/bug-2026-7f3k2/a1"
MESSAGE = f"Fix BUG-2026-7F3K2\n\nIt adds up now.\n\nBug-Id: 1\nAgent-Trace: {TRACE}\n"
NOTES = "refs/notes/agent-trace"


class Place:
    """A remote with a work tree beside it, and a forge that knows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare, self.base = make_remote(folder, FILES)
        self.project: Project = project(self.bare)
        self.forge: Forge = GitForge(GitCheckouts(folder / "mirrors", environment=ENVIRONMENT))

    def release(self, *edits: FileEdit, **changes: Any) -> Release:
        proposal = changes.pop("proposal", None) or proposed(*edits)
        given = {"branch": BRANCH, "base_commit": self.base, "message": MESSAGE, "when": WHEN}
        return self.forge.release(
            self.project, proposal=proposal, **{**given, "trace_id": TRACE, **changes}
        )

    def refs(self) -> dict[str, str]:
        listed = git(self.bare, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split() for line in listed.splitlines())

    def note(self, commit: str) -> dict[str, Any]:
        (line,) = git(self.bare, "notes", f"--ref={NOTES}", "show", commit).splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def edit(
    path: str = "shop/cart.py", before: str | None = BEFORE, after: str | None = AFTER
) -> FileEdit:
    return FileEdit(path=path, before=before, after=after)


def proposed(*edits: FileEdit, **changes: Any) -> Proposal:
    return Proposal(**{"proposer": "template", "edits": edits or (edit(),), "diff": "", **changes})


def test_a_release_is_one_commit_on_its_base_with_the_patch_and_nothing_else(place: Place) -> None:
    release = place.release()

    assert place.refs()[f"refs/heads/{BRANCH}"] == release.commit
    assert git(place.bare, "rev-parse", f"{release.commit}^") == place.base
    assert git(place.bare, "diff", "--name-only", place.base, release.commit) == "shop/cart.py"
    assert git(place.bare, "show", f"{release.commit}:shop/cart.py") + "\n" == AFTER
    assert release == Release(BRANCH, release.commit, str(place.bare), TRACE)


def test_the_commit_has_a_fixed_author_and_date_and_its_trailers(place: Place) -> None:
    commit = place.release().commit

    shown = git(place.bare, "log", "-1", "--format=%an <%ae>|%cn|%aI|%cI", commit)
    trailers = git(place.bare, "log", "-1", "--format=%(trailers)", commit)
    assert shown == (
        "bugstream <bugstream@noreply.invalid>|bugstream|"
        "2026-11-22T12:00:00+00:00|2026-11-22T12:00:00+00:00"
    )
    assert trailers.splitlines() == ["Bug-Id: 1", f"Agent-Trace: {TRACE}"]


def test_releasing_again_changes_nothing_even_from_another_machine(
    place: Place, tmp_path: Path
) -> None:
    first = place.release()
    refs = place.refs()
    elsewhere = GitForge(GitCheckouts(tmp_path / "other", environment=ENVIRONMENT))

    again = [place.release()]
    place.forge = elsewhere
    again.append(place.release())

    assert again == [first, first]
    assert place.refs() == refs


def test_the_note_is_a_valid_record_of_the_lines_as_they_are_at_the_commit(place: Place) -> None:
    commit = place.release().commit
    note = place.note(commit)

    assert problems(note) == []
    assert note["vcs"] == {"type": "git", "revision": commit}
    assert note["id"] == str(TRACE)
    (file,) = note["files"]
    (found,) = file["conversations"][0]["ranges"]
    assert (file["path"], found["start_line"], found["end_line"]) == ("shop/cart.py", 4, 4)
    line = git(place.bare, "blame", "-L4,4", "--porcelain", commit, "--", "shop/cart.py")
    assert line.startswith(f"{commit} 4 4 1")


def test_ranges_cover_every_changed_line_and_no_other(place: Place) -> None:
    after = "# new\n" + AFTER.replace("    result = 0\n", "    result = 0\n    # a\n    # b\n")
    commit = place.release(
        edit(after=after), edit("README", "shop\n", None), edit("new.py", None, "x = 1\n")
    ).commit
    note = place.note(commit)

    ranges = {
        file["path"]: [
            (each["start_line"], each["end_line"]) for each in file["conversations"][0]["ranges"]
        ]
        for file in note["files"]
    }
    assert ranges == {"shop/cart.py": [(1, 1), (4, 5), (7, 7)], "new.py": [(1, 1)]}
    assert note["metadata"]["dev.bugstream"]["deleted_lines"] == {"README": 1}


def test_files_keep_their_mode(place: Place) -> None:
    (place.folder / "work/run.sh").chmod(0o755)
    place.base = commit_files(place.folder / "work", {})
    git(place.folder / "work", "push", "--quiet", "origin", "main")

    commit = place.release(edit("run.sh", "#!/bin/sh\n", "#!/bin/sh\ntrue\n")).commit

    assert git(place.bare, "ls-tree", commit, "run.sh").startswith("100755")


def test_the_test_of_the_oracle_is_released_only_when_it_says_so(place: Place) -> None:
    oracle = Oracle(
        kind=OracleKind.MODEL_TEST,
        node_ids=("tests/test_bug.py::test_it",),
        files={"tests/test_bug.py": "def test_it(): ...\n"},
    )
    without = place.release(proposal=proposed(oracle=oracle)).commit
    released = oracle.model_copy(update={"release_files": True})
    other = "bugstream/bug-2026-00000/a1"
    with_it = place.release(proposal=proposed(oracle=released), branch=other).commit

    assert "test_bug.py" not in git(place.bare, "ls-tree", "-r", "--name-only", without)
    assert "tests/test_bug.py" in git(place.bare, "ls-tree", "-r", "--name-only", with_it)
    assert {file["path"] for file in place.note(with_it)["files"]} == {
        "shop/cart.py",
        "tests/test_bug.py",
    }


def test_the_base_may_have_moved_on(place: Place) -> None:
    commit_files(place.folder / "work", {"other.py": "x\n"})
    git(place.folder / "work", "push", "--quiet", "origin", "main")

    commit = place.release().commit

    assert git(place.bare, "rev-parse", f"{commit}^") == place.base


# --- what it refuses ---


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (edit("../outside.py", None, "x"), "not a path inside"),
        (edit("/etc/cron.d/x", None, "x"), "not a path inside"),
        (edit(".git/hooks/post-checkout", None, "x"), "not a path inside"),
        (edit("link/cart.py", None, "x"), "not a folder"),
        (edit("README/x", None, "x"), "not a folder"),
        (edit("link", "shop", "/etc/passwd"), "not a file"),
        (edit("shop", None, "x"), "not a file"),
        (edit(before="something else\n"), "not what the patch was made for"),
        (edit(before=None), "not what the patch was made for"),
        (edit("missing.py", "x\n", "y\n"), "not what the patch was made for"),
        (edit(after=BEFORE), "changes nothing"),
    ],
)
def test_a_patch_that_does_not_fit_its_base_is_refused_and_nothing_pushed(
    place: Place, bad: FileEdit, why: str
) -> None:
    refs = place.refs()

    with pytest.raises(PoisonError, match=why):
        place.release(bad)
    assert place.refs() == refs


def test_a_file_edited_twice_is_refused(place: Place) -> None:
    with pytest.raises(PoisonError, match="twice"):
        place.release(edit(), edit(after="x\n"))


@pytest.mark.parametrize(
    "branch", ["main", "bugstream/../main", "bugstream/-x", "bugstream/A", "bugstream/x y", "-f"]
)
def test_it_writes_below_its_own_prefix_only(place: Place, branch: str) -> None:
    with pytest.raises(PoisonError, match="branch"):
        place.release(branch=branch)


def test_the_projects_own_branch_is_never_written(place: Place) -> None:
    place.project = project(place.bare, branch="bugstream/main")

    with pytest.raises(PoisonError, match="its own branch"):
        place.release(branch="bugstream/main")


def test_a_branch_of_somebody_else_is_left_alone(place: Place) -> None:
    theirs = commit_files(place.folder / "work", {"theirs.py": "x\n"})
    git(place.folder / "work", "push", "--quiet", "origin", f"{theirs}:refs/heads/{BRANCH}")

    assert place.forge.find(place.project, BRANCH) is None
    with pytest.raises(PoisonError, match="holds something else"):
        place.release()
    assert place.refs()[f"refs/heads/{BRANCH}"] == theirs
    assert NOTES not in place.refs()


def test_commits_people_put_on_top_of_ours_are_left_alone(place: Place) -> None:
    ours = place.release()
    work = place.folder / "work"
    git(work, "fetch", "--quiet", "origin", BRANCH)
    git(work, "checkout", "--quiet", "FETCH_HEAD")
    theirs = commit_files(work, {"theirs.py": "x\n"})
    git(work, "push", "--quiet", "origin", f"{theirs}:refs/heads/{BRANCH}")

    assert place.release() == ours
    assert place.refs()[f"refs/heads/{BRANCH}"] == theirs


def test_a_base_commit_that_is_gone_is_poison(place: Place) -> None:
    with pytest.raises(PoisonError, match="no longer on branch"):
        place.release(base_commit="f" * 40)


def test_a_hook_that_says_no_is_believed_and_quoted(place: Place) -> None:
    hook = place.bare / "hooks/update"
    hook.write_text("#!/bin/sh\necho only people may push here >&2\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(PoisonError, match="only people may push here"):
        place.release()


def test_a_remote_that_does_not_answer_is_tried_again(place: Place) -> None:
    place.release()
    git(place.bare, "config", "core.repositoryformatversion", "99")

    with pytest.raises(TransientError):
        place.release()


# --- finding ---


def test_what_was_released_is_found_as_the_remote_shows_it(place: Place, tmp_path: Path) -> None:
    elsewhere = GitForge(GitCheckouts(tmp_path / "other", environment=ENVIRONMENT))
    assert elsewhere.find(place.project, BRANCH) is None

    release = place.release()

    assert elsewhere.find(place.project, BRANCH) == release


def test_only_the_final_trailers_count(place: Place) -> None:
    quoted = f"Fix\n\nThe report says:\n\nAgent-Trace: {TRACE}\n\nand more.\n\nBug-Id: 1\n"
    place.release(message=quoted)

    assert place.forge.find(place.project, BRANCH) is None


# --- over the wire ---


def test_http_works_with_the_password_of_askpass_which_stands_nowhere_else(
    place: Place, tmp_path: Path
) -> None:
    with over_http(place.bare) as url:
        place.project = project(url)
        place.forge = GitForge(GitCheckouts(tmp_path / "over-http", environment=askpass(tmp_path)))
        release = place.release()

        assert place.forge.find(place.project, BRANCH) == release
        assert place.release() == release
    assert release.remote == url
    assert place.note(release.commit)["id"] == str(TRACE)
    kept = [path for path in (tmp_path / "over-http").rglob("*") if path.is_file()]
    assert all(PASSWORD.encode() not in path.read_bytes() for path in kept)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_http_without_the_right_password_says_what_to_give(
    place: Place, tmp_path: Path, password: str | None
) -> None:
    environment = askpass(tmp_path, password) if password else ENVIRONMENT
    forge = GitForge(GitCheckouts(tmp_path / "over-http", environment=environment))

    with over_http(place.bare) as url, pytest.raises(PoisonError, match="GIT_ASKPASS"):
        forge.find(project(url), BRANCH)


def test_ssh_works_and_never_asks_a_person(place: Place, tmp_path: Path) -> None:
    place.project = project(f"ssh://git@example.org{place.bare}")
    place.forge = GitForge(GitCheckouts(tmp_path / "over-ssh", environment=fake_ssh(tmp_path)))

    release = place.release()

    calls = (tmp_path / "ssh-calls").read_text().splitlines()
    assert place.refs()[f"refs/heads/{BRANCH}"] == release.commit
    assert all("-oBatchMode=yes" in call and "git@example.org" in call for call in calls)


# --- notes and other writers ---


def test_notes_of_other_tools_on_other_commits_are_kept(place: Place) -> None:
    work = place.folder / "work"
    git(work, "notes", f"--ref={NOTES}", "add", "-m", '{"id":"other"}', place.base)
    git(work, "push", "--quiet", "origin", NOTES)

    commit = place.release().commit

    assert git(place.bare, "notes", f"--ref={NOTES}", "show", place.base) == '{"id":"other"}'
    assert place.note(commit)["id"] == str(TRACE)


def test_releases_from_several_machines_at_once_lose_no_note(place: Place, tmp_path: Path) -> None:
    def release(number: int) -> str:
        forge = GitForge(GitCheckouts(tmp_path / f"machine{number}", environment=ENVIRONMENT))
        return forge.release(
            place.project,
            branch=f"bugstream/bug-2026-0000{number}/a1",
            base_commit=place.base,
            proposal=proposed(edit(after=AFTER + f"# {number}\n")),
            message=MESSAGE,
            when=WHEN,
            trace_id=UUID(int=number),
        ).commit

    with ThreadPoolExecutor(5) as pool:
        commits = list(pool.map(release, range(5)))

    assert [place.note(commit)["id"] for commit in commits] == [
        str(UUID(int=number)) for number in range(5)
    ]


def test_branch_and_note_arrive_in_one_push_or_not_at_all(place: Place) -> None:
    """A branch without its note could never be told from one that was finished."""
    hook = place.bare / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/notes/*) exit 1;; esac\n')
    hook.chmod(0o755)

    with pytest.raises(PoisonError):
        place.release()
    assert set(place.refs()) == {"refs/heads/main"}


def test_a_remote_without_atomic_pushes_gets_the_note_first(place: Place) -> None:
    git(place.bare, "config", "receive.advertiseAtomic", "false")

    commit = place.release().commit

    assert place.note(commit)["id"] == str(TRACE)
    assert place.refs()[f"refs/heads/{BRANCH}"] == commit


def test_a_release_that_lost_its_note_gets_it_back(place: Place) -> None:
    commit = place.release().commit
    subprocess.run(["git", "-C", str(place.bare), "update-ref", "-d", NOTES], check=True)

    place.release()

    assert place.note(commit)["id"] == str(TRACE)
