"""`bugstream bench channels DIR`: real payloads, mails and traces through our doors and parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from processors.ports import Progress
from schemas.errors import UserError
from streams import (
    bench_chat,
    bench_github,
    bench_jira,
    bench_mail,
    bench_monitoring,
    bench_report_text,
    bench_traces,
)
from streams.figures import Cell, Figures, machine

NOT_RUN = "not run"
Row = tuple[str, int | str, int | str, int | str, int | str, str]
"""What, samples, right or understood, of no interest, crashes, how it is judged."""


def bench(folder: Path, *, progress: Progress) -> Figures:
    """Return the figures of the samples below `folder`. Raises `UserError` where there is none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; name one with samples of channels")
    rows: list[Row] = []
    parts: Sequence[tuple[str, Callable[[Path], Iterator[Row]]]] = (
        ("github", _github),
        ("jira", _jira),
        ("chat", _chat),
        ("monitoring", _monitoring),
        ("mail", _mail),
        ("traces", _traces),
        ("report texts", _texts),
    )
    for number, (name, measure) in enumerate(parts):
        progress(number, len(parts), name)
        rows += measure(folder)
    missing = [row[0] for row in rows if row[1] == NOT_RUN]
    crashes = sum(row[4] for row in rows if isinstance(row[4], int))
    return Figures(
        name="channels",
        claim="No sample of any channel crashes a door or a parser",
        measured_on=machine() | {"folder": folder.name},
        columns=("what", "samples", "right", "of no interest", "crashes", "judged by"),
        rows=[_cells(row) for row in rows],
        # What was not run was not shown.
        holds=crashes == 0 and not missing,
        notes=(
            "Right: understood as a report or comment with a title; or, where expected answers"
            " exist, equal to them. The rules were written with these samples in sight.",
            *([f"Not run, for want of samples: {', '.join(missing)}"] if missing else []),
        ),
    )


def _cells(row: Row) -> Sequence[Cell]:
    return row


def _absent(what: str) -> Row:
    return (what, NOT_RUN, NOT_RUN, NOT_RUN, NOT_RUN, "")


def _github(folder: Path) -> Iterator[Row]:
    found = bench_github.measure(folder / "github")
    if not found.payloads:
        yield _absent("github webhooks")
        return
    yield (
        *("github webhooks", found.payloads, found.understood, found.passed, found.crashes),
        "a report or comment with a title; the rest is of other events or pull requests",
    )


def _jira(folder: Path) -> Iterator[Row]:
    found = bench_jira.measure(folder / "jira" / "webhooks")
    if not found.payloads:
        yield _absent("jira webhooks")
        return
    yield (
        *("jira webhooks", found.payloads, found.understood, found.passed, found.crashes),
        "a report or comment with a title",
    )


def _chat(folder: Path) -> Iterator[Row]:
    for found in bench_chat.measure(folder):
        if not found.payloads:
            yield _absent(found.provider)
            continue
        right = found.reports + found.comments + found.wishes + found.answered
        yield (
            *(found.provider, found.payloads, right, found.passed, found.crashes),
            "kept or answered; the rest is not addressed to us",
        )


def _monitoring(folder: Path) -> Iterator[Row]:
    try:
        found = bench_monitoring.measure(folder)
    except UserError:
        yield _absent("monitoring")
        return
    for kind in found.kinds:
        idle = kind.passed_over + kind.no_door
        yield (kind.name, kind.samples, kind.understood, idle, 0, "a report with a title")
    yield (
        "monitoring, all doors",
        found.parsed,
        found.parsed - found.crashes,
        0,
        found.crashes,
        "",
    )


def _mail(folder: Path) -> Iterator[Row]:
    found = bench_mail.measure(folder / "email")
    for name, share, how in (
        ("mail: replies", found.replies, "equal to the expected answer"),
        ("mail: bounces", found.bounces, "flagged as automatic"),
        ("mail: people's", found.ordinary, "made-up mails, not flagged"),
    ):
        if share is None:
            yield _absent(name)
        else:
            yield (name, share.total, share.right, 0, 0, how)
    if found.mails_read:
        read = found.mails_read
        yield ("mail: read", read, read - len(found.crashes), 0, len(found.crashes), "")


def _traces(folder: Path) -> Iterator[Row]:
    samples = bench_traces.measure(folder / "traces")
    judged = [sample for sample in samples if sample.expected is not None]
    if not judged:
        yield _absent("traces")
        return
    found, located = (
        sum(sample.found for sample in judged),
        sum(sample.located for sample in judged),
    )
    yield ("traces: found", len(judged), found, 0, 0, "a trace where there is one")
    yield ("traces: innermost", len(judged), located, 0, 0, "the expected in-app frame")


def _texts(folder: Path) -> Iterator[Row]:
    found = bench_report_text.measure(folder)
    if not found.texts:
        yield _absent("report texts")
        return
    parts = ", ".join(
        f"{name} {count}"
        for name, count in (
            ("steps", found.steps),
            ("expected", found.expected),
            ("actual", found.actual),
            ("environment", found.environment),
            ("version", found.version),
            ("hiding something", found.hidden),
        )
    )
    yield (
        *("report texts", found.texts, found.texts - found.crashes, 0, found.crashes),
        f"read without a crash; with {parts}",
    )
