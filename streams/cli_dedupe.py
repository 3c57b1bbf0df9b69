"""`bugstream dedupe`: which of many reports is the same as one, for people at a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from schemas.errors import UserError
from streams.cli_context import settings
from streams.exit_codes import FAILED, OK

if TYPE_CHECKING:
    from processors.similarity.features import Spaces
    from processors.similarity.verdict import Verdict
    from schemas.reports import BugReport

SHOWN_MAX = 5
TITLE_CHARS_MAX = 200
AGAINST_REPORTS_MAX = 100_000


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("dedupe")(dedupe)


def dedupe(
    ctx: typer.Context,
    against: Annotated[
        Path,
        typer.Option(help="File with known reports, a JSON object a line: id, title, body."),
    ],
    report: Annotated[str, typer.Option(help="File with the bug report; - reads it from stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether a report is the same as a known one, and which five are likest, and why.

    The first line of the report is its title. Nothing is stored. Exit status: 0 something is like
    it, 1 nothing is, 2 an error.

    Example: bugstream dedupe --against tracker.jsonl --report bug.md
    """
    from streams.bench_dedupe import read
    from streams.cli_report import as_bug, read_report
    from streams.wiring import spaces_of

    if not against.is_file():
        raise UserError(f"--against {against}: there is no such file")
    known = [line.report for line in read(against)]
    if len(known) > AGAINST_REPORTS_MAX:
        raise UserError(f"--against {against}: give at most {AGAINST_REPORTS_MAX} reports")
    fresh = as_bug(read_report(report))
    with Console(stderr=True).status("Reading the known reports"):
        found = _verdicts(known, fresh, spaces_of(settings(ctx)))[:SHOWN_MAX]
    if as_json:
        typer.echo(json.dumps(_as_dict(known, found), indent=2, ensure_ascii=False))
    else:
        _show(known, found)
    raise typer.Exit(OK if found else FAILED)


def _verdicts(known: Sequence[BugReport], fresh: BugReport, spaces: Spaces) -> list[Verdict]:
    """Return what is worth a look, the likest first. Every known report is a bug of its own."""
    from connectors.vector_index import VectorIndexes
    from processors.similarity.features import features_of
    from processors.similarity.matcher import Matcher

    matcher = Matcher("typed", spaces.model_id, VectorIndexes(None, spaces.model_id))
    for key, one in enumerate(known):
        matcher.add(key, features_of(one, spaces), bug=key)
    return [one for one in matcher.verdicts(features_of(fresh, spaces)) if one.is_worth_asking]


def _show(known: Sequence[BugReport], found: Sequence[Verdict]) -> None:
    from processors.similarity.verdict import why

    console = Console()
    if not found:
        console.print("Nothing that is known is like it: it would open a bug of its own.")
        return
    if found[0].merges:
        console.print("It is known already, and would be linked to the first of these:\n")
    else:
        console.print("It would open a bug of its own, and a person would be shown these:\n")
    for place, verdict in enumerate(found, 1):
        one = known[verdict.key]
        title = escape(one.title[:TITLE_CHARS_MAX])
        console.print(f"{place}. [bold]{title}[/bold] ({escape(one.origin.item)})")
        console.print(f"   {escape(why(verdict))}", highlight=False)


def _as_dict(known: Sequence[BugReport], found: Sequence[Verdict]) -> dict[str, Any]:
    from processors.similarity.verdict import why

    merges = bool(found) and found[0].merges
    return {
        "verdict": "merge" if merges else "suggest" if found else "new",
        "model": found[0].model_id if found else None,
        "likest": [
            {
                "id": known[one.key].origin.item,
                "title": known[one.key].title,
                "merges": one.merges,
                "rule": one.rule,
                "similarity": one.similarity,
                "probability": None,
                "scores": dict(one.scores),
                "evidence": list(one.evidence),
                "vetoes": list(one.vetoes),
                "why": why(one),
            }
            for one in found
        ],
    }
