"""Names and numbers of a payload are such, or they are none."""

from __future__ import annotations

from connectors.github_payload import account, number, repository, url


def test_what_is_a_name_gets_through() -> None:
    assert account({"login": "dependabot[bot]"}) == "github:dependabot[bot]"
    assert repository({"repository": {"full_name": "acme/shop.js"}}) == "acme/shop.js"
    assert url("https://github.example/acme/shop/issues/7") is not None
    assert number(7) == "7"


def test_what_is_none_does_not() -> None:
    assert account({"login": "a b"}) == account({}) == "github:ghost"
    assert repository({"repository": []}) == repository({}) == "unknown"
    assert repository({"repository": {"full_name": "a/b/c"}}) == "unknown"
    assert url("javascript:alert(1)") is None
    assert number(True) is number("7") is None
