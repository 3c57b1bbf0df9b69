"""Grafana: posts groups of alerts, signed where its contact point has a secret, else a token.

Its signature is bare hex; with a timestamp header it is made over `timestamp:body`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from connectors.channel import Door, Post, is_hex_hmac, is_recent
from connectors.monitoring.groups import read_group
from connectors.monitoring.parts import bearer_refusal, looks_like_bearer

WINDOW_S = 300
_SIGNATURE = "x-grafana-alerting-signature"
_TIMESTAMPS = ("x-grafana-alerting-signature-timestamp", "x-grafana-alerting-timestamp")
"""Grafana lets people name it; these are the names in its own texts."""


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return _SIGNATURE in headers or looks_like_bearer(headers)


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    signature = post.headers.get(_SIGNATURE)
    if signature is None:
        return bearer_refusal(post, secrets, now)
    said = next((post.headers[name] for name in _TIMESTAMPS if name in post.headers), None)
    signed = post.body if said is None else said.encode("utf-8", "replace") + b":" + post.body
    if not is_hex_hmac(signed, signature.strip(), secrets):
        return "signature"
    is_late = said is not None and not is_recent(said, now, window_s=WINDOW_S)
    return "late" if is_late else None


DOOR = Door(
    name="grafana",
    channel="monitoring",
    path="/webhooks/grafana",
    looks_signed=_looks_signed,
    refusal=_refusal,
    read=partial(read_group, "grafana"),
    recovery=(
        "Grafana repeats what still fires; it cannot be asked by us, so what was over meanwhile"
        " stays open."
    ),
    hint=(
        "send X-Grafana-Alerting-Signature made with the door's secret (its timestamp header, if"
        " any, must be X-Grafana-Alerting-Signature-Timestamp), or the secret as a bearer token"
    ),
)
