"""The rules of Agent Trace 0.1.0 as a JSON schema, written from the tables of the specification.

As in the specification, unknown keys are allowed everywhere; what is stricter with us is tested by
itself.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

_CONTRIBUTOR = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["human", "ai", "mixed", "unknown"]},
        "model_id": {"type": "string", "maxLength": 250},
    },
}
_RANGE = {
    "type": "object",
    "required": ["start_line", "end_line"],
    "properties": {
        "start_line": {"type": "integer", "minimum": 1},
        "end_line": {"type": "integer", "minimum": 1},
        "content_hash": {"type": "string"},
        "contributor": _CONTRIBUTOR,
    },
}
_RELATED = {
    "type": "object",
    "required": ["type", "url"],
    "properties": {"type": {"type": "string"}, "url": {"type": "string", "format": "uri"}},
}
_CONVERSATION = {
    "type": "object",
    "required": ["ranges"],
    "properties": {
        "url": {"type": "string", "format": "uri"},
        "contributor": _CONTRIBUTOR,
        "ranges": {"type": "array", "items": _RANGE},
        "related": {"type": "array", "items": _RELATED},
    },
}
_FILE = {
    "type": "object",
    "required": ["path", "conversations"],
    "properties": {
        "path": {"type": "string"},
        "conversations": {"type": "array", "items": _CONVERSATION},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "id", "timestamp", "files"],
    "properties": {
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "id": {"type": "string", "format": "uuid"},
        "timestamp": {"type": "string", "format": "date-time"},
        "vcs": {
            "type": "object",
            "required": ["type", "revision"],
            "properties": {
                "type": {"enum": ["git", "jj", "hg", "svn"]},
                "revision": {"type": "string"},
            },
        },
        "tool": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
        },
        "files": {"type": "array", "items": _FILE},
        "metadata": {"type": "object"},
    },
}


def problems(record: object) -> list[str]:
    """Return what is wrong with `record`, formats of ids and times included."""
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(SCHEMA, format_checker=checker)
    return [error.message for error in validator.iter_errors(record)]
