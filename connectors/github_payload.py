"""What a payload of GitHub says of names and numbers, if they are such."""

from __future__ import annotations

import re
from typing import Any

UNKNOWN = "unknown"
REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_URL = re.compile(r"https?://[!-~]{1,1900}")
_LOGIN = re.compile(r"[\w.-]{1,100}(\[bot\])?", re.ASCII)


def account(user: dict[str, Any]) -> str:
    """Return what we call `user`; one that is no longer there, or has no name, is `ghost`."""
    return f"github:{fitting(_LOGIN, user.get('login')) or 'ghost'}"


def repository(payload: dict[str, Any]) -> str:
    """Return the repository that `payload` comes from, or `unknown`."""
    found = payload.get("repository")
    return fitting(REPOSITORY, found.get("full_name") if isinstance(found, dict) else "") or UNKNOWN


def url(value: object) -> str | None:
    """Return `value` if it is an http or https URL."""
    return fitting(_URL, value)


def number(value: object) -> str | None:
    """Return `value` as text if it is a number."""
    return str(value)[:20] if isinstance(value, int) and not isinstance(value, bool) else None


def fitting(pattern: re.Pattern[str], value: object) -> str | None:
    """Return `value` if it is a text of that form, else None."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
