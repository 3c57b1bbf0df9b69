"""GitHub's REST API: the few calls that are needed to answer an issue and to catch up.

Every call is held against GitHub's own description in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from connectors.channel import listed, text
from connectors.github_http import GitHubHttp, UnauthorizedError
from connectors.github_sign_in import SignIn
from connectors.http_caller import Answer
from schemas.errors import PoisonError, RefusedError, TransientError

PAGES_MAX = 50
PAGE_ITEMS = 100
_NAME = re.compile(r"(?!\.{1,2}(?:/|$))[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d{0,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and where it goes on."""

    items: tuple[dict[str, Any], ...]
    following: str | None
    """What `page` takes to go on; None: this was the last."""
    etag: str = ""
    is_unchanged: bool = False
    """Whether nothing is new since the `etag` that was given; then `items` is empty."""


class GitHubClient:
    """One GitHub, as one account. Thread-safe."""

    def __init__(self, http: GitHubHttp, sign_in: SignIn) -> None:
        """Call over `http` as whoever `sign_in` says."""
        self._http = http
        self._sign_in = sign_in
        self._login: str | None = None

    def __enter__(self) -> Self:
        """Return itself; leaving closes the connections."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    @property
    def is_app(self) -> bool:
        """Return whether we are an app, which alone may write check runs."""
        return self._sign_in.is_app

    def login(self) -> str | None:
        """Return the name that stands beside what we write; None where GitHub does not tell.

        Some tokens, such as that of a workflow, may not ask. Raises `TransientError`.
        """
        if self._login is None:
            try:
                if self._sign_in.is_app:
                    slug = text(self.get("/app").get("slug"))
                    self._login = f"{slug}[bot]" if slug else ""
                else:
                    self._login = text(self.get("/user").get("login"))
            except PoisonError:
                self._login = ""
        return self._login or None

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the object at `path`."""
        return _object(self.call("GET", path, query=query).value)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write, and return the object that was answered; of a list an empty one.

        Raises `TransientError` also where it is not known whether it got through.
        """
        return _object(self.call(method, path, body=body).value)

    def page(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        under: str = "",
        etag: str = "",
    ) -> Page:
        """Return one page of the list at `path`, or at the `following` of the page before.

        `under` is the key of the list where an object is answered. With the `etag` of an earlier
        answer to the very same question an unchanged list costs nothing of the hourly limit.
        """
        if "?" not in path:
            query = {"per_page": str(PAGE_ITEMS), **(query or {})}
        answer = self.call("GET", path, query=query, etag=etag)
        value = answer.value if under else {"items": answer.value}
        following = self._http.next_query(answer)
        return Page(
            items=() if answer.status == 304 else tuple(listed(value, under or "items", "GitHub")),
            following=f"{path.partition('?')[0]}?{following}" if following else None,
            etag=answer.headers.get("etag", "")[:200],
            is_unchanged=answer.status == 304,
        )

    def items(
        self, path: str, query: Mapping[str, str] | None = None, *, under: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Yield the whole list at `path`. Raises `TransientError` where it does not end."""
        page = self.page(path, query, under=under)
        for _ in range(PAGES_MAX):
            yield from page.items
            if page.following is None:
                return
            page = self.page(page.following, under=under)
        raise TransientError(f"GitHub's list has more than {PAGES_MAX} pages: ask for less")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        etag: str = "",
    ) -> Answer:
        """Return the answer. A token that has gone bad is renewed once, where that is possible."""
        try:
            return self._once(method, path, query, body, etag)
        except UnauthorizedError as error:
            if not self._sign_in.again(path):
                raise self._unknown(error) from error
        try:
            return self._once(method, path, query, body, etag)
        except UnauthorizedError as error:
            raise self._unknown(error) from error

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        etag: str,
    ) -> Answer:
        return self._http.call(
            method,
            path,
            authorization=self._sign_in.authorization(path),
            query=query,
            body=body,
            etag=etag,
        )

    def _unknown(self, error: UnauthorizedError) -> RefusedError:
        return RefusedError(f"{error}; see {self._sign_in.setting} in the settings")


def repo_path(repository: str) -> str:
    """Return the path of `owner/name`. Raises `PoisonError` when it is no such name."""
    if not _NAME.fullmatch(repository):
        raise PoisonError(f"{repository[:80]!r} is no repository of GitHub")
    return f"/repos/{repository}"


def issue_path(repository: str, number: str) -> str:
    """Return the path of an issue or pull request. Raises `PoisonError` when it is none."""
    if not _NUMBER.fullmatch(number):
        raise PoisonError(f"{number[:40]!r} is no number of an issue")
    return f"{repo_path(repository)}/issues/{number}"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
