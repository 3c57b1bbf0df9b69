"""Posts as Slack and Discord send them."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def signed(
    body: bytes, *, at: datetime | None = None, secret: str = SECRET, kind: str = "application/json"
) -> dict[str, str]:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "x-slack-signature": f"v0={mac.hexdigest()}",
        "x-slack-request-timestamp": stamp,
        "content-type": kind,
    }


def event(event_id: str = "Ev1", **fields: Any) -> dict[str, Any]:
    said = {
        "type": "message",
        "text": "bug: the total is wrong",
        "user": "U1",
        "team": "T1",
        "channel": "C1",
        "ts": "1700000000.000100",
        **fields,
    }
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event_id,
        "event": {name: value for name, value in said.items() if value is not None},
        "authorizations": [{"user_id": "UBOT", "is_bot": True}],
    }


def form(text: str, **fields: str) -> bytes:
    given = {
        "command": "/bug",
        "text": text,
        "team_id": "T1",
        "channel_id": "C1",
        "user_id": "U1",
        "trigger_id": "13.24.aa",
    }
    return urlencode(given | fields).encode()


def discord_signed(
    body: bytes, *, at: datetime | None = None, key: Ed25519PrivateKey = KEY
) -> dict[str, str]:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    return {
        "x-signature-ed25519": key.sign(stamp.encode() + body).hex(),
        "x-signature-timestamp": stamp,
        "content-type": "application/json",
    }


def interaction(kind: int = 2, **fields: Any) -> dict[str, Any]:
    return {
        "id": "900",
        "application_id": "1",
        "token": "t",
        "type": kind,
        "guild_id": "10",
        "channel_id": "20",
        "member": {"user": {"id": "30", "username": "ann"}},
        **fields,
    }


def typed(name: str, **values: str) -> dict[str, Any]:
    """Return `/bug NAME ...`."""
    options = [{"name": one, "type": 3, "value": value} for one, value in values.items()]
    below = {"name": name, "type": 1, "options": options}
    return interaction(data={"id": "5", "name": "bug", "type": 1, "options": [below]})


def dumped(payload: object) -> bytes:
    return json.dumps(payload).encode()
