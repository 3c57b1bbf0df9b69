"""Whose places are, on real repositories: in words that name nobody, and the people apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from connectors.agent_trace import NOTES_REF
from connectors.checkouts import GitCheckouts
from connectors.git_command import Git
from connectors.place_owners import (
    ALL_S_MAX,
    COMMITS_SHOWN_MAX,
    PLACES_MAX,
    SHOWN_MAX,
    GitOwnership,
    NoOwnership,
    owners_of,
)
from schemas.places import Location, OwnedPlace, Person
from tests.connectors.repositories import ENVIRONMENT, git, make_remote, project

FILES = {"cart.py": "def total(items):\n    return sum(items)\n\n\ndef pay():\n    return 1\n"}
ANN = Person(name="Ann", mail="ann@example.org")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    make_remote(tmp_path, FILES)
    return tmp_path / "work"


def place(start: int | None = None, end: int | None = None, path: str = "cart.py") -> Location:
    return Location(path=path, line_start=start, line_end=end, score=1, reasons=())


def change(work: Path, old: str, new: str, message: str) -> str:
    text = (work / "cart.py").read_text(encoding="utf-8")
    (work / "cart.py").write_text(text.replace(old, new), encoding="utf-8")
    author = "--author=Ann <ann@example.org>"
    git(work, "commit", "--quiet", "--all", author, "-m", message)
    return git(work, "rev-parse", "HEAD")


def note(work: Path, commit: str, line: int, who: str = "ai") -> None:
    talk = {
        "url": "https://talks.example/1",
        "contributor": {"type": who, "model_id": "acme/m1"},
        "ranges": [{"start_line": line, "end_line": line}],
    }
    record = {"vcs": {"type": "git", "revision": commit}}
    text = json.dumps(record | {"files": [{"path": "cart.py", "conversations": [talk]}]})
    git(work, "notes", f"--ref={NOTES_REF}", "add", "-f", "-m", text, commit)


def asked(
    work: Path, *places: Location, clock: Callable[[], float] = lambda: 0.0
) -> tuple[OwnedPlace, ...]:
    return owners_of(Git(work / ".git", ENVIRONMENT), "HEAD", places, clock)


def test_a_place_of_which_a_program_wrote_a_part_is_mixed_and_leads_to_the_talk(work: Path) -> None:
    written = change(work, "sum(items)", "sum(items or ())", "Guard")
    note(work, written, 2)

    whole, line, other = asked(work, place(1, 2), place(2, 2), place(5, 6))

    assert (whole.owner.hand, whole.owner.evidence) == ("mixed", "trace")
    assert (line.owner.hand, line.owner.models) == ("ai", ("acme/m1",))
    assert line.owner.conversations == ("https://talks.example/1",)
    assert (line.owner.commits, line.people) == ((written,), (ANN,))
    assert (other.owner.hand, other.owner.evidence) == ("unknown", "none")


def test_lines_of_a_person_beside_unknown_ones_are_not_human(work: Path) -> None:
    note(work, change(work, "sum(items)", "sum(items or ())", "Guard"), 2, "human")

    whole, line = asked(work, place(1, 2), place(2, 2))

    assert (whole.owner.hand, line.owner.hand) == ("unknown", "human")


def test_the_last_reviewer_is_told_apart_from_his_address(work: Path) -> None:
    change(work, "sum(items)", "sum(items or ())", "Guard\n\nReviewed-by: Bo <bo@example.org>")
    change(work, "def total(items):", "def total(items=()):", "More\n\nAcked-by: Cy")

    first, both = asked(work, place(2, 2), place(1, 1))

    assert first.reviewer == Person(name="Bo", mail="bo@example.org")
    assert both.reviewer == Person(name="Cy")


def test_a_trailer_that_names_a_person_stays_out_of_what_goes_into_events(work: Path) -> None:
    change(work, "sum(items)", "sum(items or ())", "Guard\n\nCo-authored-by: Claude 4 of Dee <d@x>")

    [found] = asked(work, place(2, 2))

    assert (found.owner.hand, found.owner.evidence) == ("mixed", "trailer")
    assert "Dee" not in found.owner.model_dump_json()
    assert "Ann" not in found.owner.model_dump_json()


def test_a_place_without_lines_is_its_file(work: Path) -> None:
    change(work, "sum(items)", "sum(items or ())", "Guard")

    [found] = asked(work, place())

    assert len(found.owner.commits) == 2
    assert found.people == (ANN,)


def test_what_is_told_of_one_place_is_bounded(work: Path) -> None:
    for number in range(COMMITS_SHOWN_MAX + 2):
        lines = "".join(f"value_{n} = {n}\n" for n in range(number + 1))
        (work / "many.py").write_text(lines, encoding="utf-8")
        git(work, "add", "many.py")
        author = f"--author=A{number} <a{number}@example.org>"
        git(work, "commit", "--quiet", author, "-m", f"Set {number}")

    [found] = asked(work, place(path="many.py"))
    many = asked(work, *[place(1, 1)] * (PLACES_MAX + 3))

    assert (len(found.owner.commits), len(found.people)) == (COMMITS_SHOWN_MAX, SHOWN_MAX)
    assert len(many) == PLACES_MAX


def test_what_git_cannot_tell_is_unknown_with_the_reason(work: Path) -> None:
    gone, beyond = asked(work, place(1, 1, "gone.py"), place(900, 901))

    for found in (gone, beyond):
        assert (found.owner.hand, found.owner.evidence) == ("unknown", "unavailable")
        assert found.owner.reason
        assert found.people == ()


def test_where_the_history_is_cut_off_nobody_is_named(work: Path, tmp_path: Path) -> None:
    written = change(work, "sum(items)", "sum(items or ())", "Guard\n\nCo-authored-by: Claude")
    git(tmp_path, "clone", "--quiet", "--depth=1", work.as_uri(), "cut")

    [found] = asked(tmp_path / "cut", place(1, 2))

    assert (found.owner.hand, found.owner.evidence) == ("unknown", "shallow")
    assert "cut off" in found.owner.reason
    assert (found.owner.commits, found.people) == ((written,), ())


def test_when_time_is_up_the_rest_is_unknown(work: Path) -> None:
    ticks = count(0, ALL_S_MAX / 1.5)

    found = asked(work, place(1, 1), place(1, 1), clock=lambda: float(next(ticks)))

    assert [one.owner.evidence for one in found] == ["none", "unavailable"]
    assert f"over {ALL_S_MAX:.0f} s" in found[1].owner.reason


def test_notes_of_the_remote_are_fetched_into_the_mirror(tmp_path: Path) -> None:
    bare, commit = make_remote(tmp_path, FILES)
    ownership = GitOwnership(GitCheckouts(tmp_path / "mirrors", environment=ENVIRONMENT))
    before = ownership.of(project(bare), commit, [place(1, 1)])
    note(tmp_path / "work", commit, 1)
    git(tmp_path / "work", "push", "--quiet", str(bare), NOTES_REF)
    after = ownership.of(project(bare), commit, [place(1, 1)])

    assert [one.owner.hand for one in (*before, *after)] == ["unknown", "ai"]


def test_without_the_repository_every_place_is_unknown(tmp_path: Path) -> None:
    bare, _ = make_remote(tmp_path, FILES)
    ownership = GitOwnership(GitCheckouts(tmp_path / "mirrors", environment=ENVIRONMENT))

    for one in (ownership, NoOwnership()):
        [found] = one.of(project(bare), "b" * 40, [place(1, 1)])

        assert (found.owner.hand, found.owner.evidence) == ("unknown", "unavailable")
        assert found.owner.reason


def test_a_partial_copy_says_what_it_lacks_and_fetches_nothing(work: Path, tmp_path: Path) -> None:
    change(work, "sum(items)", "sum(items or ())", "Guard")
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", work.as_uri(), "part")

    [found] = asked(tmp_path / "part", place(1, 2))

    assert (found.owner.hand, found.owner.evidence) == ("unknown", "unavailable")
    assert "lacks" in found.owner.reason
