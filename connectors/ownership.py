"""Whose lines these are: git's blame, what Agent Trace notes say of them, and who reviewed last.

A commit's author is who committed, which is not who wrote: without a record that says so, lines are
of `unknown` hand, never `human`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from secrets import token_hex
from typing import Any, get_args

from connectors.agent_trace import NOTES_REF
from connectors.channel import objects, text
from connectors.checkouts import read_blobs
from connectors.git_command import Git, GitError
from schemas.errors import TransientError
from schemas.places import Hand, HandEvidence

LINES_MAX = 2_000
"""Asked for at once."""
NOTE_BYTES_MAX = 1024 * 1024
MESSAGE_BYTES_MAX = 64 * 1024
"""Of the end of a message, where the trailers are."""
MAILMAP_BYTES_MAX = 1024 * 1024
_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?")
_TRAILER = re.compile(r"^([A-Za-z][A-Za-z-]{1,40}):[ \t]*(\S.{0,300})$", re.MULTILINE)
_REVIEWS = ("reviewed-by", "approved-by", "acked-by")
_HELPED = ("co-authored-by", "assisted-by", "generated-by")
_PROGRAM = re.compile(
    r"\b(?:copilot|codex|gpt-?\d|cursor ?agent|aider|openai|anthropic|claude code)\b|\[bot\]"
    r"|\bgemini[ -](?:cli|code|pro|flash|\d)|\bclaude[ -](?:opus|sonnet|haiku|\d)"
    # Names that people bear too stand alone, or with an address that nobody reads.
    r"|^(?:claude|cursor|devin|gemini)(?: ai)?\s*(?:$|<[^<>]*\b(?:noreply|no-reply|bot)\b)",
    re.IGNORECASE,
)
_LACKING = re.compile(r"(?:unable|cannot) (?:to )?read|could not fetch|missing blob", re.IGNORECASE)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_AIDER = re.compile(r"\(aider\)")


@dataclass(frozen=True, slots=True)
class Owned:
    """Lines `start` to `end`, 1-based and inclusive, of one origin. Names are personal data."""

    start: int
    end: int
    commit: str
    author: str
    mail: str
    at: datetime
    hand: Hand
    evidence: str
    """What says whose hand it was."""
    by: HandEvidence = "none"
    """The kind of that, which names nobody."""
    model: str = ""
    conversation: str = ""
    reviewer: str = ""
    """Who reviewed the commit last, as its message says; empty: it does not say."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One line as git blames it: which line of which file it was in the commit that wrote it."""

    number: int
    commit: str
    number_then: int
    path_then: str


@dataclass(frozen=True, slots=True)
class _Commit:
    author: str = ""
    mail: str = ""
    at: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class Said:
    """What the repository says of a commit."""

    records: Sequence[Mapping[str, Any]] = ()
    """Those of its Agent Trace note."""
    message: str = ""
    is_cut_off: bool = False
    """Whether the copy ends here: the lines may be of any commit before it."""


def owners(
    git: Git, commit: str, path: str, start: int, end: int, said: dict[str, Said] | None = None
) -> tuple[Owned, ...]:
    """Return whose the lines `start` to `end` of `path` at `commit` are, in order.

    Nothing where git knows no such file or lines. `said` is filled with what was read of commits,
    for the next call. Raises `TransientError` when time is up, and for a partial copy.
    """
    said = {} if said is None else said
    end = min(end, start + LINES_MAX - 1)
    try:
        asked = ("blame", "--line-porcelain", "-w", "-M", f"-L{start},{end}")
        out = git(*asked, commit, "--", path, env=_names(git, commit))
    except GitError as error:
        if _LACKING.search(error.stderr):
            raise TransientError("this copy of the repository lacks older files") from error
        return ()
    lines, commits = _read(out)
    new = sorted({line.commit for line in lines} - said.keys())
    messages, records, ends = _messages(git, new), _records(git, new), _ends(git)
    for sha in new:
        said[sha] = Said(records.get(sha, ()), messages.get(sha, ""), sha in ends)
    found = (_owned(line, commits[line.commit], said[line.commit]) for line in lines)
    return tuple(_joined(list(found)))


def _names(git: Git, commit: str) -> Mapping[str, str]:
    """Return the setting by which git calls people as the `.mailmap` of the commit says."""
    blob = f"{commit}:.mailmap"
    try:
        if int(git.line("cat-file", "-s", blob)) > MAILMAP_BYTES_MAX:
            return {}
    except GitError:
        return {}
    key, value = "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"
    return {"GIT_CONFIG_COUNT": "1", key: "mailmap.blob", value: blob}


def _ends(git: Git) -> frozenset[str]:
    """Return the commits of which a shallow copy lacks the parents."""
    try:
        return frozenset((git.git_dir / "shallow").read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError):
        return frozenset()


def _read(out: bytes) -> tuple[list[_Line], dict[str, _Commit]]:
    """Return the lines and the commits of `git blame --line-porcelain`."""
    lines: list[_Line] = []
    commits: dict[str, _Commit] = {}
    paths: dict[str, str] = {}
    sha, numbers = "", (0, 0)
    for raw in out.split(b"\n"):
        if raw.startswith(b"\t"):
            lines.append(_Line(numbers[1], sha, numbers[0], paths.get(sha, "")))
        elif header := _HEADER.fullmatch(raw):
            sha, numbers = header[1].decode(), (int(header[2]), int(header[3]))
        else:
            name, _, value = raw.decode("utf-8", "replace").partition(" ")
            if name == "filename":
                paths[sha] = value
            commits[sha] = _with(commits.get(sha, _Commit()), name, value)
    return lines, commits


def _with(commit: _Commit, name: str, value: str) -> _Commit:
    match name:
        case "author":
            return replace(commit, author=value[:200])
        case "author-mail":
            return replace(commit, mail=value.strip("<>")[:200])
        case "author-time" if value.isdecimal():
            with suppress(ValueError, OverflowError, OSError):  # A commit may be of any year.
                return replace(commit, at=datetime.fromtimestamp(int(value), UTC))
            return commit
        case _:
            return commit


def _records(git: Git, commits: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the Agent Trace records in the notes of the commits; what cannot be read is none."""
    try:
        listed = git.line("notes", f"--ref={NOTES_REF}", "list").split("\n")
        notes = {sha: blob for blob, _, sha in (each.partition(" ") for each in listed)}
        noted = [sha for sha in commits if sha in notes]
        contents = read_blobs(git, [notes[sha] for sha in noted])
    except GitError:
        return {}
    return {sha: tuple(_read_note(n, sha)) for sha, n in zip(noted, contents, strict=True)}


def _read_note(note: bytes, commit: str) -> Iterator[Mapping[str, Any]]:
    for line in note[:NOTE_BYTES_MAX].split(b"\n"):
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            vcs = record.get("vcs") if isinstance(record, dict) else None
            revision = vcs.get("revision") if isinstance(vcs, dict) else None
            # A note that was moved by a rewrite speaks of lines of another commit.
            if isinstance(record, dict) and revision in {None, commit}:
                yield record


def _messages(git: Git, commits: Sequence[str]) -> Mapping[str, str]:
    mark = token_hex(16)  # Nothing in a message can be taken for the end of it.
    asked = ("log", "--no-walk=unsorted", "--stdin", "--no-patch", "--no-show-signature")
    told = "".join(f"{sha}\n" for sha in commits).encode()
    try:
        out = git(*asked, f"--format=%H%n%B{mark}", stdin=told) if commits else b""
    except GitError:
        return {}
    found: dict[str, str] = {}
    for each in out.split(mark.encode())[:-1]:
        sha, _, message = each.lstrip(b"\n").partition(b"\n")
        found[sha.decode()] = message[-MESSAGE_BYTES_MAX:].decode("utf-8", "replace")
    return found


def _trailers(message: str) -> list[tuple[str, str]]:
    """Return what the last paragraph says: what stands above it may be quoted or forged."""
    _, _, last = message.strip().rpartition("\n\n")
    return [(name.casefold(), value) for name, value in _TRAILER.findall(last)]


def _owned(line: _Line, commit: _Commit, said: Said) -> Owned:
    trailers = _trailers(said.message)
    reviews = [value for name, value in trailers if name in _REVIEWS]
    plain = Owned(
        start=line.number,
        end=line.number,
        commit=line.commit,
        author=commit.author,
        mail=commit.mail,
        at=commit.at,
        hand="unknown",
        evidence="nothing says who wrote it",
        reviewer=reviews[-1] if reviews else "",
    )
    if said.is_cut_off:
        why = "the history of this copy ends at that commit"
        return replace(plain, author="", mail="", evidence=why, by="shallow", reviewer="")
    for record in said.records:
        if found := _traced(record, line):
            return replace(plain, evidence="an Agent Trace note", by="trace", **found)
    helper = next((v for n, v in trailers if n in _HELPED and _PROGRAM.search(v)), None)
    if helper:
        why = f"the commit says it was helped by {helper}"
        return replace(plain, hand="mixed", evidence=why, by="trailer")
    if _AIDER.search(commit.author) or commit.author.endswith("[bot]"):
        return replace(plain, hand="ai", evidence="a program committed it", by="author")
    return plain


def _traced(record: Mapping[str, Any], line: _Line) -> dict[str, Any]:
    """Return what `record` says of the line; nothing when it does not speak of it."""
    for file in objects(record, "files"):
        if file.get("path") != line.path_then:
            continue
        for talk in objects(file, "conversations"):
            for span in objects(talk, "ranges"):
                if _holds(span, line.number_then):
                    who = span.get("contributor") or talk.get("contributor")
                    who = who if isinstance(who, dict) else {}
                    hand = who.get("type")
                    return {
                        "hand": hand if hand in get_args(Hand) else "unknown",
                        "model": text(who.get("model_id"))[:250],
                        "conversation": text(talk.get("url"))[:500],
                    }
    return {}


def _holds(span: Mapping[str, Any], number: int) -> bool:
    start, end = span.get("start_line"), span.get("end_line")
    return isinstance(start, int) and isinstance(end, int) and start <= number <= end


def _joined(found: Sequence[Owned]) -> Iterator[Owned]:
    """Yield neighbouring lines of the same origin as one."""
    for _, group in groupby(found, key=lambda one: replace(one, start=0, end=0)):
        lines = list(group)
        yield replace(lines[0], end=lines[-1].end)
