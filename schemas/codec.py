"""Events to bytes and back. The envelope follows the CloudEvents Kafka binding, binary mode."""

from __future__ import annotations

import json
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Discriminator, TypeAdapter, ValidationError
from pydantic_core import from_json

from schemas.errors import PoisonError, UnknownEventError
from schemas.event import EVENT_BYTES_MAX, ActorKind, Event
from schemas.registry import ALL, BY_TYPE
from schemas.upcast import upcast

_ANY_EVENT: Any = reduce(or_, (entry.model for entry in ALL))
_NEWEST: TypeAdapter[Event] = TypeAdapter(Annotated[_ANY_EVENT, Discriminator("type")])
Headers = tuple[tuple[str, bytes | None], ...]
"""As Kafka has them: a name may come more than once, and its value may be null."""


def encode(event: Event) -> bytes:
    """Return the bytes of `event`. Raises `PoisonError` above `EVENT_BYTES_MAX`."""
    # What `model_dump_json` calls, without its turn through a str.
    value = event.__pydantic_serializer__.to_json(event, exclude_none=True)
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
    try:
        event = _NEWEST.validate_json(value or b"")
    except ValidationError:
        return _look_closer(value)
    return event if event.version == BY_TYPE[event.type].version else _look_closer(value)


def _look_closer(value: bytes | None) -> Event:
    """Return the event in `value` that is not simply one of today's, or raise what it is."""
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
        fields = from_json(value)
    except ValueError as error:
        raise PoisonError("the record is not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise PoisonError("the record is JSON, but has no 'type'")
    version = fields.setdefault("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PoisonError("'version' is not a positive whole number")
    return fields
