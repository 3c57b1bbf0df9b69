"""`bugstream bench locate FILE --repos DIR`: how often the place of a known fix is found."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median, quantiles
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.git_command import Git, GitError
from connectors.made_store import MadeStore
from processors.channels.parsed import Parsed
from processors.locating.paths import dotted
from processors.locating.ranking import Ranking, rank
from processors.ports import Progress
from processors.reporting import report_of
from schemas.errors import TransientError, UserError
from schemas.raw import Origin
from schemas.reports import BugReport
from streams.environment import git_env
from streams.figures import Cell, Figures, machine, wilson
from streams.symbol_index import code_at, history_at, store_at

FILE_BYTES_MAX = 50_000_000
TRACE, HINT, NOTHING = "with a trace", "with a file or function hint", "names nothing"
GOALS = (("File@1", 60.0), ("File@5", 85.0), ("Func@5", 50.0))
_NAME_CHARS_MIN = 4
"""A shorter name in a text is a word of English as often."""


class Issue(BaseModel):
    """One line of the file: an issue, the commit it was written about, and what fixed it."""

    model_config = ConfigDict(extra="ignore")

    instance_id: str
    repo: str
    base_commit: str
    problem_statement: str
    gold_files: tuple[str, ...]
    gold_functions: tuple[str, ...] = ()

    @property
    def report(self) -> BugReport:
        """Return the report that normalize would make of it: the first line is the title."""
        title, _, text = self.problem_statement.partition("\n")
        origin = Origin(channel="http", container="bench", item=self.instance_id)
        return report_of(origin, Parsed(title=title.strip(), text=text, account="bench"))


@dataclass(frozen=True, slots=True)
class Tried:
    """How one issue went. Ranks count from 1; None: not among those listed."""

    issue: Issue
    kind: str
    file_rank: int | None
    function_rank: int | None
    read_s: float
    """To have the index the first time."""
    is_first: bool
    """Whether it was the first commit of its repository."""
    warm_s: float
    """To have it again from what is kept, and to rank."""


def bench(file: Path, repos: Path, *, progress: Progress, store: Path | None = None) -> Figures:
    """Return how often the places of the issues in `file` are found in repositories in `repos`.

    Raises `UserError` where either is not there or of another form.
    """
    issues = read_issues(file)
    if not repos.is_dir():
        raise UserError(f"--repos {repos}: there is no such folder; put owner__name folders there")
    tried: list[Tried] = []
    missing: list[str] = []
    with kept_in(store) as kept:
        for number, issue in enumerate(issues):
            progress(number, len(issues), issue.instance_id)
            git = repository(repos, issue.repo)
            seen = {each.issue.repo for each in tried}
            one = None
            if git is not None:
                one = attempt(issue, git, kept, is_first=issue.repo not in seen)
            if one is None:
                missing.append(issue.instance_id)
            else:
                tried.append(one)
    return _figures(file, issues, tried, missing)


@contextmanager
def kept_in(store: Path | None) -> Iterator[MadeStore]:
    """Yield what is kept in a file; None: in one that goes when this ends."""
    if store is not None:
        yield store_at(store)
        return
    with tempfile.TemporaryDirectory(prefix="bugstream-bench-") as folder:
        yield store_at(Path(folder) / "symbols.sqlite")


def read_issues(file: Path) -> list[Issue]:
    """Return the issues in a file of JSON lines. Raises `UserError` naming the line."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise UserError(f"{file} is larger than {FILE_BYTES_MAX} bytes")
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 text: it must be JSON lines") from error
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error
    issues = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            issues.append(Issue.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "line"
            raise UserError(f"{file} line {number}: {where}: {first['msg']}") from error
    if not issues:
        raise UserError(f"{file} holds no issue: each line must be a JSON object")
    return issues


def repository(repos: Path, name: str) -> Git | None:
    """Return git on `owner__name` or `owner+name` in the folder, bare or with a work tree."""
    owner, _, short = name.partition("/")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or ".." in (owner, short):
        return None
    for joined in (f"{owner}__{short}", f"{owner}+{short}"):
        for folder in (repos / joined, repos / joined / "repo"):
            for git_dir in (folder / ".git", folder):
                if (git_dir / "objects").is_dir() and (git_dir / "HEAD").is_file():
                    return Git(git_dir.absolute(), git_env())
    return None


def attempt(issue: Issue, git: Git, store: MadeStore, *, is_first: bool) -> Tried | None:
    """Return how locating `issue` went; None where its commit is not in the repository."""
    report = issue.report
    try:
        git("cat-file", "-e", f"{issue.base_commit}^{{commit}}")
        start_s = time.perf_counter()
        code_at(git, issue.base_commit, store)
        history_at(git, issue.base_commit, store)
        read_s = time.perf_counter() - start_s
        start_s = time.perf_counter()
        code = code_at(git, issue.base_commit, store)
        history = history_at(git, issue.base_commit, store)
        ranking = rank(report, code, history)
        warm_s = time.perf_counter() - start_s
    except (GitError, TransientError):
        return None
    functions = [f"{r.path}:{r.place.symbol}" for r in ranking.units if r.place is not None]
    return Tried(
        issue=issue,
        kind=kind_of(issue, ranking),
        file_rank=_last([ranked.path for ranked in ranking.files], issue.gold_files),
        function_rank=_last(functions, issue.gold_functions),
        read_s=read_s,
        is_first=is_first,
        warm_s=warm_s,
    )


def _last(found: Sequence[str], wanted: Iterable[str]) -> int | None:
    """Return the rank at which all of `wanted` have been met."""
    ranks = [found.index(each) + 1 if each in found else None for each in wanted]
    known = [each for each in ranks if each is not None]
    return max(known) if known and len(known) == len(ranks) else None


def kind_of(issue: Issue, ranking: Ranking) -> str:
    """Return what the issue gives away: a trace in the repository, a name of the place, nothing."""
    if ranking.has_trace:
        return TRACE
    text = issue.problem_statement
    names = {PurePosixPath(path).name for path in issue.gold_files} - {"__init__.py"}
    names |= {".".join(dotted(path)) for path in issue.gold_files}
    for function in issue.gold_functions:
        names |= set(function.partition(":")[2].split("."))
    said = [name for name in sorted(names) if len(name) >= _NAME_CHARS_MIN]
    return HINT if any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", text) for n in said) else NOTHING


# --- figures ---


def percent(right: int, total: int, *, digits: int = 1) -> str:
    """Return a share in percent, with its 95 % interval in brackets."""
    if not total:
        return "-"
    low, high = wilson(right, total)
    return f"{100 * right / total:.{digits}f} ({100 * low:.0f}-{100 * high:.0f})"


_COLUMNS = (
    ("File@1", "file_rank", 1),
    ("File@5", "file_rank", 5),
    ("File@10", "file_rank", 10),
    ("Func@5", "function_rank", 5),
    ("Func@10", "function_rank", 10),
)


def _counts(tried: Sequence[Tried]) -> Iterator[tuple[str, int, int]]:
    """Yield each figure's name, how many are right, and of how many."""
    for name, what, limit in _COLUMNS:
        judged = [t for t in tried if what == "file_rank" or t.issue.gold_functions]
        ranks = [getattr(each, what) for each in judged]
        yield name, sum(rank is not None and rank <= limit for rank in ranks), len(judged)


def _row(name: str, tried: Sequence[Tried]) -> Sequence[Cell]:
    cells: list[Cell] = [name, len(tried)]
    for _, right, total in _counts(tried):
        cells.append(percent(right, total))
    return cells


def _figures(
    file: Path, issues: Sequence[Issue], tried: Sequence[Tried], missing: Sequence[str]
) -> Figures:
    rows = [_row("all", tried)]
    rows += [_row(kind, [t for t in tried if t.kind == kind]) for kind in (TRACE, HINT, NOTHING)]
    names = sorted({each.issue.repo for each in tried})
    rows += [_row(name, [t for t in tried if t.issue.repo == name]) for name in names]
    share = {name: 100 * right / total for name, right, total in _counts(tried) if total}
    reached = all(share.get(name, 0.0) >= goal for name, goal in GOALS)
    goals = ", ".join(f"{name} {goal:.0f}" for name, goal in GOALS)
    return Figures(
        name="locate",
        claim=f"Without any model call the place of the fix is found at least so often: {goals}",
        measured_on=machine() | {"file": file.name, "issues": len(issues)},
        columns=("issues that", "issues", *(name for name, _, _ in _COLUMNS)),
        rows=rows,
        # What was not run was not shown.
        holds=reached and not missing,
        notes=(*_notes(tried), *([_absent(missing)] if missing else [])),
        detail={
            "seconds": _seconds(tried),
            "issues": [_detail(each) for each in tried],
            "not_run": list(missing),
        },
    )


def _absent(missing: Sequence[str]) -> str:
    return f"Not run, for want of the repository or its commit ({len(missing)}): {missing[0]} …"


def _notes(tried: Sequence[Tried]) -> Iterator[str]:
    yield "To read a commit takes as long as here only where --index does not hold it already."
    yield "Right: every file (function) of the fix is among the first k. In brackets: 95 %."
    for name, (count, middle, high) in _seconds(tried).items():
        yield f"Seconds, {name}: median {middle:.2f}, nine of ten below {high:.2f} ({count:.0f})"


def _seconds(tried: Sequence[Tried]) -> dict[str, tuple[float, float, float]]:
    parts = (
        ("to read the first commit of a repository", [t.read_s for t in tried if t.is_first]),
        ("to read another one of it", [t.read_s for t in tried if not t.is_first]),
        ("warm, from the kept index to the answer", [t.warm_s for t in tried]),
    )
    return {name: (len(s), median(s), _ninth(s)) for name, s in parts if s}


def _ninth(seconds: list[float]) -> float:
    return quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


def _detail(tried: Tried) -> dict[str, Any]:
    return {
        **tried.issue.model_dump(mode="json", exclude={"problem_statement"}),
        "kind": tried.kind,
        "file_rank": tried.file_rank,
        "function_rank": tried.function_rank,
        "warm_s": round(tried.warm_s, 3),
    }
