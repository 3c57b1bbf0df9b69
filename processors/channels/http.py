"""Any tool: a report by our own schema."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from processors.channels.parsed import Parsed
from schemas.errors import PoisonError
from schemas.raw import RawReceived
from schemas.received import ReceivedReport


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what the tool says."""
    try:
        received = ReceivedReport.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PoisonError(f"not a report: {where!r}: {first['msg']}") from error
    said = read(received)
    return said if said.url else replace(said, url=raw.origin.url)


def read(received: ReceivedReport) -> Parsed:
    """Return what a report by our own schema says."""
    text = received.description
    if received.stack_trace:
        text = f"{text}\n\n```\n{received.stack_trace}\n```"
    return Parsed(
        title=received.title,
        text=text,
        account=f"http:{received.reporter or received.tool}",
        severity=received.severity,
        labels=received.labels,
        url=received.url,
        created_at=received.created_at.isoformat() if received.created_at else None,
        steps=received.reproduction_steps,
        environment=tuple(received.environment.items()),
    )
