"""Who wrote which lines: a record of the Agent Trace specification, version 0.1.0.

A record stands on one line of a git note, in canonical form, so that notes merge by
`cat_sort_uniq`. It holds no prompt, no name and no report text: a pushed note cannot be recalled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal
from uuid import UUID

SPECIFICATION = "0.1.0"
NOTES_REF = "refs/notes/agent-trace"
METADATA_KEY = "dev.bugstream"
"""Reverse-domain key of what the specification has no field for."""

_MODEL_ID_CHARS_MAX = 250


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who wrote the lines. A template is a program, so its lines are `ai` without a model."""

    proposer: str
    model: str | None = None
    """As its vendor names it; the specification wants `vendor/model`."""
    vendor: str = "anthropic"
    template: str | None = None
    conversation_url: str | None = None
    type: Literal["ai"] = "ai"


@dataclass(frozen=True, slots=True)
class Range:
    """Lines `start` to `end` at the new revision, 1-based and inclusive, and the hash of them."""

    start: int
    end: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class TracedFile:
    """A file with the ranges that were written, and how many lines were only taken out."""

    path: str
    ranges: tuple[Range, ...]
    deleted_lines: int = 0


def record(
    *,
    trace_id: UUID,
    when: datetime,
    revision: str,
    contributor: Contributor,
    files: Sequence[TracedFile],
) -> dict[str, Any]:
    """Return the record. `revision` is the commit that holds the lines, not its parent."""
    metadata: dict[str, Any] = {"proposer": contributor.proposer}
    if contributor.template:
        metadata["template"] = contributor.template
    # A range cannot be empty, so lines that were only taken out have no place in `files`.
    if deleted := {file.path: file.deleted_lines for file in files if file.deleted_lines}:
        metadata["deleted_lines"] = deleted
    return {
        "version": SPECIFICATION,
        "id": str(trace_id),
        "timestamp": when.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "vcs": {"type": "git", "revision": revision},
        "tool": {"name": "bugstream", "version": version("bugstream")},
        "files": [_file(file, contributor) for file in files if file.ranges],
        "metadata": {METADATA_KEY: metadata},
    }


def canonical_line(value: dict[str, Any]) -> str:
    """Return `value` on one line, sorted and without spaces: equal records are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def merged(note: str, line: str) -> str:
    """Return `note` with the record in `line`; unchanged if one with its id is there already.

    Lines of other tools are kept as they are; what is added to is sorted, without empty lines.
    """
    lines = {each for each in note.splitlines() if each.strip()}
    wanted = json.loads(line)["id"]
    if any(_id(each) == wanted for each in lines):
        return note
    return "".join(f"{each}\n" for each in sorted(lines | {line}))


def range_of(content: bytes, start: int, end: int) -> Range:
    """Return the range with the sha256 of its exact bytes, line ends included."""
    lines = content.split(b"\n")
    whole = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    digest = hashlib.sha256(b"".join(whole[start - 1 : end])).hexdigest()
    return Range(start, end, f"sha256:{digest}")


def _file(file: TracedFile, contributor: Contributor) -> dict[str, Any]:
    who: dict[str, Any] = {"type": contributor.type}
    if contributor.model:
        model = contributor.model
        model_id = model if "/" in model else f"{contributor.vendor}/{model}"
        who["model_id"] = model_id[:_MODEL_ID_CHARS_MAX]
    conversation: dict[str, Any] = {
        "contributor": who,
        "ranges": [
            {"start_line": each.start, "end_line": each.end, "content_hash": each.content_hash}
            for each in file.ranges
        ],
    }
    url = contributor.conversation_url
    if url and url.startswith(("https://", "http://")):
        conversation["url"] = url
    return {"path": file.path, "conversations": [conversation]}


def _id(line: str) -> str | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None  # Another tool's line; not ours to judge.
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
