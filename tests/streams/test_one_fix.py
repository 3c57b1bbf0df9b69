"""One bug in one process: through the real stages, the real sandbox and a real repository."""

from __future__ import annotations

import shlex
import shutil
import sys
import venv
from pathlib import Path

import pytest
from git import Actor, Repo

from connectors.checkouts import GitCheckouts
from schemas.errors import FatalError, UserError
from schemas.lifecycle import Status
from schemas.received import ReceivedReport
from schemas.values import SandboxUnavailableError
from streams import demo_shop
from streams.config import Settings
from streams.environment import git_env
from streams.one_fix import Target, fixed, run_until_idle, settings_for, target_of
from streams.story import Story
from tests.processors.trees import COMMAND

PYTHON = Path(sys.executable)
OUT_OF_REACH = """\
We ship to Britain from today, for 12.34, and the service still refuses it.

```python
from shop.shipping import shipping_cents

assert shipping_cents(1000, 2500, "GB") == 1234 + 2 * 375
```

It raises ValueError: we do not ship to GB.
"""


def shop(folder: Path) -> Path:
    clone = folder / "shop"
    Repo.clone_from(str(demo_shop.make_remote(folder)), clone).close()
    return clone


def target(
    repo: Path,
    *,
    branch: str | None = None,
    python: Path = PYTHON,
    test_command: str = shlex.join(COMMAND),
    pushes: bool = False,
) -> Target:
    return target_of(repo, branch=branch, python=python, test_command=test_command, pushes=pushes)


def issue(number: int) -> ReceivedReport:
    found = next(each for each in demo_shop.ISSUES if each.number == number)
    return report(found.title, found.body)


def report(title: str, description: str) -> ReceivedReport:
    return ReceivedReport(tool="cli", id=title[:20], title=title, description=description)


def story_of(aim: Target, given: ReceivedReport, folder: Path, **limits: int) -> Story:
    settings = settings_for(aim, Settings().model_copy(update=limits), folder / "data")
    with fixed(settings, given, lambda *_: None) as (story, _):
        return story


# --- what is to be fixed ---


def test_a_target_is_the_whole_repository_and_what_is_checked_out(tmp_path: Path) -> None:
    clone = shop(tmp_path)

    found = target(clone / "tests", test_command="-m pytest -q -k 'free or costs'")

    assert (found.repo, found.branch, found.pushes) == (clone, demo_shop.BRANCH, False)
    assert found.test_command == ("-m", "pytest", "-q", "-k", "free or costs")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"branch": "nope"}, "--branch nope"),
        ({"python": Path("/nowhere/python")}, "--python /nowhere/python"),
        ({"python": Path(__file__)}, "--python: "),
        ({"test_command": "nose"}, "--test-command 'nose'"),
        ({"test_command": ""}, "--test-command ''"),
        ({"test_command": "-m pytest 'open"}, "No closing quotation"),
    ],
)
def test_an_option_that_cannot_work_is_named(
    tmp_path: Path, changes: dict[str, str | Path], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        target(shop(tmp_path), **changes)  # type: ignore[arg-type]  # one of several types


def test_what_is_no_repository_or_has_no_commit_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a git repository"):
        target(tmp_path / "nowhere")
    with pytest.raises(UserError, match="not a git repository"):
        target(tmp_path)
    Repo.init(tmp_path / "new").close()
    with pytest.raises(UserError, match="no commit yet"):
        target(tmp_path / "new")


def test_a_repository_whose_commit_cannot_be_read_is_named(tmp_path: Path) -> None:
    clone = shop(tmp_path)
    for kept in (clone / ".git" / "objects").iterdir():
        shutil.rmtree(kept)

    with pytest.raises(UserError, match="cannot be read"):
        target(clone)


def test_a_detached_head_is_looked_at_and_only_a_push_needs_a_branch(tmp_path: Path) -> None:
    clone = shop(tmp_path)
    with Repo(clone) as repo:
        repo.git.checkout("--detach")
        somebody = Actor("Somebody", "somebody@example.org")
        repo.index.commit("on no branch", author=somebody, committer=somebody)
        head = repo.head.commit.hexsha
    (tmp_path / "data").mkdir()

    aim = target(clone)
    project = settings_for(aim, Settings(), tmp_path / "data").project[0]

    assert aim.commit == head
    checkouts = GitCheckouts(tmp_path / "mirrors", environment=git_env())
    assert checkouts.base_commit(project) == head
    assert target(clone, branch=demo_shop.BRANCH).branch == demo_shop.BRANCH
    with pytest.raises(UserError, match="--branch"):
        target(clone, pushes=True)


def test_only_the_target_is_a_project_and_only_pushes_release(tmp_path: Path) -> None:
    aim = target(shop(tmp_path))

    quiet = settings_for(aim, Settings(kafka="elsewhere:9092"), tmp_path / "data")

    assert [project.git_url for project in quiet.project] == [aim.repo.as_uri()]
    assert quiet.project[0].release_approvals == 1
    assert quiet.kafka is None


# --- the loop ---


class Countdown:
    """A stage that hands over to another one when it has nothing left."""

    def __init__(self, *, steps: int, then: Countdown | None = None) -> None:
        self.steps = steps
        self.then = then

    @property
    def idle(self) -> bool:
        return self.steps == 0

    def step(self, timeout_s: float = 0.0) -> int:
        del timeout_s
        if self.steps == 0:
            return 0
        self.steps -= 1
        if self.steps == 0 and self.then is not None:
            self.then.steps, self.then = 2, None
        return 1

    def run(self, stop: object) -> None:
        del stop

    def close(self) -> None:
        pass


def test_work_handed_back_to_an_earlier_stage_is_still_done() -> None:
    first = Countdown(steps=0)
    second = Countdown(steps=3, then=first)

    run_until_idle([first, second])

    assert first.idle
    assert second.idle


# --- the whole way ---


@pytest.mark.sandbox
@pytest.mark.timeout(400)
def test_a_failing_test_is_fixed_on_a_branch_of_the_repository(tmp_path: Path) -> None:
    clone = shop(tmp_path)
    (clone / "shop" / "shipping.py").write_text("not committed(", encoding="utf-8")

    story = story_of(target(clone, pushes=True), issue(8), tmp_path)

    assert story.status is Status.FIXED
    assert story.proposal is not None
    assert "+    if total_cents >= FREE_FROM_CENTS" in story.proposal.diff
    assert story.release is not None
    with Repo(clone) as repo:
        commit = repo.commit(story.release.branch)
        assert commit.hexsha == story.release.commit
        assert commit.parents == (repo.commit(demo_shop.BRANCH),)
        assert list(commit.stats.files) == ["shop/shipping.py"]
        assert story.human_id in commit.message
        assert repo.git.notes("--ref=agent-trace", "show", commit.hexsha)
        assert repo.active_branch.name == demo_shop.BRANCH
    assert (clone / "shop" / "shipping.py").read_text(encoding="utf-8") == "not committed("


@pytest.mark.sandbox
def test_words_alone_are_not_verified_and_nobody_is_said_to_be_answered(tmp_path: Path) -> None:
    story = story_of(target(shop(tmp_path)), issue(9), tmp_path)

    assert (story.outcome, story.verified, story.proposal) == ("not verified", False, None)
    assert story.reason.startswith("no reproduction")
    assert "notify.requested" not in {fact.event.type for fact in story.facts}
    assert not list((tmp_path / "data" / "work").iterdir())


@pytest.mark.sandbox
def test_what_no_template_reaches_is_an_honest_could_not(tmp_path: Path) -> None:
    given = report("Orders to Britain are refused", OUT_OF_REACH)

    story = story_of(target(shop(tmp_path)), given, tmp_path, template_candidates_max=60)

    assert (story.outcome, story.verified, story.proposal) == ("could not", False, None)
    assert "template" in story.reason


def broken(*_: object) -> str:
    raise ValueError("not as it was")


@pytest.mark.sandbox
def test_a_stage_that_fails_is_an_error_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitCheckouts, "base_commit", broken)

    with pytest.raises(FatalError, match=r"stage locate failed: .*not as it was"):
        story_of(target(shop(tmp_path)), issue(9), tmp_path)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("starts", "said"), [("pass", "it has no pytest"), ("os._exit(9)", "it does not run as")]
)
def test_an_interpreter_that_can_run_no_test_is_an_error(
    tmp_path: Path, starts: str, said: str
) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    (site / "sitecustomize.py").write_text(f"import os; {starts}\n")

    with pytest.raises(UserError, match=f"--python {python}: {said}"):
        story_of(target(shop(tmp_path), python=python), issue(9), tmp_path)


def test_without_a_sandbox_it_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise SandboxUnavailableError("no namespaces here")

    monkeypatch.setattr("connectors.sandbox.find_sandbox", refuse)

    with pytest.raises(UserError, match="no namespaces here"):
        story_of(target(shop(tmp_path)), issue(9), tmp_path)


def test_a_partial_copy_is_not_completed_by_a_program_of_its_choice(tmp_path: Path) -> None:
    clone, ran = shop(tmp_path), tmp_path / "ran"
    with Repo(clone) as repo:
        commit = repo.head.commit.hexsha
        origin = repo.remotes.origin.url
        for name, value in {
            "core.repositoryFormatVersion": "1",
            "extensions.partialClone": "origin",
            "remote.origin.promisor": "true",
            "remote.origin.url": f"file://{origin}",
            "remote.origin.uploadpack": f"touch {ran};git-upload-pack",
        }.items():
            repo.git.config(name, value)
    loose = clone / ".git" / "objects" / commit[:2] / commit[2:]
    shutil.rmtree(clone / ".git" / "objects" / "pack")
    loose.unlink(missing_ok=True)

    with pytest.raises(UserError, match="cannot be read"):
        target(clone)
    assert not ran.exists()
