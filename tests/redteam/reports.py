"""The set: what is tried, as `reports.json` holds it. Written for this; nobody else's text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("reports.json")
MARK = "rt7x"
"""In every title and text: where it turns up, a stranger's words have come."""
REPEAT = "{{REPEAT}}"


@dataclass(frozen=True)
class Report:
    name: str
    kind: str
    title: str
    text: str
    who: str = "mallory"
    hidden: tuple[str, ...] = ()
    """What people would not see, and so no model may read."""
    channels: tuple[str, ...] = ()
    """Where it is sent; everywhere where none is named."""
    slow: bool = False
    """Large: sent by a few channels only."""
    command: bool = False
    """It is one where commands are typed, and a report everywhere else."""
    comes_back: bool = True
    """False: it claims to be ours, so that a channel may take it for that and pass it over."""
    url: str = ""
    adf_depth: int = 0
    poison: bool = False
    """No program can read it: a person is told so, in words."""


def _report(given: Mapping[str, Any]) -> Report:
    fields = dict(given)
    repeat = fields.pop("repeat", None)
    much = repeat["unit"] * repeat["times"] if repeat else ""
    for name in ("title", "text"):
        fields[name] = fields[name].replace(REPEAT, much)
    fields["text"] += f"\n\n{MARK}" if fields.get("comes_back", True) else ""
    for name in ("hidden", "channels"):
        fields[name] = tuple(fields.get(name, ()))
    return Report(**fields)


REPORTS: tuple[Report, ...] = tuple(map(_report, json.loads(FILE.read_text(encoding="utf-8"))))
