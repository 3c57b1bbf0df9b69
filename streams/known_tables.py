"""How answers look at a terminal. What strangers wrote is shown as text and never as markup."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from projections.timeline import counted, usd
from schemas.lifecycle import CLOSED, Status
from schemas.reports import Severity
from streams.answers import (
    AuditAnswer,
    BudgetAnswer,
    BugAnswer,
    BugsAnswer,
    BugState,
    EffectAnswer,
    MomentAnswer,
    ProjectionsAnswer,
    StoryAnswer,
)

REPORTS_SHOWN_MAX = 10
ID_CHARS = len("BUG-2026-XXXXX")
"""Never cut: commands want to be given it."""

TITLE_CHARS_MIN = 24
"""Of it at least this much is shown, as long as other columns can be left out."""
GAP_CHARS = 2
_GIVES_WAY = ("Reports", "Project", "Severity", "Updated")

_STATUS_STYLE = {
    Status.FIXED: "green",
    Status.WAITING_FOR_APPROVAL: "yellow",
    Status.COULD_NOT: "red",
    Status.NOT_VERIFIED: "red",
}
_SEVERITY_STYLE = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}


def plain(text: object) -> Text:
    """Return `text` as it may be printed: one line, and nothing a terminal would obey."""
    return Text("".join(c if c.isprintable() else " " for c in str(text)).strip())


def bugs(page: BugsAnswer, console: Console, *, is_filtered: bool, now: datetime) -> None:
    """Print a page of bugs."""
    if not page.bugs:
        console.print(
            "No bug fits. Without filters, `bugstream bugs` lists all."
            if is_filtered
            else "No bugs yet. Report one with `bugstream report FILE`, or point a webhook at the"
            " gateway of `bugstream up`.",
            markup=False,
        )
        return
    console.print(_bugs([_cells(bug, now) for bug in page.bugs], console.width))
    if page.next_cursor:
        # Unwrapped: it is there to be copied.
        more = f"More: bugstream bugs --cursor {page.next_cursor}"
        console.print(more, highlight=False, soft_wrap=True)


def _cells(bug: BugAnswer, now: datetime) -> dict[str, Text]:
    return {
        "Bug": Text(bug.human_id),
        "Status": _status(bug.status),
        "Severity": Text(bug.severity, style=_SEVERITY_STYLE.get(bug.severity, "")),
        "Project": plain(bug.project),
        "Reports": Text(str(bug.report_count)),
        "Updated": Text(ago(now, bug.updated_at)),
        "Title": plain(bug.title),
    }


def _bugs(rows: list[dict[str, Text]], width: int) -> Table:
    """Return the table without the columns that would leave no room for the titles."""
    longest = {
        name: max(len(name), *(row[name].cell_len for row in rows)) + GAP_CHARS
        for name in rows[0]
        if name != "Title"
    }
    for name in _GIVES_WAY:
        if sum(longest.values()) + TITLE_CHARS_MIN > width:
            del longest[name]
    # Only with `expand` does the title alone give way when the window is narrower still.
    table = Table(box=None, pad_edge=False, expand=True)
    for name in (*longest, "Title"):
        table.add_column(
            name,
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if name == "Title" else None,
            min_width=ID_CHARS if name == "Bug" else None,
        )
    for row in rows:
        table.add_row(*(row[name] for name in (*longest, "Title")))
    return table


def bug(story: StoryAnswer, console: Console) -> None:
    """Print everything about a bug."""
    about = story.bug
    if about.merged_from:
        console.print(
            f"Bug {about.merged_from} is part of {about.human_id} now; --itself shows it alone."
        )
    console.print(Panel(_facts(about), title=plain(about.title), title_align="left"))
    reports = Table("Report", "By a", "Severity", box=None, pad_edge=False)
    for report in about.reports[:REPORTS_SHOWN_MAX]:
        reports.add_row(plain(report.url or report.origin), report.trust, report.severity)
    console.print(reports)
    hidden = about.report_count - min(len(about.reports), REPORTS_SHOWN_MAX)
    if hidden > 0:
        console.print(f"and {hidden} more", style="dim")
    console.print()
    console.print(_timeline(story.timeline.timeline))
    if story.timeline.next_after is not None:
        console.print("The timeline goes on; the query API gives the rest.", style="dim")
    if story.effects.effects:
        console.print()
        console.print(_effects(story.effects.effects))
    console.print()
    console.print(_money(story.budget), highlight=False)


def audit(found: AuditAnswer, console: Console) -> None:
    """Print what the log says about a bug, and whether the live views agree."""
    when = f" as of {_time(found.at)}" if found.at else ""
    if found.state is None:
        console.print(f"There was no bug {found.bug_id}{when}.", highlight=False)
    else:
        name = f"{found.state.human_id}{when}, from {len(found.timeline)} events"
        console.print(Panel(_facts(found.state), title=name, title_align="left"))
        console.print(_timeline(found.timeline))
    console.print()
    if found.equals_live:
        console.print("The live views say the same as the log.", style="green")
    elif found.not_compared:
        console.print("Not compared with the live views:", plain(found.not_compared))
    else:
        console.print("THE LIVE VIEWS DIFFER from the log:", style="bold red")
        table = Table("View", "Event", "Field", "Live", "From the log", box=None, pad_edge=False)
        for each in found.differences:
            where = "" if each.position is None else str(each.position)
            table.add_row(each.view, where, each.field, plain(each.live), plain(each.replayed))
        console.print(table)
        console.print("`bugstream projections rebuild` makes them anew.", markup=False)


def projections(found: ProjectionsAnswer, console: Console) -> None:
    """Print how the views stand."""
    if not found.projections:
        console.print(
            "No views yet. `bugstream up` or `bugstream projections rebuild` builds them."
        )
        return
    table = Table("View", "Rows", "Records folded", "Generation", "Version", "Made by", box=None)
    for each in found.projections:
        table.add_row(
            each.name,
            f"{each.rows:,}",
            f"{sum(each.next_offsets.values()):,}",
            str(each.generation),
            each.version,
            "this program" if each.is_current else Text("another one: rebuild", style="yellow"),
        )
    console.print(table)


def ago(now: datetime, then: datetime) -> str:
    """Return how long ago `then` was, in the largest unit that is at least one."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def _facts(about: BugState) -> Table:
    by = about.proposer and about.proposer + (f" with {about.model}" if about.model else "")
    reports = counted(about.report_count, "report")
    facts: dict[str, Any] = {
        "Bug": f"{about.human_id}  ({about.bug_id})",
        "Status": _status(about.status),
        "Why": about.reason,
        "Merged into": about.merged_into,
        "Took in": ", ".join(str(one) for one in about.absorbed),
        "Split from": about.split_from,
        "Regression of": about.regression_of,
        "Project": about.project,
        "Severity": f"{about.severity}, {reports}, by a {about.trust}",
        "Reported by": f"{counted(about.reporters, 'account')} in {', '.join(about.channels)}",
        "Attempt": about.attempt,
        "Patch by": by,
        "Verified": about.verdict,
        "Branch": about.branch,
        "Commit": about.commit,
        "Dead letters": about.failures,
        "Opened": _time(about.opened_at),
        "Updated": _time(about.updated_at),
    }
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value:
            table.add_row(
                Text(name, style="dim"), value if isinstance(value, Text) else plain(value)
            )
    return table


def _timeline(moments: tuple[MomentAnswer, ...]) -> Table:
    table = Table("When", "Who", "What happened", box=None, pad_edge=False)
    for moment in moments:
        who = moment.actor.removeprefix("stage:")
        table.add_row(_time(moment.recorded_at), plain(who), plain(moment.sentence))
    return table


def _effects(effects: tuple[EffectAnswer, ...]) -> Table:
    table = Table("Done to the world", "Target", "Receipt", "Cost", box=None, pad_edge=False)
    for each in effects:
        cost = usd(each.cost_usd_micros) if each.cost_usd_micros else ""
        table.add_row(each.kind, plain(each.target), plain(each.receipt), cost)
    return table


def _money(budget: BudgetAnswer) -> str:
    total = budget.project_total
    calls = f"{counted(budget.model_calls, 'paid model call')}"
    return (
        f"Spent {usd(budget.spent_usd_micros)} of {usd(budget.budget_usd_micros)} in {calls};"
        f" project {budget.project}: {usd(total.spent_usd_micros)} for {counted(total.bugs, 'bug')}"
    )


def _status(status: Status) -> Text:
    style = _STATUS_STYLE.get(status, "dim" if status in CLOSED else "cyan")
    return Text(status.replace("_", " "), style=style)


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
