"""Texts between the formats that trackers speak: Markdown, Jira's wiki markup, and ADF.

Nothing here raises, whatever comes in, and all of it takes linear time. Form may be lost, words are
not; nobody is mentioned and nothing is loaded by what comes out.
"""

from __future__ import annotations

from typing import Any

from processors.markup import from_adf, from_markdown, from_wiki, to_adf, to_markdown, to_wiki

__all__ = ["adf_to_markdown", "markdown_to_adf", "markdown_to_wiki", "wiki_to_markdown"]


def wiki_to_markdown(text: str) -> str:
    """Return Jira's wiki markup as Markdown."""
    return to_markdown.write(from_wiki.read(text))


def markdown_to_wiki(text: str) -> str:
    """Return Markdown as Jira's wiki markup."""
    return to_wiki.write(from_markdown.read(text))


def adf_to_markdown(document: object) -> str:
    """Return an ADF document, as JSON was parsed, as Markdown."""
    return to_markdown.write(from_adf.read(document))


def markdown_to_adf(text: str) -> dict[str, Any]:
    """Return Markdown as an ADF document that Atlassian's schema accepts."""
    return to_adf.write(from_markdown.read(text))
