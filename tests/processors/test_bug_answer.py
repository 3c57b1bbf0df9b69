from __future__ import annotations

from processors.bug_answer import Answer
from processors.bug_state import evolve
from schemas.projects import Project
from schemas.raw import Origin
from schemas.tell import Tell
from tests.factories import LINK, opened

SHOP = Project(id="shop", git_url="file:///srv/shop.git")


def test_what_it_yields_has_ids_of_its_own_and_the_project_of_the_bug() -> None:
    cause = opened().model_copy(update={"project": "elsewhere"})
    answer = Answer(evolve(None, opened()), cause, SHOP, Tell())

    first, second = answer._next(), answer._next()  # made for subclasses

    assert first["event_id"] != second["event_id"]
    assert first["project"] == "shop"
    assert first["causation_id"] == cause.event_id


def test_two_reports_in_one_place_are_answered_there_once() -> None:
    cause = opened()
    answer = Answer(evolve(None, cause), cause, SHOP, Tell())
    elsewhere = Origin(channel="slack", container="T/C", item="1.2")
    links = (LINK, LINK, LINK.model_copy(update={"origin": elsewhere}))

    told = list(answer._told_reporters(links, "duplicate"))  # made for subclasses

    assert len(told) == 2
