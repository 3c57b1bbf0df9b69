"""Parse every sample of monitoring in a folder: what is understood, and that nothing crashes."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from connectors.channel import Delivery, Door, Post
from connectors.monitoring import DOORS
from processors.channels import monitoring
from processors.channels.parsed import Parsed
from schemas.errors import PoisonError, UserError
from schemas.event import Actor, derived_id
from schemas.raw import RawReceived
from schemas.reports import UNASSIGNED

FOLDERS = ("monitoring", "sentry", "alertmanager", "grafana", "pagerduty", "otlp")
"""Below the folder of samples; one that is not there is passed over."""
FILES_MAX = 10_000
CRASHES_SHOWN_MAX = 20
Fate = Literal["understood", "passed over", "not understood", "no door"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What became of the samples of one sender."""

    name: str
    samples: int
    understood: int
    passed_over: int
    """Of no interest, and answered as such: an installation, a ping."""
    no_door: int
    """Of a sender that there is no door for."""

    @property
    def share(self) -> float | None:
        """Return the share understood of what is of interest and has a door; None: there is none.

        None is not all of it: what was not looked at was not understood.
        """
        of_interest = self.samples - self.passed_over - self.no_door
        return self.understood / of_interest if of_interest else None


@dataclass(frozen=True, slots=True)
class MonitoringFigures:
    """What was measured."""

    kinds: tuple[Kind, ...]
    parsed: int
    """Every sample went through every door and its parser; so many times."""
    crashes: int
    crashed: tuple[str, ...]
    """The first of them: door, file and error."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One payload, and which door it belongs to; None: there is none."""

    file: str
    sender: str
    door: Door | None
    post: Post


def measure(folder: Path) -> MonitoringFigures:
    """Return the figures of the samples below `folder`. Raises `UserError` where there are none."""
    samples = list(_samples(folder))
    if not samples:
        names = ", ".join(FOLDERS)
        raise UserError(f"not run: no samples of monitoring in {folder} (looked in {names})")
    crashed = [
        f"{door.name}: {sample.file}: {problem}"
        for sample in samples
        for door in DOORS
        if (problem := _crash(door, sample.post)) is not None
    ]
    fates: dict[str, list[Fate]] = {}
    for sample in samples:
        fates.setdefault(sample.sender, []).append(_fate(sample))
    return MonitoringFigures(
        kinds=tuple(_kind(name, found) for name, found in sorted(fates.items())),
        parsed=len(samples) * len(DOORS),
        crashes=len(crashed),
        crashed=tuple(crashed[:CRASHES_SHOWN_MAX]),
    )


def _kind(name: str, fates: list[Fate]) -> Kind:
    return Kind(
        name=name,
        samples=len(fates),
        understood=fates.count("understood"),
        passed_over=fates.count("passed over"),
        no_door=fates.count("no door"),
    )


def _crash(door: Door, post: Post) -> str | None:
    try:
        _through(door, post)
    except Exception as error:  # noqa: BLE001  # A crash of any kind is what is counted.
        return f"{type(error).__name__}: {error}"[:300]
    return None


def _fate(sample: Sample) -> Fate:
    if sample.door is None:
        return "no door"
    try:
        found = _through(sample.door, sample.post)
    except Exception:  # noqa: BLE001  # Counted already.
        return "not understood"
    if found is None or not found:
        return "passed over"
    understood = all(one is not None and (one.text if one.comment else one.title) for one in found)
    return "understood" if understood else "not understood"


def _through(door: Door, post: Post) -> list[Parsed | None] | None:
    """Return what the parser made of each delivery; None where nothing was kept."""
    if door.reply(post) is not None:
        return None
    found: list[Parsed | None] = []
    for one in door.read(post):
        if isinstance(one, Delivery):
            body = post.body if one.body is None else one.body
            try:
                found.append(monitoring.parse(_raw(door, one, body), body))
            except PoisonError:
                found.append(None)
    return found


def _raw(door: Door, one: Delivery, body: bytes) -> RawReceived:
    event_id = derived_id(UUID(int=0), f"sample/{one.delivery_id}")
    return RawReceived(
        event_id=event_id,
        project=UNASSIGNED,
        actor=Actor.stage("bench"),
        occurred_at=datetime.fromtimestamp(0, UTC),
        correlation_id=event_id,
        origin=one.origin,
        route=f"{door.name}/{one.kind}" if one.kind else door.name,
        delivery_id=one.delivery_id,
        content_type="application/json",
        content_sha256=hashlib.sha256(body).hexdigest(),
        authenticated=True,
    )


def _samples(folder: Path) -> Iterator[Sample]:
    files = (
        path
        for name in FOLDERS
        for path in sorted((folder / name).rglob("*"))
        if path.is_file() and path.suffix in (".json", ".jsonl", ".ndjson", ".txt")
    )
    for path, _ in zip(files, range(FILES_MAX), strict=False):
        name = path.relative_to(folder).as_posix()
        for payload in _payloads(path):
            sender, door, made = _recognised(path, payload)
            headers = {"content-type": "application/json"}
            if sender == "sentry":
                headers["sentry-hook-resource"] = path.name.partition(".")[0]
            yield Sample(name, sender, door, Post(headers, json.dumps(made).encode()))


def _payloads(path: Path) -> Iterator[Any]:
    """Yield the payloads of a file: JSON, a line of JSON each, or templates written in Python.

    A file that is none of these is a payload as well: no door must stumble over it.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        if path.suffix == ".txt":
            yield from list(_templates(text))
            return
        parts = text.splitlines() if path.suffix in (".jsonl", ".ndjson") else [text]
        for found in [json.loads(part) for part in parts if part.strip()]:
            yield from found if isinstance(found, list) else [found]
    except (ValueError, SyntaxError, RecursionError):
        yield text


def _templates(text: str) -> Iterator[Any]:
    """Yield the payloads of `ALERTS = {...}`. The file is read, never run."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign):
            alerts = ast.literal_eval(node.value)
            values = alerts.values() if isinstance(alerts, dict) else ()
            payloads = [v["payload"] for v in values if isinstance(v, dict) and "payload" in v]
            yield from payloads or [alerts]


def _recognised(path: Path, payload: Any) -> tuple[str, Door | None, Any]:
    """Return the sender, its door, and the payload as that sender would post it."""
    doors = {door.name: door for door in DOORS}
    says = payload if isinstance(payload, dict) else {}
    event = says.get("event")
    name: str | None = None
    if isinstance(says.get("alerts"), list):
        name = "grafana" if "orgId" in says else "alertmanager"
    elif isinstance(event, dict) and "event_type" in event:
        name = "pagerduty"
    elif "resourceSpans" in says or "resourceLogs" in says:
        name = "otlp"
    elif "installation" in says or path.parent.name == "sentry":
        name = "sentry"
    elif isinstance(says.get("labels"), dict):
        # A template of one alert, such as a rule: it is posted as a group of one.
        name = "grafana" if "title" in says else "alertmanager"
        labels = {"alertname": says.get("title", ""), **says["labels"]}
        alert = {"status": "firing", **says, "labels": labels}
        return f"{name} (template)", doors[name], {"receiver": "samples", "alerts": [alert]}
    return (name, doors[name], payload) if name else (path.name.split(".")[0], None, payload)
