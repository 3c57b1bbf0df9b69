"""`bugstream bench locate-commits --repos DIR`: is a fix's place found by its message alone.

For languages without a benchmark of issues: the message of a fixing commit stands for the report,
the files it changed are the answer, and what is looked at is the commit before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from connectors.git_command import Git, GitError
from processors.locating.entries import is_indexed, language_of
from processors.ports import Progress
from schemas.errors import TransientError, UserError
from streams.bench_locate import Issue, Tried, attempt, kept_in, percent, repository
from streams.figures import Cell, Figures, machine

COMMITS_LOOKED_AT_MAX = 5_000
"""Of each repository, newest first."""
FILES_MAX = 3
"""A commit that touches more mends more than one thing."""
COUNT = 10
LANGUAGES = {
    "javascript": "JavaScript, TypeScript",
    "typescript": "JavaScript, TypeScript",
    "tsx": "JavaScript, TypeScript",
    "java": "Java",
    "go": "Go",
    "python": "Python",
}
_FIXES = re.compile(r"\b(fix|fixes|fixed|fixing|bug|bugfix|regression)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(typos?|tests?|docs?|javadocs?|comments?|lint|linter|checkstyle|spotbugs|pmd|format|ci|build"
    r"|chore|deps|dependency|bump|readme|changelog|release|revert|types|spelling|warnings?)\b",
    re.IGNORECASE,
)
_MARK, _END = "\x1e", "\x1f"
_LIMITS = (1, 5, 10)


def bench(
    repos: Path, *, progress: Progress, count: int = COUNT, store: Path | None = None
) -> Figures:
    """Return how often the files of fixing commits are found, `count` commits a repository.

    Raises `UserError` where there is no repository in the folder.
    """
    if not repos.is_dir():
        raise UserError(f"--repos {repos}: there is no such folder; put owner__name folders there")
    found = dict(_repositories(repos))
    if not found:
        raise UserError(
            f"--repos {repos}: no git repository called owner__name or owner+name in it"
        )
    passed: Counter[str] = Counter()
    chosen = [issue for name, git in found.items() for issue in fixes(name, git, count, passed)]
    tried: list[Tried] = []
    with kept_in(store) as kept:
        for number, issue in enumerate(chosen):
            progress(number, len(chosen), issue.instance_id)
            first = issue.repo not in {each.issue.repo for each in tried}
            one = attempt(issue, found[issue.repo], kept, is_first=first)
            if one is not None:
                tried.append(one)
    barren = [name for name in found if _has_none(name, chosen)]
    return _figures(tried, len(chosen) - len(tried), barren, passed)


def _has_none(name: str, chosen: Sequence[Issue]) -> bool:
    return all(issue.repo != name for issue in chosen)


def _repositories(repos: Path) -> Iterator[tuple[str, Git]]:
    for folder in sorted(repos.iterdir()):
        name = re.sub(r"__|\+", "/", folder.name, count=1)
        git = repository(repos, name) if folder.is_dir() else None
        if git is not None:
            yield name, git


def fixes(name: str, git: Git, count: int, passed: Counter[str]) -> Iterator[Issue]:
    """Yield the newest commits that mend something, as reports: their subjects say so.

    No merges, and only commits that change one to `FILES_MAX` files which the index would look
    at, each of which was there before. What else they change, such as tests, does not count.
    Why newer ones were passed over is counted in `passed`.
    """
    try:
        log = git(
            *("log", "--no-merges", f"--max-count={COMMITS_LOOKED_AT_MAX}", "--name-status"),
            *("--no-renames", f"--format={_MARK}%H %P%n%B{_END}"),
        )
    except (GitError, TransientError):
        return
    taken = 0
    for part in log.decode("utf-8", "replace").split(_MARK)[1:]:
        if taken == count:
            return
        issue = _fix(name, part)
        if isinstance(issue, str):
            passed[issue] += 1
        else:
            taken += 1
            yield issue


def _fix(name: str, part: str) -> Issue | str:
    """Return the commit as a report, or why it is none."""
    head, _, listed = part.partition(_END)
    commits, _, message = head.partition("\n")
    commit, *parents = commits.split()
    subject = message.partition("\n")[0]
    if not _FIXES.search(subject):
        return "the subject says of no fix"
    if _OTHER.search(subject):
        return "the subject says of a fix of tests, docs, build or the like"
    changed = [line.partition("\t")[::2] for line in listed.splitlines() if "\t" in line]
    files = [(status, path) for status, path in changed if is_indexed(path)]
    if not files:
        return "no code of ours is changed"
    if len(files) > FILES_MAX:
        return f"more than {FILES_MAX} files of code are changed"
    if len(parents) != 1 or any(status != "M" for status, _ in files):
        return "a file is new or gone"
    return Issue(
        instance_id=f"{name}@{commit[:10]}",
        repo=name,
        base_commit=parents[0],
        problem_statement=message.strip(),
        gold_files=tuple(path for _, path in files),
    )


def names_file(issue: Issue) -> bool:
    """Tell whether the message names a file that the commit changed, with its ending or without."""
    names = {PurePosixPath(path).stem for path in issue.gold_files}
    text = issue.problem_statement
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


# --- figures ---


def _language(tried: Tried) -> str:
    return LANGUAGES[language_of(tried.issue.gold_files[0]) or "python"]


def _figures(
    tried: Sequence[Tried], lost: int, barren: Sequence[str], passed: Mapping[str, int]
) -> Figures:
    rows: list[Sequence[Cell]] = []
    for language in sorted({_language(each) for each in tried}):
        mine = [each for each in tried if _language(each) == language]
        rows.append(_row(language, mine))
        rows.append(
            _row("  that name no changed file", [t for t in mine if not names_file(t.issue)])
        )
        repos = sorted({each.issue.repo for each in mine})
        rows += [_row(f"  {repo}", [t for t in mine if t.issue.repo == repo]) for repo in repos]
    return Figures(
        name="locate-commits",
        claim="Of every repository there are fixing commits, and each was tried",
        measured_on=machine(),
        columns=("fixing commits in", "commits", *(f"File@{limit}" for limit in _LIMITS)),
        rows=rows,
        holds=bool(tried) and not lost and not barren,
        notes=(*_notes(tried, lost, barren), *_passed(passed)),
        detail={
            "passed_over": dict(passed),
            "commits": [
                {
                    **t.issue.model_dump(mode="json", exclude={"gold_functions"}),
                    "names_file": names_file(t.issue),
                    "file_rank": t.file_rank,
                }
                for t in tried
            ],
        },
    )


def _row(name: str, tried: Sequence[Tried]) -> Sequence[Cell]:
    cells: list[Cell] = [name, len(tried)]
    for limit in _LIMITS:
        right = sum(t.file_rank is not None and t.file_rank <= limit for t in tried)
        cells.append(percent(right, len(tried), digits=0))
    return cells


def _notes(tried: Sequence[Tried], lost: int, barren: Sequence[str]) -> Iterator[str]:
    yield "Right: every file that the commit changed, tests left out, is among the first k."
    yield "In percent, in brackets the 95 % interval. A message is written by who knows the fix."
    if lost:
        yield f"Not run, for want of the commit before: {lost}"
    if barren:
        yield f"No fixing commit in one of our languages was found in: {', '.join(barren)}"
    if tried:
        slowest = max(tried, key=lambda each: each.warm_s)
        yield f"Slowest warm answer: {slowest.warm_s:.2f} s, {slowest.issue.instance_id}"


def _passed(passed: Mapping[str, int]) -> Iterator[str]:
    if passed:
        counted = sorted(passed.items(), key=lambda each: -each[1])
        told = ", ".join(f"{why} ({count})" for why, count in counted)
        yield f"Newer or between them, and passed over: {told}"
