"""OpenTelemetry over HTTP as JSON: exceptions in spans and in log records.

A storm is one item: exceptions of the same service, type, message and place are the same one.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.channel import (
    Delivery,
    Door,
    Outcome,
    Post,
    Reply,
    child,
    digest,
    objects,
    parsed,
    text,
)
from connectors.monitoring.parts import (
    BEARER_HINT,
    account,
    bearer_refusal,
    looks_like_bearer,
    part_of,
    place,
)
from schemas.raw import Origin

SENDER = "otlp"
EXCEPTIONS_MAX = 100
"""Different ones of one post; of more the sender hears that they were not taken."""
UNPACKED_BYTES_MAX = 8 * 1024 * 1024
STACK_LINES_MAX = 500
FRAMES_MAX = 20
MESSAGE_CHARS_MAX = 500
_VARIABLE = re.compile(
    r"0x[0-9a-f]{1,64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{1,400}|'[^'\n]{0,400}'|\"[^\"\n]{0,400}\"",
    re.IGNORECASE,
)
_FRAME = re.compile(r'File "(?P<python>[^"]{1,500})", line|at (?P<listed>\S)|\S{1,500}:\d')
_LIBRARY = re.compile(
    r"site-packages|dist-packages|/lib/python\d|<frozen|node_modules|node:internal|/gems/"
    r"|at (?:java|javax|jdk|sun|kotlin|scala|org\.springframework|org\.apache|System|Microsoft)\."
)
_DIGITS = re.compile(r"\d{1,400}")


@dataclass(frozen=True, slots=True)
class Found:
    """One exception that a post tells of, and the post that would tell of it alone."""

    service: str
    version: str
    name: str
    message: str
    stack: str
    happened: tuple[str, str, str]
    """Trace, span and time, as the sender writes them."""
    alone: dict[str, Any]
    kind: str

    @property
    def identity(self) -> str:
        """Return what this and every other occurrence of the same fault have in common."""
        message = _VARIABLE.sub("0", self.message.partition("\n")[0][:MESSAGE_CHARS_MAX])
        return digest(self.service, self.name, message, places(self.stack))[:32]


def places(stack: str) -> list[str]:
    """Return the frames of the program's own code; of all code where none is its own."""
    lines = [line.strip()[:MESSAGE_CHARS_MAX] for line in stack.split("\n", STACK_LINES_MAX)]
    # Line numbers are left out: the next release moves them, and the fault stays.
    frames = [_DIGITS.sub("0", line) for line in lines[:STACK_LINES_MAX] if _FRAME.match(line)]
    own = [frame for frame in frames if not _LIBRARY.search(frame)]
    return (own or frames)[:FRAMES_MAX]


class _UnreadableError(Exception):
    """The post is no OTLP; `reply` is what its sender hears."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"error": error, "message": message})


def _payload(post: Post) -> dict[str, Any]:
    body = post.body
    if post.headers.get("content-encoding", "").strip().lower() == "gzip":
        try:
            body = zlib.decompressobj(31).decompress(body, UNPACKED_BYTES_MAX + 1)
        except zlib.error as error:
            raise _UnreadableError(400, "not_gzip", "the body is not gzip") from error
        if len(body) > UNPACKED_BYTES_MAX:
            limit = f"the body may have at most {UNPACKED_BYTES_MAX} bytes unpacked"
            raise _UnreadableError(413, "too_large", f"{limit}; send smaller batches")
    payload = parsed(body)
    if not payload and body.strip() != b"{}":
        raise _UnreadableError(400, "not_json", "the body is not a JSON object")
    return payload


def _reply(post: Post) -> Reply | None:
    """Answer what is written in a way that is not read here, and say the way out."""
    if not post.headers.get("content-type", "").lower().startswith("application/json"):
        way_out = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/json, or encoding: json in the collector"
        return Reply(415, {"error": "not_json", "message": f"only OTLP as JSON is read: {way_out}"})
    if post.headers.get("content-encoding", "identity").strip().lower() in ("identity", "gzip", ""):
        return None
    return Reply(415, {"error": "encoding", "message": "set the compression to gzip or none"})


def _found(payload: dict[str, Any]) -> Iterator[Found]:
    for one in objects(payload, "resourceSpans"):
        for scope in objects(one, "scopeSpans"):
            for span in objects(scope, "spans"):
                yield from _in_span(one, scope, span)
    for one in objects(payload, "resourceLogs"):
        for scope in objects(one, "scopeLogs"):
            yield from _in_logs(one, scope)


def _in_span(one: dict[str, Any], scope: dict[str, Any], span: dict[str, Any]) -> Iterator[Found]:
    for event in objects(span, "events"):
        said = attributes(event)
        if event.get("name") != "exception" and not said.get("exception.type"):
            continue
        alone = {
            "resource": one.get("resource"),
            "scopeSpans": [{"scope": scope.get("scope"), "spans": [{**span, "events": [event]}]}],
        }
        time = _number(event.get("timeUnixNano"))
        yield _exception(one, span, said, time, {"resourceSpans": [alone]}, "traces")


def _in_logs(one: dict[str, Any], scope: dict[str, Any]) -> Iterator[Found]:
    for record in objects(scope, "logRecords"):
        said = attributes(record)
        if not said.get("exception.type") and not said.get("exception.message"):
            continue
        alone = {
            "resource": one.get("resource"),
            "scopeLogs": [{"scope": scope.get("scope"), "logRecords": [record]}],
        }
        time = _number(record.get("timeUnixNano")) or _number(record.get("observedTimeUnixNano"))
        yield _exception(one, record, said, time, {"resourceLogs": [alone]}, "logs")


def _exception(
    one: dict[str, Any],
    within: dict[str, Any],
    said: dict[str, str],
    time: str,
    alone: dict[str, Any],
    kind: str,
) -> Found:
    resource = attributes(child(one, "resource"))
    return Found(
        service=resource.get("service.name", ""),
        version=resource.get("service.version", ""),
        name=said.get("exception.type", ""),
        message=said.get("exception.message", ""),
        stack=said.get("exception.stacktrace", ""),
        happened=(text(within.get("traceId")), text(within.get("spanId")), time),
        alone=alone,
        kind=kind,
    )


def attributes(holder: dict[str, Any]) -> dict[str, str]:
    """Return those attributes of `holder` that are texts."""
    pairs = ((text(a.get("key")), child(a, "value")) for a in objects(holder, "attributes"))
    return {key: text(value.get("stringValue")) for key, value in pairs if key}


def _number(value: object) -> str:
    """Return a 64-bit number, which JSON carries as a text."""
    return str(value)[:30] if isinstance(value, str | int) else ""


def _grouped(post: Post) -> tuple[list[tuple[Found, int]], dict[str, int]]:
    """Return the first of each exception with how often it came, and how many were not taken."""
    groups: dict[str, tuple[Found, int]] = {}
    left: dict[str, int] = {}
    for found in _found(_payload(post)):
        key = found.identity
        if key not in groups and len(groups) >= EXCEPTIONS_MAX:
            left[found.kind] = left.get(found.kind, 0) + 1
            continue
        first, count = groups.get(key, (found, 0))
        groups[key] = first, count + 1
    return list(groups.values()), left


def _read(post: Post) -> tuple[Delivery, ...]:
    try:
        groups, _ = _grouped(post)
    except _UnreadableError:
        return ()
    return tuple(_delivery(found, count) for found, count in groups)


def _delivery(found: Found, count: int) -> Delivery:
    origin = Origin(
        channel="monitoring", container=place(SENDER, found.service), item=found.identity
    )
    release = digest(found.version)[:12]
    body = part_of(found.alone, occurrences=count)
    return Delivery(
        origin=origin,
        delivery_id=digest(*found.happened, found.name, found.message, found.stack),
        sender=account(SENDER),
        author=account(SENDER),
        # Again is no news, but in another release it is. Two releases at once do not take turns.
        entity=f"{origin.key}/release/{release}",
        meaning=hashlib.sha256(release.encode()).hexdigest(),
        kind=found.kind,
        body=body,
    )


def _answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    """Answer as the protocol wants: an empty object, or how many were not taken and why."""
    del outcomes
    try:
        _, left = _grouped(post)
    except _UnreadableError as error:
        return error.reply
    if not left:
        return Reply(200)
    field = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}
    counts = {field[kind]: str(count) for kind, count in left.items()}
    why = f"more than {EXCEPTIONS_MAX} different exceptions in one request"
    return Reply(200, {"partialSuccess": {**counts, "errorMessage": why}})


DOOR = Door(
    name=SENDER,
    channel="monitoring",
    path="/webhooks/otlp",
    paths_too=(
        # An exporter adds these to its endpoint, be that our root or the path above.
        "/webhooks/otlp/v1/traces",
        "/webhooks/otlp/v1/logs",
        "/v1/traces",
        "/v1/logs",
    ),
    looks_signed=looks_like_bearer,
    refusal=bearer_refusal,
    reply=_reply,
    read=_read,
    answer=_answer,
    hint=BEARER_HINT,
    recovery=(
        "Exporters send again for a minute or so and then drop it: what is older cannot be"
        " recovered."
    ),
)
