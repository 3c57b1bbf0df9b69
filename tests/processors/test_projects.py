from __future__ import annotations

from processors.projects import is_member, project_of, trust_of
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import UNASSIGNED, Trust

SHOP = Project(id="shop", sources=("github:acme/shop",), members=("http:ann",))
REST = Project(id="rest", sources=("github:acme/*",))


def origin(container: str) -> Origin:
    return Origin(channel="github", container=container, item="1")


def test_the_longest_matching_source_wins() -> None:
    assert project_of((REST, SHOP), origin("acme/Shop")).project == "shop"
    assert project_of((REST, SHOP), origin("acme/other")).project == "rest"


def test_what_maps_to_none_is_unassigned_and_says_why() -> None:
    mapping = project_of((SHOP,), origin("evil/shop"))

    assert mapping.project == UNASSIGNED
    assert "github:evil/shop" in mapping.reason


def test_github_members_and_listed_people_are_trusted() -> None:
    assert trust_of(None, account="github:x", association="OWNER")[0] is Trust.MEMBER
    assert trust_of(SHOP, account="http:Ann", association="")[0] is Trust.MEMBER
    assert trust_of(SHOP, account="github:x", association="CONTRIBUTOR")[0] is Trust.STRANGER


def test_another_channel_cannot_claim_to_be_a_github_member() -> None:
    assert trust_of(SHOP, account="http:eve", association="OWNER")[0] is Trust.STRANGER


def test_only_who_is_listed_in_a_project_is_its_member() -> None:
    assert is_member(SHOP, "HTTP:Ann")
    assert not is_member(SHOP, "slack:T1:ann")
    assert not is_member(None, "http:ann")


def test_a_letter_that_only_folds_to_one_of_a_members_is_another_persons() -> None:
    shop = SHOP.model_copy(update={"members": ("email:susan.k@acme.org", "jira:Übel")})

    assert is_member(shop, "email:Susan.K@acme.org")
    assert is_member(shop, "jira:ÜBEL")
    for account in ("email:\u017fusan.k@acme.org", "email:susan.\u212a@acme.org"):
        assert not is_member(shop, account)
