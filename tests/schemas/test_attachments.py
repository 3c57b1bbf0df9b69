from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.attachments import AttachmentPolicy

POLICY = AttachmentPolicy(allow=("https://files.example.org/logs/",))


def test_nothing_is_allowed_unless_it_is_named() -> None:
    assert not AttachmentPolicy().allows("https://files.example.org/logs/a.txt")
    assert POLICY.allows("https://files.example.org/logs/a.txt")
    assert POLICY.allows("https://files.example.org/logs/7/a%20b.txt?token=x")
    assert POLICY.allows("https://files.example.org/logs/100%25;v=1.txt")


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.org/logs/a.txt",
        "https://files.example.org/other/a.txt",
        "https://files.example.org/logs",
        "https://files.example.org.evil.example/logs/a.txt",
        "https://evil.example/https://files.example.org/logs/a.txt",
        "https://files.example.org@evil.example/logs/a.txt",
        "https://user:pass@files.example.org/logs/a.txt",
        "https://files.example.org:8443/logs/a.txt",
        "https://files.example.org/logs/../secret",
        "https://files.example.org/logs/%2e%2e/secret",
        "https://files.example.org/logs/%252e%252e/secret",
        "https://files.example.org/logs/%25252e%25252e/secret",
        "https://files.example.org/logs/%2525252525252e/secret",
        "https://files.example.org/logs/..;/secret",
        "https://files.example.org/logs/..%3bx/secret",
        "https://files.example.org/logs/..%2fsecret",
        "https://files.example.org/logs/a%2Fb.txt",
        "https://files.example.org/logs/..%5csecret",
        "https://files.example.org/logs/\\evil",
        "https://files.example.org/logs//evil",
        "https://files.example.org/logs/a\r\nX: y",
        "https://files.example.org/logs/a b",
        "https://files.example.org/logs/" + "a" * 3000,
        "https://FILES.example.org/logs/a.txt",
        "javascript:https://files.example.org/logs/",
        "files.example.org/logs/a.txt",
        "log.txt",
        "",
    ],
)
def test_what_is_written_to_look_allowed_is_not(url: str) -> None:
    assert not POLICY.allows(url)


@pytest.mark.parametrize(
    "prefix",
    [
        "https://files.example.org/logs",
        "http://files.example.org/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://files.example.org:8443/",
        "https://a@files.example.org/",
        "https://files.example.org/../",
        "*",
    ],
)
def test_a_setting_that_allows_too_much_is_refused_with_the_way_out(prefix: str) -> None:
    with pytest.raises(ValidationError, match="write https://HOST/"):
        AttachmentPolicy(allow=(prefix,))
