"""What the settings say in vain is named, before somebody waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from streams.config import HANDED_DOWN, Settings
from streams.oversights import oversights

BOX = {"address": "Bugs@acme.org", "password": "p", "imap_host": "mail.acme.org"}


def said(**values: Any) -> list[str]:
    return list(oversights(Settings.model_validate(values)))


def shop(**more: Any) -> tuple[dict[str, Any], ...]:
    return ({"id": "shop", "sources": ("email:bugs@acme.org",), **more},)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})


def test_settings_that_do_what_they_say_are_passed_over() -> None:
    found = said(
        webhook_secrets={"slack": ("s",), "slack-command": ("s",)},
        slack={"token": "t"},
        mailbox=(BOX,),
        project=shop(
            team=("Slack:T1/C1", "email:team@acme.org"), contacts={"github:ann": "email:ann@x.org"}
        ),
    )

    assert found == []
    assert said() == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BUGSTREAM_GITHUB_TOKEN", "BUGSTREAM_GITHUB__TOKEN"),
        ("bugstream_prot", "BUGSTREAM_PORT"),
        ("BUGSTREAM_DATADIR", "BUGSTREAM_DATA_DIR"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_right_name(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {name: "canary", HANDED_DOWN: "{}", "BUGSTREAM_PORT": "1"})

    assert said() == [f"{name} sets nothing; did you mean {meant}?"]


def test_a_secret_for_a_door_that_is_not_there_is_named() -> None:
    [near, far] = said(webhook_secrets={"slak": ("canary",), "zzz": ("canary",)})

    assert near == "webhook_secrets.slak opens no door; did you mean slack?"
    assert "pagerduty" in far
    assert "canary" not in near + far


@pytest.mark.parametrize(
    ("place", "way_out"),
    [
        ("slack:T1/C1", "set [slack]"),
        ("discord:1/2", "set [discord]"),
        ("email:team@acme.org", "set a [[mailbox]] with smtp_host"),
        ("jira:SHOP", "only slack:, discord: and email:"),
        ("github:acme/shop", "only slack:, discord: and email:"),
    ],
)
def test_a_place_that_nothing_can_be_told_at_is_named_with_what_it_takes(
    place: str, way_out: str
) -> None:
    for project in (shop(team=(place,)), shop(contacts={"github:ann": place})):
        [found] = said(project=project, jira={"url": "https://acme.example", "token": "t"})

        assert found.startswith(f"project shop: nothing can be told at {place}; {way_out}")


def test_what_only_posts_by_json_reaches_a_project_with_an_address_for_answers() -> None:
    project = {"id": "a", "sources": ("http:pager",), "answer_url": "https://x.example"}

    assert said(project=({**project, "team": ("http:pager",)},)) == []


def test_mail_that_belongs_to_no_project_is_named() -> None:
    [found] = said(mailbox=(BOX,), project=({"id": "shop"},))

    assert "no project has the source email:bugs@acme.org" in found


def test_a_source_of_two_projects_is_named() -> None:
    one, other = {"id": "a", "sources": ("jira:SHOP",)}, {"id": "b", "sources": ("jira:shop",)}

    assert said(project=(one, other)) == [
        "the source jira:shop stands in 2 projects; the first one has its reports"
    ]
