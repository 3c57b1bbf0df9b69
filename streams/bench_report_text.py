"""Read the texts of every GitHub and Jira payload in a folder; say what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processors.report_text.reading import read_report

FOLDERS = ("github", "jira")
"""Below the folder of samples; one that is not there is passed over."""
CRASHES_SHOWN_MAX = 20
ADF_DEPTH_MAX = 50
_ITEMS = ("issue", "comment", "pull_request", "discussion", "release", "review")


@dataclass(slots=True)
class ReportTextFigures:
    """What was found. The shares are of the texts, of which most samples hold a line or two."""

    payloads: int = 0
    texts: int = 0
    steps: int = 0
    expected: int = 0
    actual: int = 0
    environment: int = 0
    version: int = 0
    hidden: int = 0
    """Texts that hide something from whoever looks at them."""
    crashes: int = 0
    troubles: list[str] = field(default_factory=list)
    """Names of the files whose text crashed a parser, with the kind of the error."""

    def share(self, found: int) -> float | None:
        """Return the share of the texts; None where there is none."""
        return found / self.texts if self.texts else None


def measure(folder: Path) -> ReportTextFigures:
    """Read the texts of every payload below `folder`; never raises for one, writes nothing."""
    figures = ReportTextFigures()
    for name in FOLDERS:
        for path in sorted((folder / name).rglob("*.json")):
            figures.payloads += 1
            try:
                payload = json.loads(path.read_bytes())
            except ValueError:
                continue
            for text in texts_of(payload):
                _count(figures, path.name, text)
    return figures


def _count(figures: ReportTextFigures, name: str, text: str) -> None:
    figures.texts += 1
    try:
        reading = read_report(text)
    except Exception as error:  # noqa: BLE001  # a crash is what is counted here
        figures.crashes += 1
        if len(figures.troubles) < CRASHES_SHOWN_MAX:
            figures.troubles.append(f"{name}: {type(error).__name__}")
        return
    figures.steps += bool(reading.parts.steps)
    figures.expected += bool(reading.parts.expected)
    figures.actual += bool(reading.parts.actual)
    figures.environment += bool(reading.parts.environment)
    figures.version += bool(reading.parts.version)
    figures.hidden += bool(reading.visible.hidden_count)


def texts_of(payload: object) -> Iterator[str]:
    """Yield the texts that people wrote in a payload of GitHub or Jira."""
    if not isinstance(payload, dict):
        return
    for name in _ITEMS:
        item = payload.get(name)
        if not isinstance(item, dict):
            continue
        fields = item.get("fields")
        body = fields.get("description") if isinstance(fields, dict) else item.get("body")
        text = body if isinstance(body, str) else "\n".join(_plain(body, depth=0))
        if text.strip():
            yield text


def _plain(node: Any, *, depth: int) -> Iterator[str]:
    """Yield the texts of a document in Atlassian's format, its marks left out."""
    if depth > ADF_DEPTH_MAX or not isinstance(node, dict):
        return
    if isinstance(said := node.get("text"), str):
        yield said
    children = node.get("content")
    for child in children if isinstance(children, list) else ():
        yield from _plain(child, depth=depth + 1)
