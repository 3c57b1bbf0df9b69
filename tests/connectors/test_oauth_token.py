"""Tokens are asked for in time, once, and what the provider says is told in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx2
import pytest

from connectors.oauth_token import ANSWER_BYTES_MAX, FRESH_S_MIN, OAuthToken
from schemas.accounts.mailbox import OAuth
from schemas.errors import TransientError, UserError

URL = "https://id.example/token"


@dataclass
class Provider:
    """Answers with what `says` returns, and keeps what it was asked."""

    says: Callable[[int], httpx2.Response]
    asked: list[dict[str, str]] = field(default_factory=list)
    now_s: float = 0.0

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url)) == ("POST", URL)
        form = parse_qs(request.content.decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        return self.says(len(self.asked))

    def token(self, **settings: object) -> OAuthToken:
        account = OAuth.model_validate({"token_url": URL, "client_id": "us", **settings})
        transport = httpx2.MockTransport(self.answer)
        return OAuthToken(account, transport=transport, now_s=lambda: self.now_s)


def good(number: int) -> httpx2.Response:
    found = {"access_token": f"t{number}", "expires_in": 3600, "refresh_token": f"r{number}"}
    return httpx2.Response(200, json=found)


def test_a_token_is_used_until_shortly_before_it_ends_and_the_newest_refresh_counts() -> None:
    provider = Provider(good)
    token = provider.token(refresh_token="r0", client_secret="s", scope="mail")

    assert token.get() == token.get() == "t1"
    provider.now_s = 3600 - FRESH_S_MIN + 1
    assert token.get() == "t2"
    token.forget()
    assert token.get() == "t3"
    assert [form["refresh_token"] for form in provider.asked] == ["r0", "r1", "r2"]
    assert provider.asked[0] == {
        "client_id": "us",
        "client_secret": "s",
        "scope": "mail",
        "grant_type": "refresh_token",
        "refresh_token": "r0",
    }


def test_without_a_refresh_token_the_client_signs_in_for_itself() -> None:
    provider = Provider(lambda _: httpx2.Response(200, json={"access_token": "t"}))

    assert provider.token(client_secret="s").get() == "t"
    assert provider.asked[0]["grant_type"] == "client_credentials"


def test_a_token_that_somebody_else_keeps_fresh_is_never_asked_for() -> None:
    assert OAuthToken(OAuth.model_validate({"token": "given"})).get() == "given"


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (httpx2.Response(400, json={"error": "invalid_grant"}), UserError, "invalid_grant"),
        (httpx2.Response(401, content=b"<html>"), UserError, "refresh_token"),
        (httpx2.Response(503), TransientError, "503"),
        (httpx2.Response(200, json=["odd"]), TransientError, "200"),
        (httpx2.Response(302, headers={"location": "https://evil.example"}), TransientError, "302"),
        (httpx2.Response(200, content=b"x" * (ANSWER_BYTES_MAX + 1)), TransientError, "larger"),
    ],
)
def test_a_refusal_is_told_in_words(
    answer: httpx2.Response, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        Provider(lambda _: answer).token(refresh_token="very-secret").get()

    assert "very-secret" not in str(raised.value)


def test_a_provider_that_is_away_is_asked_later() -> None:
    def away(_: int) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(TransientError, match="cannot be reached"):
        Provider(away).token(refresh_token="r").get()
