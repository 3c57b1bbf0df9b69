"""Settings that are right by themselves and still do not do what a person meant by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from processors.projects import project_of
from schemas.raw import Origin
from streams.channels import DOORS
from streams.config import Settings, unknown_variables

_ALONE = {"slack": "[slack]", "discord": "[discord]", "email": "a [[mailbox]] with smtp_host"}
"""Channels in which a message can stand that answers nothing, and what it takes to write there."""


def oversights(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each. Asks nobody."""
    yield from unknown_variables()
    yield from _doors(settings)
    yield from _places(settings)
    yield from _sources(settings)


def _doors(settings: Settings) -> Iterator[str]:
    names = [door.name for door in DOORS if door.name != "github"]
    for given in settings.webhook_secrets:
        if given not in names:
            near = get_close_matches(given, names, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            yield f"webhook_secrets.{given[:60]} opens no door; {meant}"


def _places(settings: Settings) -> Iterator[str]:
    for project in settings.project:
        everybody = (*project.team_places, *project.places_of(tuple(project.contacts)))
        for place in dict.fromkeys(everybody):
            if (wanted := _wanted(settings, place)) is not None:
                name = f"{place.channel}:{place.container}"
                yield f"project {project.id}: nothing can be told at {name}; {wanted}"


def _wanted(settings: Settings, place: Origin) -> str | None:
    """Return what it takes to write there; None: nothing more."""
    has_account = {
        "slack": settings.slack is not None,
        "discord": settings.discord is not None,
        "email": any(box.answers and box.smtp_host_used for box in settings.mailbox),
    }
    if place.channel in _ALONE:
        return None if has_account[place.channel] else f"set {_ALONE[place.channel]}"
    project = settings.project_of(project_of(settings.project, place).project)
    if place.channel == "jira" or project is None or project.answer_url is None:
        return "only slack:, discord: and email: have room for a message of its own"
    return None


def _sources(settings: Settings) -> Iterator[str]:
    named = Counter(
        source.casefold() for one in settings.project for source in dict.fromkeys(one.sources)
    )
    for source, count in named.items():
        if count > 1:
            yield f"the source {source} stands in {count} projects; the first one has its reports"
    for box in settings.mailbox:
        place = Origin(channel="email", container=box.container, item="-")
        mapped = project_of(settings.project, place).project
        if box.imap_host and settings.project_of(mapped) is None:
            yield (
                f"mailbox {box.address}: no project has the source email:{box.container}, so what"
                " comes in there is sorted and never fixed"
            )
