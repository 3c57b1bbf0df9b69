"""Events to bytes and back. The envelope follows the CloudEvents Kafka binding, binary mode."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from schemas.errors import PoisonError, UnknownEventError
from schemas.event import EVENT_BYTES_MAX, ActorKind, Event
from schemas.registry import BY_TYPE
from schemas.upcast import upcast

Headers = tuple[tuple[str, bytes], ...]


def encode(event: Event) -> bytes:
    """Return the bytes of `event`. Raises `PoisonError` above `EVENT_BYTES_MAX`."""
    value = event.model_dump_json(exclude_none=True).encode()
    if len(value) > EVENT_BYTES_MAX:
        raise PoisonError(
            f"{event.type} has {len(value)} bytes, the limit is {EVENT_BYTES_MAX}:"
            " large content belongs in a blob"
        )
    return value


def headers(event: Event) -> Headers:
    """Return the CloudEvents attributes of `event` as Kafka headers."""
    kind, schema = _of_type(event.type, event.version)
    pairs = [
        _CONTENT_TYPE,
        _SPEC_VERSION,
        ("ce_id", str(event.event_id).encode()),
        _of_actor(event.actor.kind, event.actor.id),
        kind,
        ("ce_time", event.occurred_at.isoformat().encode()),
        schema,
    ]
    if event.bug_id is not None:
        pairs.append(("ce_subject", str(event.bug_id).encode()))
    if event.traceparent:
        pairs.append(("traceparent", event.traceparent.encode()))
    return tuple(pairs)


_CONTENT_TYPE = ("content-type", b"application/json")
_SPEC_VERSION = ("ce_specversion", b"1.0")


# Kept, since few differ and every record written needs them.
@lru_cache(maxsize=256)
def _of_type(name: str, version: int) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    return ("ce_type", name.encode()), ("ce_dataschema", f"{name}/{version}".encode())


@lru_cache(maxsize=256)
def _of_actor(kind: ActorKind, name: str) -> tuple[str, bytes]:
    return "ce_source", f"bugstream/{kind}/{name}".encode()


def decode(value: bytes | None) -> Event:
    """Return the event in `value`, lifted to its newest version.

    Raises `PoisonError` where no program can ever read it, and `UnknownEventError` where a
    newer release can: the two are answered differently.
    """
    fields = _fields(value)
    entry = BY_TYPE.get(fields["type"])
    if entry is None:
        raise UnknownEventError(f"event type {fields['type'][:80]!r} is not known here")
    if fields["version"] > entry.version:
        raise UnknownEventError(
            f"{entry.name} version {fields['version']} is newer than {entry.version}"
        )
    try:
        if fields["version"] < entry.version:
            value = json.dumps(upcast(fields)).encode()
        return entry.model.model_validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PoisonError(
            f"{entry.name} has {error.error_count()} bad fields; the first, {where!r}:"
            f" {first['msg']}"
        ) from error


def _fields(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise PoisonError("the record has no value")
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise PoisonError("the record is not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise PoisonError("the record is JSON, but has no 'type'")
    version = fields.setdefault("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PoisonError("'version' is not a positive whole number")
    return fields
