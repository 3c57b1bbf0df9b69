"""Answer an issue with a comment, once, and show on it by a label how its bug stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from urllib.parse import quote
from uuid import UUID

from connectors.channel import child, plain, text
from connectors.github_client import GitHubClient, issue_path, repo_path
from connectors.github_http import RefusalError
from schemas.raw import LABEL_DESCRIPTION, Origin, is_ours, origin_line

BODY_CHARS_MAX = 65_536
LABEL_COLOUR = "1d76db"
KNOWN_LABELS_MAX = 10_000
_CUT = "…"


class GitHubMessenger:
    """A `Messenger` for issues and pull requests of GitHub."""

    def __init__(self, client: GitHubClient, quiet: Callable[[str], str]) -> None:
        """`quiet` takes from Markdown what would notify people or refer to other items."""
        self._client = client
        self._quiet = quiet

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the id of the comment that was posted with `key` before.

        Only of comments by our own account: anybody can copy a line. Where GitHub does not tell
        which that is, such as to a workflow, only of those by programs. Raises `TransientError`
        when GitHub cannot be asked.
        """
        login = self._client.login()
        path = f"{issue_path(origin.container, origin.item)}/comments"
        for comment in self._client.items(path):
            if _is_by(child(comment, "user"), login) and is_ours(text(comment.get("body")), key):
                return plain(comment.get("id"))
        return None

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text`, Markdown, unless it is there, and return the comment's id.

        Raises `TransientError` when it may work later, also where it is not known whether it got
        through; `PoisonError` when GitHub refuses it, such as for a locked issue.
        """
        found = self.find(origin, key)
        if found is not None:
            return found
        path = f"{issue_path(origin.container, origin.item)}/comments"
        said = self._client.send("POST", path, {"body": marked(self._quiet(text), key)})
        return plain(said.get("id")) or "unknown"


def _is_by(author: Mapping[str, object], login: str | None) -> bool:
    if login is None:
        return author.get("type") == "Bot"
    return text(author.get("login")).casefold() == login.casefold()


def marked(text: str, key: UUID) -> str:
    """Return `text`, cut to what GitHub takes, with a last line that nobody sees."""
    marker = f"\n\n<!-- {origin_line(key)} -->"
    room = BODY_CHARS_MAX - len(marker)
    shown = text.rstrip()
    if len(shown) > room:
        shown = shown[: room - len(_CUT)] + _CUT
    return shown + marker


class GitHubTracker:
    """A `Tracker` by labels: one of ours on each issue, and never another's touched."""

    def __init__(
        self, client: GitHubClient, labels: Mapping[str, str], *, prefix: str = ""
    ) -> None:
        """`labels` says which shows which outcome; those that begin with `prefix` are ours too."""
        self._client = client
        self._labels = dict(labels)
        self._ours = frozenset(name.casefold() for name in labels.values())
        self._prefix = prefix.casefold()
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()

    def mark(self, origin: Origin, outcome: str) -> str | None:
        """Show `outcome` as a label, and return its name; None: no label is for that.

        Doing it again changes nothing. Raises `TransientError`, and `PoisonError` where GitHub
        refuses it.
        """
        label = self._labels.get(outcome)
        if label is None:
            return None
        path = f"{issue_path(origin.container, origin.item)}/labels"
        there = [text(one.get("name")) for one in self._client.items(path)]
        if label.casefold() not in {name.casefold() for name in there}:
            self._make(origin.container, label)
            self._client.send("POST", path, {"labels": [label]})
        # The new one first: the issue shows how it stands all the time.
        for name in there:
            if name.casefold() != label.casefold() and self._is_ours(name):
                self._drop(path, name)
        return label

    def _is_ours(self, name: str) -> bool:
        folded = name.casefold()
        return folded in self._ours or bool(self._prefix and folded.startswith(self._prefix))

    def _make(self, repository: str, label: str) -> None:
        """Make the label in the repository, unless it is there."""
        with self._lock:
            if (repository, label) in self._known:
                return
        path = f"{repo_path(repository)}/labels"
        try:
            self._client.get(f"{path}/{quote(label, safe='')}")
        except RefusalError as error:
            if error.status != 404:
                raise
            self._create(path, label)
        with self._lock:
            if len(self._known) >= KNOWN_LABELS_MAX:
                self._known.clear()
            self._known.add((repository, label))

    def _create(self, path: str, label: str) -> None:
        body = {"name": label, "color": LABEL_COLOUR, "description": LABEL_DESCRIPTION}
        try:
            self._client.send("POST", path, body)
        except RefusalError as error:
            if error.status != 422:  # Else somebody made it since we looked.
                raise

    def _drop(self, path: str, name: str) -> None:
        try:
            self._client.send("DELETE", f"{path}/{quote(name, safe='')}")
        except RefusalError as error:
            if error.status != 404:  # Else somebody took it away since we looked.
                raise
