"""Who we are at GitHub: a token, or an app that gets tokens for an hour at a time."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.channel import child, plain, text
from connectors.github_http import GitHubHttp
from schemas.errors import PoisonError, TransientError, UserError

JWT_S = 540
"""How long a word of the app itself holds: GitHub takes ten minutes at most."""
CLOCKS_APART_S = 60
EARLY_S = 300
"""How long before its end a token is given up: a call that has begun must not outlive it."""
INSTALLATIONS_MAX = 1_000
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)")


class SignIn(Protocol):
    """Vouches for us, call by call."""

    @property
    def is_app(self) -> bool:
        """Return whether it is an app, which alone may write check runs."""

    @property
    def setting(self) -> str:
        """Return what a person should look at when GitHub does not know us."""

    def authorization(self, path: str) -> str:
        """Return the header for a call of `path`. Raises as a call does."""

    def again(self, path: str) -> bool:
        """Forget what was refused. Return whether a second try brings something new."""


@dataclass(frozen=True, slots=True)
class Token:
    """A personal access token, or one that somebody else renews."""

    token: str
    is_app: bool = False
    setting: str = "github.token"

    def authorization(self, path: str) -> str:
        """Return the header, always the same."""
        del path
        return f"Bearer {self.token}"

    def again(self, path: str) -> bool:
        """Return False: there is no other token."""
        del path
        return False


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    until_s: float


class App:
    """A GitHub App. Its tokens are for one installation each and are renewed in time."""

    is_app = True
    setting = "github.app_id and github.private_key"

    def __init__(
        self,
        http: GitHubHttp,
        *,
        app_id: str,
        private_key: str,
        installation_id: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Without an `installation_id` that of each repository is asked for.

        Raises `UserError` when `private_key` is none.
        """
        self._http = http
        self._app_id = app_id
        self._key = _rsa(private_key)
        self._installation_id = installation_id
        self._now = now
        self._lock = threading.Lock()
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, _Held] = {}

    def authorization(self, path: str) -> str:
        """Return the header: the app's own word for its own affairs, else an installation's."""
        if path == "/app" or path.startswith("/app/"):
            return f"Bearer {self.jwt()}"
        with self._lock:
            return f"Bearer {self._token(self._installation(path))}"

    def again(self, path: str) -> bool:
        """Forget the token for `path`, and which installation it is of: it may be a new one."""
        with self._lock:
            held = self._installations.pop(_repository(path) or "", self._installation_id)
            return held is not None and self._tokens.pop(held, None) is not None

    def jwt(self) -> str:
        """Return the app's own word, signed, good for nine minutes."""
        issued = int(self._now()) - CLOCKS_APART_S
        claims = {"iat": issued, "exp": issued + JWT_S, "iss": self._app_id}
        signed = b".".join(_part(one) for one in ({"alg": "RS256", "typ": "JWT"}, claims))
        return b".".join([signed, _base64(self._key.sign(signed, PKCS1v15(), SHA256()))]).decode()

    def _installation(self, path: str) -> int:
        if self._installation_id is not None:
            return self._installation_id
        repository = _repository(path)
        if repository is None:
            raise PoisonError(f"an app without github.installation_id cannot ask for {path[:80]!r}")
        if repository not in self._installations:
            try:
                said = self._ask("GET", f"/repos/{repository}/installation")
            except PoisonError as error:
                raise PoisonError(f"our GitHub App is not installed on {repository}") from error
            number = plain(child(said).get("id")) or ""
            if not number.isdecimal():
                raise TransientError("GitHub names no installation of the app")
            if len(self._installations) >= INSTALLATIONS_MAX:
                self._installations.clear()
            self._installations[repository] = int(number)
        return self._installations[repository]

    def _token(self, installation: int) -> str:
        held = self._tokens.get(installation)
        if held is None or held.until_s - EARLY_S <= self._now():
            said = self._ask("POST", f"/app/installations/{installation}/access_tokens")
            got = child(said)
            token = text(got.get("token"))
            if not token:
                raise TransientError("GitHub gives the app no token")
            held = _Held(token, _until_s(text(got.get("expires_at")), self._now()))
            self._tokens[installation] = held
        return held.token

    def _ask(self, method: str, path: str) -> object:
        return self._http.call(method, path, authorization=f"Bearer {self.jwt()}").value


def _repository(path: str) -> str | None:
    found = _REPOSITORY.match(path)
    return found[1].lower() if found else None


def _until_s(said: str, now_s: float) -> float:
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        return now_s + EARLY_S + 60.0


def _rsa(pem: str) -> RSAPrivateKey:
    try:
        # In an environment variable the breaks of lines are often written out.
        key = load_pem_private_key(pem.replace("\\n", "\n").strip().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UserError("github.private_key is no unlocked private key in PEM") from error
    if not isinstance(key, RSAPrivateKey):
        raise UserError("github.private_key must be an RSA key: take the one that GitHub made")
    return key


def _part(value: object) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
