"""Which files named in reports may be fetched: the table `[attachments]` of the settings."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_URL = re.compile(r"https://(?P<host>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})(?P<path>/[!-~]*)")
_IP = re.compile(r"[0-9.]+")
URL_CHARS_MAX = 2_000
UNQUOTED_MAX = 4
"""How often a path may be quoted; what is more so is nobody's honest address."""


class AttachmentPolicy(BaseModel):
    """Nothing is fetched unless `allow` names where from, and it names nothing by itself.

    A fetch tells a stranger that the report was read, and brings in bytes of their choice. The
    big trackers' own upload hosts would not work either: they want a token or redirect, and
    neither is sent or followed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: tuple[str, ...] = ()
    """Beginnings of addresses, such as `https://files.example.org/logs/`: a host, and a folder."""
    bytes_max: int = Field(default=1024 * 1024, ge=1, le=16 * 1024 * 1024)
    """Of one file. What is larger is not fetched in part."""
    seconds_max: float = Field(default=10.0, gt=0, le=60)
    """For one file, from looking up the name to its last byte."""

    @field_validator("allow")
    @classmethod
    def _prefixes(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in allow:
            if not prefix.endswith("/") or parts_of(prefix) is None:
                raise ValueError(
                    f"{prefix[:80]!r}: write https://HOST/ or https://HOST/FOLDER/, in small"
                    " letters, without a port, and with a name for a host"
                )
        return allow

    def allows(self, url: str) -> bool:
        """Return whether `url` begins as the settings allow, however it is written."""
        asked = parts_of(url)
        if asked is None:
            return False
        allowed = (parts_of(prefix) for prefix in self.allow)
        return any(
            place is not None and asked[0] == place[0] and asked[1].startswith(place[1])
            for place in allowed
        )


def parts_of(url: str) -> tuple[str, str] | None:
    """Return host and path of an https address that means one thing to everybody; else None.

    No port, no credential, no number for a host, and no way out of a folder, written in any way.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if found is None or _IP.fullmatch(found["host"]):
        return None
    path = urlsplit(url).path
    plain = path
    for _ in range(UNQUOTED_MAX):
        plain = unquote(plain)
    is_odd = "\\" in plain or "//" in plain or any(ord(char) < 0x20 for char in plain)
    # Some servers take `..;x` for `..`, and unquote once more than others.
    steps = {step.partition(";")[0] for step in plain.split("/")}
    if is_odd or {".", ".."} & steps or "%2f" in path.lower() or unquote(plain) != plain:
        return None
    return found["host"], path
