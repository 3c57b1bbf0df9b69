"""Jira payloads of our own making, in the shapes of Cloud and Server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

ANN = {"accountId": "5c5f:ann", "displayName": "Ann"}
BOB = {"name": "bob", "key": "JIRAUSER1", "displayName": "Bob"}


def issue(**fields: Any) -> dict[str, Any]:
    return {
        "id": "10001",
        "key": "SHOP-7",
        "self": "https://shop.example/jira/rest/api/2/issue/10001",
        "fields": {
            "summary": "Total is wrong",
            "description": "It says *3*.",
            "environment": None,
            "priority": {"name": "High"},
            "status": {"name": "To Do", "statusCategory": {"key": "new"}},
            "labels": [],
            "reporter": ANN,
            "assignee": None,
            "versions": [],
            "components": [],
            "created": "2026-01-02T03:04:05.678-0800",
            "updated": "2026-01-03T03:04:05.678-0800",
            **fields,
        },
    }


def payload(event: str = "jira:issue_updated", **changes: Any) -> dict[str, Any]:
    return {"webhookEvent": event, "timestamp": 1, "user": BOB, "issue": issue(), **changes}


def comment(body: Any = "Me *too*", number: str = "20001") -> dict[str, Any]:
    return {
        "id": number,
        "self": f"https://shop.example/jira/rest/api/2/issue/10001/comment/{number}",
        "author": ANN,
        "updateAuthor": BOB,
        "body": body,
        "created": "2026-01-02T03:04:05.678+0000",
    }


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def token(claims: Any, secret: str = "s", header: Any = None) -> str:
    parts = [
        base64.urlsafe_b64encode(encoded(part)).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "typ": "JWT"} if header is None else header, claims)
    ]
    mac = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])
