"""Answer an issue with a comment, once, that is known as ours when it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from connectors.jira_client import Category, JiraClient
from schemas.raw import Origin, origin_line

TEXT_CHARS_MAX = 28_000
"""Jira takes 32,767 characters of a comment; the rest is for the marker and for signs."""


class JiraMessenger:
    """A `Messenger` for issues of Jira."""

    def __init__(self, client: JiraClient, to_adf: Callable[[str], Mapping[str, Any]]) -> None:
        """`to_adf` turns Markdown into the document that Jira wants."""
        self._client = client
        self._to_adf = to_adf

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the id of the comment that was posted with `key` before.

        Raises `TransientError` when Jira cannot be asked.
        """
        return self._client.find_comment(origin.item, key)

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text`, Markdown, unless it is there, and return the comment's id.

        Raises `TransientError` when it may work later, also where it is not known whether it got
        through; `PoisonError` when Jira refuses it.
        """
        found = self.find(origin, key)
        if found is not None:
            return found
        shown = text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…"
        document = dict(self._to_adf(shown))
        # Added as a block of its own: a text that was cut inside a code block would swallow it.
        marker = {"type": "paragraph", "content": [{"type": "text", "text": origin_line(key)}]}
        document["content"] = [*document["content"], marker]
        return self._client.add_comment(origin.item, document)


class JiraTracker:
    """A `Tracker` that moves an issue to a status of the category that settings name."""

    def __init__(self, client: JiraClient, categories: Mapping[str, Category]) -> None:
        """`categories` has one for each outcome that moves an issue."""
        self._client = client
        self._categories = categories

    def mark(self, origin: Origin, outcome: str) -> str | None:
        """Move the issue, and return the category it has now; None: it is not moved for this.

        None as well where its workflow has no way there, or one that asks for a person's word.
        """
        category = self._categories.get(outcome)
        if category is None or self._client.move(origin.item, category) == "impossible":
            return None
        return category
