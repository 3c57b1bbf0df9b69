"""Alertmanager: posts groups of alerts with a token, and again until it hears 2xx.

It sends again what was answered 5xx and drops what was answered 4xx, so our own trouble is 5xx.
"""

from __future__ import annotations

from functools import partial

from connectors.channel import Door
from connectors.monitoring.groups import read_group
from connectors.monitoring.parts import BEARER_HINT, bearer_refusal, looks_like_bearer

DOOR = Door(
    name="alertmanager",
    channel="monitoring",
    path="/webhooks/alertmanager",
    looks_signed=looks_like_bearer,
    refusal=bearer_refusal,
    read=partial(read_group, "alertmanager"),
    hint=BEARER_HINT,
    recovery=(
        "Alertmanager sends again what still fires; what fires is asked for too, and what is over"
        " is closed. An alert that began and ended meanwhile cannot be recovered."
    ),
)
