"""Reports to compare, and spaces to compare them in: what the tests of this folder share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.embeddings import HashingEmbedder
from processors.similarity.exact import ExactIndexes
from processors.similarity.features import Features, Spaces, features_of
from processors.similarity.matcher import Matcher
from schemas.raw import Origin
from schemas.reports import BugReport
from tests.factories import EPOCH

SPACES = Spaces(HashingEmbedder(), HashingEmbedder(32))


def report(title: str, body: str = "", *, item: str = "1", days: int = 0, **more: Any) -> BugReport:
    """Return a report of the shop's tracker, `days` after the first."""
    origin = Origin(channel="github", container="acme/shop", item=item)
    fields = {"report_id": origin.report_id, "origin": origin, "created_at": on(days), **more}
    return BugReport(title=title, description=body, **fields)


def on(days: int) -> datetime:
    return EPOCH + timedelta(days=days)


def features(title: str, body: str = "", **more: Any) -> Features:
    return features_of(report(title, body, **more), SPACES)


def matcher(*known: Features) -> Matcher:
    """Return what knows `known`, each as a bug of its own."""
    found = Matcher("shop", SPACES.model_id, ExactIndexes())
    for key, one in enumerate(known):
        found.add(key, one, bug=key)
    return found
