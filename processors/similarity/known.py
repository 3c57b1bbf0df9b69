"""What the stage keeps of a report, and how it is written into the state topic."""

from __future__ import annotations

import base64
import json
from array import array
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from processors.similarity.features import Features, Spaces, decode, encode, features_of
from schemas.event import human_id
from schemas.reports import ReportNormalized

VERSION = 2


@dataclass(frozen=True, slots=True)
class Known:
    """A report as the stage knows it: hashes and vectors, no text."""

    order: int
    report_id: UUID
    bug_id: UUID
    project: str
    content_sha256: str
    features: Features
    updated_at: datetime | None = None
    """As its channel says; None: it does not say."""

    def is_newer_than(self, at: datetime | None) -> bool:
        """Return whether what is known is of a later time than `at`."""
        return self.updated_at is not None and at is not None and self.updated_at > at

    def name_key(self) -> str:
        """Return the key under which the name of its bug finds it."""
        return name_key(self.project, human_id(self.bug_id, 0))


def name_key(project: str, name: str) -> str:
    """Return the key under which a bug's name finds its reports."""
    # Without the year: it is that of the bug's opening, which this stage does not keep.
    return f"{project}/{name.rpartition('-')[2]}"


def known_of(event: ReportNormalized, bug_id: UUID, spaces: Spaces, *, order: int) -> Known:
    """Return what is kept of a report that belongs to `bug_id`."""
    return Known(
        order=order,
        report_id=event.report.report_id,
        bug_id=bug_id,
        project=event.project,
        content_sha256=event.content_sha256,
        features=features_of(event.report, spaces, at=event.occurred_at),
        updated_at=event.report.updated_at,
    )


def written(known: Known, model_id: str) -> bytes:
    """Return the record of a report whose vectors were made by `model_id`."""
    return json.dumps(
        {
            "v": VERSION,
            "order": known.order,
            "report": str(known.report_id),
            "bug": str(known.bug_id),
            "project": known.project,
            "content": known.content_sha256,
            "updated": known.updated_at.isoformat() if known.updated_at else None,
            "model": model_id,
            "features": encode(known.features),
        }
    ).encode()


def read(value: bytes, model_id: str) -> Known:
    """Return what a record says. Raises `ValueError`, `KeyError` or `TypeError`.

    Vectors of another model are left out: they cannot be compared, and words and letters can.
    """
    fields = json.loads(value)
    features = decode(fields["features"]) if fields["v"] >= VERSION else _first(fields)
    if fields.get("model") != model_id:
        features = replace(features, main=b"", many=b"")
    updated = fields.get("updated")  # Not in the records of the first releases.
    return Known(
        order=fields["order"],
        report_id=UUID(fields["report"]),
        bug_id=UUID(fields["bug"]),
        project=fields["project"],
        content_sha256=fields["content"],
        features=features,
        updated_at=datetime.fromisoformat(updated) if updated else None,
    )


def _first(fields: dict[str, Any]) -> Features:
    """Return what the first releases kept: stack traces, and near-identical texts."""
    hashes = array("I")
    hashes.frombytes(base64.b64decode(fields["sketch"]))
    return Features(
        at=None,
        is_cjk=False,
        recurs=False,
        is_alert=False,
        closed=False,
        text_key=fields["text"],
        title_key="",
        title_words=0,
        words=fields["words"],
        stacks=tuple(fields["stacks"]),
        own=None,
        points=(),
        sketch=hashes,
        title_claims={},
        claims={},
        title_turns=frozenset(),
        turns=frozenset(),
        counts={},
        grams={},
        lengths=(0, 0),
        main=b"",
        many=b"",
    )
