"""An app's word is one that others can check, and its tokens are asked for as seldom as can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.github_http import GitHubHttp
from connectors.github_sign_in import App, Token
from schemas.errors import PoisonError, TransientError, UserError
from tests.connectors.fakes.github_app import pem, public_key

NOW_S = 1_800_000_000.0


def _elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


class GitHub:
    """Gives tokens, and counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.now_s = NOW_S
        self.answers: dict[str, httpx2.Response] = {}
        self.valid_s = 3600.0

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        word = request.headers["authorization"].removeprefix("Bearer ")
        options = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(word, public_key(), algorithms=["RS256"], options=options)
        assert claims["iss"] == "123"
        assert claims["iat"] < self.now_s < claims["exp"] <= self.now_s + 600
        assert claims["exp"] - claims["iat"] <= 600
        if request.url.path in self.answers:
            return self.answers[request.url.path]
        if request.method == "GET":
            return httpx2.Response(200, json={"id": 7 if "shop" in request.url.path else 8})
        until = datetime.fromtimestamp(self.now_s + self.valid_s, UTC).isoformat()
        said = {"token": f"ghs_{len(self.calls)}", "expires_at": until.replace("+00:00", "Z")}
        return httpx2.Response(201, json=said)

    def app(self, **more: Any) -> App:
        http = GitHubHttp("https://github.example", transport=httpx2.MockTransport(self.handle))
        return App(http, app_id="123", private_key=pem(), now=lambda: self.now_s, **more)


@pytest.fixture
def github() -> GitHub:
    return GitHub()


def test_a_token_is_what_it_is() -> None:
    token = Token("t")

    assert token.authorization("/user") == "Bearer t"
    assert not token.again("/user")
    assert not token.is_app


def test_an_app_asks_for_the_installation_and_for_a_token_once(github: GitHub) -> None:
    app = github.app()
    words = {app.authorization(path) for path in ("/repos/acme/shop", "/repos/acme/shop/issues")}

    assert words == {"Bearer ghs_2"}
    assert github.calls == [
        "GET /repos/acme/shop/installation",
        "POST /app/installations/7/access_tokens",
    ]
    assert app.authorization("/repos/acme/other") == "Bearer ghs_4"


def test_an_installation_that_is_known_is_not_asked_for(github: GitHub) -> None:
    app = github.app(installation_id=5)

    assert app.authorization("/user") == "Bearer ghs_1"
    assert github.calls == ["POST /app/installations/5/access_tokens"]


def test_a_token_is_renewed_before_it_ends(github: GitHub) -> None:
    app = github.app(installation_id=5)
    first = app.authorization("/repos/acme/shop")
    github.now_s += 3_299

    assert app.authorization("/repos/acme/shop") == first
    github.now_s += 2
    assert app.authorization("/repos/acme/shop") != first


def test_a_token_that_does_not_say_its_end_is_not_kept_long(github: GitHub) -> None:
    said = {"token": "ghs_x", "expires_at": "one day"}
    github.answers["/app/installations/5/access_tokens"] = httpx2.Response(201, json=said)
    app = github.app(installation_id=5)
    app.authorization("/user")
    github.now_s += 61
    app.authorization("/user")

    assert len(github.calls) == 2


def test_of_its_own_affairs_an_app_speaks_for_itself(github: GitHub) -> None:
    word = github.app().authorization("/app/hook/deliveries")

    assert word.count(".") == 2
    assert github.calls == []


def test_a_refused_token_is_forgotten_once(github: GitHub) -> None:
    app = github.app()
    first = app.authorization("/repos/acme/shop")

    assert app.again("/repos/acme/shop")
    assert not app.again("/repos/acme/shop")
    assert app.authorization("/repos/acme/shop") != first


def test_an_app_that_is_not_there_is_told_so(github: GitHub) -> None:
    github.answers["/repos/acme/shop/installation"] = httpx2.Response(404, json={})
    with pytest.raises(PoisonError, match="not installed on acme/shop"):
        github.app().authorization("/repos/acme/shop")
    with pytest.raises(PoisonError, match="installation_id"):
        github.app().authorization("/user")


@pytest.mark.parametrize("value", [{}, [], {"id": "x"}, {"id": True}, {"id": -1}])
def test_an_odd_answer_is_no_installation(github: GitHub, value: Any) -> None:
    github.answers["/repos/acme/shop/installation"] = httpx2.Response(200, json=value)
    with pytest.raises(TransientError, match="installation"):
        github.app().authorization("/repos/acme/shop")


def test_an_answer_without_a_token_is_none(github: GitHub) -> None:
    github.answers["/app/installations/5/access_tokens"] = httpx2.Response(201, json={})
    with pytest.raises(TransientError, match="no token"):
        github.app(installation_id=5).authorization("/user")


def test_a_key_with_its_breaks_written_out_is_read(github: GitHub) -> None:
    http = GitHubHttp("https://github.example", transport=httpx2.MockTransport(github.handle))
    app = App(http, app_id="123", private_key=pem().replace("\n", "\\n"))

    assert app.jwt().count(".") == 2


@pytest.mark.parametrize("key_text", ["", "no key", _elliptic()])
def test_what_is_no_key_is_said_to_the_person_who_set_it(github: GitHub, key_text: str) -> None:
    http = GitHubHttp("https://github.example", transport=httpx2.MockTransport(github.handle))
    with pytest.raises(UserError, match=r"github\.private_key"):
        App(http, app_id="123", private_key=key_text)
