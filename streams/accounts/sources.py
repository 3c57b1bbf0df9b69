"""What projects name as their sources, as far as a provider can be asked for it.

Each by its whole name: a prefix (`jira:*`) names nothing that could be asked for, and only says
where a report belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from processors.projects import project_of
from schemas.event import Channel
from schemas.raw import Origin
from schemas.reports import UNASSIGNED

if TYPE_CHECKING:
    from streams.config import Settings


def named(settings: Settings, channel: Channel) -> list[str]:
    """Return the containers of `channel` that projects name as a whole, once each."""
    sources = [source for project in settings.project for source in project.sources]
    parts = [source.partition(":") for source in sources]
    found = [name for one, _, name in parts if one.casefold() == channel]
    return list(dict.fromkeys(name for name in found if name and not name.endswith("*")))


def has_source(settings: Settings, prefix: str) -> bool:
    """Return whether a source lies below `prefix`, or a prefix that is a source above it."""
    sources = [source.casefold() for project in settings.project for source in project.sources]
    return any(
        source.startswith(prefix) or (source.endswith("*") and prefix.startswith(source[:-1]))
        for source in sources
    )


def is_source(settings: Settings, channel: Channel) -> Callable[[str], bool]:
    """Return what says of a container of `channel` whether any project has it as a source."""

    def is_source(container: str) -> bool:
        origin = Origin(channel=channel, container=container, item="any")
        return project_of(settings.project, origin).project != UNASSIGNED

    return is_source
