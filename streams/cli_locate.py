"""`bugstream locate`: where the fault of a report may be, for people at a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from processors.quoting import one_line
from schemas.errors import UserError
from streams.cli_context import settings
from streams.exit_codes import FAILED, OK
from streams.place_words import how_far, whose

if TYPE_CHECKING:
    from connectors.git_command import Git
    from processors.locating.failing import Spectrum
    from processors.locating.ranking import Ranked, Ranking
    from schemas.places import Impact, OwnedPlace
    from schemas.reports import BugReport
    from streams.run_here import Here

SHOWN_MAX = 10
"""Files and functions each, unless --top says otherwise."""
STORE = "symbols.sqlite"
NAME_CHARS_MAX = 40
SHOWN_CHARS_MAX = 300
"""Of one name, path or reason: they are as long as whoever wrote them liked."""


_Run = Annotated[
    bool,
    typer.Option(
        "--run",
        help="Run the tests that show the bug, and the report's code, in the sandbox. This"
        " executes code of the repository and of whoever wrote the report.",
    ),
]
_Python = Annotated[
    Path | None, typer.Option(help="For --run: interpreter with its packages and pytest.")
]
_TestCommand = Annotated[
    str, typer.Option(help="For --run: arguments to the interpreter that run the tests.")
]


class Found(NamedTuple):
    """What is told: the ranking, and of its first functions whose they are and who calls them."""

    ranking: Ranking
    owners: Sequence[OwnedPlace]
    impacts: Sequence[Impact]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("locate")(locate)


def locate(
    ctx: typer.Context,
    repo: Annotated[Path, typer.Option(help="The git repository with the bug; bare ones too.")],
    report: Annotated[str, typer.Option(help="File with the bug report; - reads it from stdin.")],
    commit: Annotated[
        str, typer.Option(help="Commit, branch or tag to look at; default: what is checked out.")
    ] = "HEAD",
    top: Annotated[
        int, typer.Option(min=1, max=30, help="How many files and functions are told.")
    ] = SHOWN_MAX,
    run: _Run = False,
    python: _Python = None,
    test_command: _TestCommand = "-m pytest -q",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say in which files and functions the fault may be, and why. Calls no model and no forge.

    Of the first functions it says whose they are (who committed lines need not have written them)
    and how far a change reaches: 0 nobody was found to be hit, 0.5 some twenty callers. What is
    looked up while a program runs is not seen: no caller found is not never called.

    The first line of the report is its title. What was read of the repository is kept in the data
    folder, so that the next answer is quick. Exit status: 0 places, 1 nothing fits, 2 an error.

    Examples: bugstream locate --repo . --report bug.md;
    git -C shop log -1 | bugstream locate --repo shop --report - --json
    """
    from streams.cli_report import as_bug, read_report

    with _commit(repo, commit) as (git, found):
        read = read_report(report)
        here = None
        if run:
            from streams.run_here import Here

            here = Here(repo, python or Path(sys.executable), test_command, settings(ctx))
        said, store = as_bug(read), settings(ctx).data_path / STORE
        told = _found(git, found, said, store, top, here)
    if as_json:
        typer.echo(json.dumps(_as_dict(found, told, top), indent=2))
    elif told.ranking.files:
        _show(told, found, top)
    else:
        typer.echo(
            f"Nothing in commit {found[:12]} fits the report. A stack trace, an error message, or"
            " the name of a file or function in it would help."
        )
    raise typer.Exit(OK if told.ranking.files else FAILED)


@contextmanager
def _commit(repo: Path, name: str) -> Iterator[tuple[Git, str]]:
    """Yield git on the repository, and the commit of that name. Raises `UserError`."""
    from connectors.bare_view import commit_in, repository_at, view
    from connectors.git_command import GitError
    from streams.environment import git_env

    git = repository_at(repo, git_env())
    if git is None:
        raise UserError(f"--repo {repo}: not a git repository")
    try:
        commit = commit_in(git, name)
    except GitError as error:
        if name == "HEAD":
            raise UserError(f"--repo {repo}: the repository has no commit yet") from error
        raise UserError(f"--commit {name}: there is none of that name in {repo}") from error
    with view(git, commit) as seen:
        yield seen, commit


def _found(
    git: Git, commit: str, report: BugReport, store: Path, top: int, here: Here | None
) -> Found:
    from connectors.place_owners import PLACES_MAX, owners_of
    from processors.locate import location
    from processors.locating.entries import PARSERS
    from processors.locating.impact import impact_of
    from processors.locating.line_history import remembered, spans_of
    from processors.locating.names import Node
    from processors.locating.ranking import rank
    from streams.line_history import touched
    from streams.symbol_index import code_at, graph_at, history_at, store_at

    kept = store_at(store)
    with Console(stderr=True).status("Reading the repository"):
        code = code_at(git, commit, kept)
        if not code.paths:
            endings = ", ".join(sorted(PARSERS))
            raise UserError(
                f"commit {commit[:12]} has no file that can be read here ({endings}), but for tests"
                " and what a partial copy lacks"
            )
        history = history_at(git, commit, kept)
        ranking = rank(report, code, history)
    if here is not None:
        spectrum = _ran(here, commit, report, ranking)
        ranking = rank(report, code, history, spectrum)
    with Console(stderr=True).status("Asking what is known of the places"):
        lines = touched(git, commit, spans_of(ranking))
        ranking = remembered(ranking, lines, with_titles=True)
        places = [location(each) for each in ranking.units[: min(top, PLACES_MAX)]]
        calls = graph_at(git, commit, kept, code)
        impacts = [impact_of(calls, Node(each.path, each.symbol)) for each in places]
        return Found(ranking, owners_of(git, commit, places), impacts)


def _ran(here: Here, commit: str, report: BugReport, ranking: Ranking) -> Spectrum | None:
    from processors.locate import locations_of
    from processors.locating.failing import NotRun

    with Console(stderr=True).status("Running the tests"):
        found = here.spectrum(commit, report, locations_of(ranking))
    if isinstance(found, NotRun):
        typer.echo(f"Failing tests tell nothing: {found.reason}.", err=True)
        return None
    return found


# --- printing ---


def _show(told: Found, commit: str, top: int) -> None:
    ranking = told.ranking
    console = Console()
    console.print(f"Looked at commit {commit[:12]}; what is not committed is not seen.")
    table = _table("File", "Why")
    for place in ranking.files[:top]:
        table.add_row(_name(place), _shown("; ", place.reasons))
    console.print(table)
    if ranking.units:
        table = _table("Function or class", "Why", "Whose, how far")
        for number, place in enumerate(ranking.units[:top]):
            about = _shown("\n", list(_about(told, number)))
            table.add_row(_name(place), _shown("; ", place.reasons), about)
        console.print(table)


def _table(*columns: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", ratio=1)
    return table


def _about(told: Found, number: int) -> Iterator[str]:
    if number < len(told.owners):
        owned = told.owners[number]
        yield whose(owned.owner)
        if owned.people:
            yield f"mostly committed by {one_line(owned.people[0].name, chars_max=NAME_CHARS_MAX)}"
        if owned.reviewer:
            yield f"reviewed by {one_line(owned.reviewer.name, chars_max=NAME_CHARS_MAX)}"
        yield how_far(told.impacts[number])


def _name(ranked: Ranked) -> str:
    if ranked.place is None:
        return _shown("", [ranked.path])
    line = ranked.traced_line or ranked.place.line_start
    return _shown("\n", [ranked.place.symbol or "outside functions", f"{ranked.path}:{line}"])


def _shown(between: str, parts: Sequence[str]) -> str:
    """Return the parts as text for a table, with nothing in it that a terminal would obey."""
    return escape(between.join(one_line(part, chars_max=SHOWN_CHARS_MAX) for part in parts))


def _as_dict(commit: str, told: Found, top: int) -> dict[str, Any]:
    ranking = told.ranking
    return {
        "commit": commit,
        "files": [
            {"path": each.path, "score": round(each.score, 4), "reasons": list(each.reasons)}
            for each in ranking.files[:top]
        ],
        "functions": [
            {
                "path": each.path,
                "symbol": each.place.symbol,
                "kind": each.place.kind,
                "line_start": each.place.line_start,
                "line_end": each.place.line_end,
                "traced_line": each.traced_line,
                "score": round(each.score, 4),
                "reasons": list(each.reasons),
                **_about_as_dict(told, number),
            }
            for number, each in enumerate(ranking.units[:top])
            if each.place is not None
        ],
    }


def _about_as_dict(told: Found, number: int) -> dict[str, Any]:
    if number >= len(told.owners):
        return {"owner": None, "impact": None}
    owned = told.owners[number].model_dump(mode="json")
    people = {"people": owned["people"], "reviewer": owned["reviewer"]}
    impact = told.impacts[number].model_dump(mode="json")
    return {"owner": owned["owner"] | people, "impact": impact}
