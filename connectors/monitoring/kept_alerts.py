"""What the inbox holds of alerts: which of them it believes to be firing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.channel import child, objects, parsed, text
from connectors.database import open_engine, reading
from connectors.inbox_tables import ROWS
from schemas.errors import TransientError

ROWS_MAX = 5_000
"""The newest ones. An alert that has said nothing new for longer is for people to close."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest news of one alert."""

    meaning: str
    container: str
    body: Mapping[str, Any]
    """As the door kept it: a group of this alert alone; empty where it is too large to be here."""

    @property
    def is_firing(self) -> bool:
        """Return whether it began and was never said to be over."""
        found = objects(self.body, "alerts")
        return bool(found) and found[0].get("status") == "firing"


class KeptAlerts:
    """Reads the inbox at `url`, which is opened at the first use."""

    def __init__(self, url: str, *, route: str) -> None:
        """`route` is the door's name."""
        self._url = url
        self._route = route
        self._engine: Engine | None = None

    def newest(self) -> dict[str, Kept]:
        """Return the newest news of each alert, by its entity. Raises `TransientError`."""
        if self._engine is None:
            self._engine = open_engine(self._url)
        query = (
            select(ROWS.c.entity, ROWS.c.meaning, ROWS.c.event)
            .where(ROWS.c.route == self._route, ROWS.c.event.is_not(None))
            .where(ROWS.c.entity.is_not(None))
            .order_by(ROWS.c.id.desc())
            .limit(ROWS_MAX)
        )
        found: dict[str, Kept] = {}
        try:
            with reading(self._engine).connect() as connection:
                for entity, meaning, event in connection.execute(query):
                    if entity not in found:
                        found[entity] = _kept(meaning, event)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__)
            raise TransientError(f"the inbox cannot be read now: {reason}") from error
        return found

    def close(self) -> None:
        """Let the connections go."""
        if self._engine is not None:
            self._engine.dispose()


def _kept(meaning: str | None, event: bytes) -> Kept:
    # By hand: of thousands of rows three fields are wanted, not models that were checked before.
    said = parsed(event)
    body = parsed(text(said.get("body")).encode("utf-8", "surrogatepass"))
    return Kept(meaning or "", text(child(said, "origin").get("container")), body)


def resolved(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group of one alert as it would be if that were over; when it ended is not known."""
    alert = objects(body, "alerts")[0] | {"status": "resolved"}
    alert.pop("endsAt", None)
    value: dict[str, Any] = json.loads(json.dumps({**body, "alerts": [alert]}))
    return value
