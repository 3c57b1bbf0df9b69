"""The doctor asks each provider who we are, and names what a person has to put right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.config import Settings
from streams.doctor_accounts import check_accounts
from streams.doctor_kafka import Check
from streams.json_server import Answer, Call, serving_calls
from tests.connectors.fakes import github_server, github_site, jira_site


def checks(folder: Path, *sources: str, **values: Any) -> dict[str, Check]:
    project = {"id": "shop", "sources": sources}
    settings = Settings.model_validate({"data_dir": folder, "project": [project], **values})
    return {one.name.removeprefix("account "): one for one in check_accounts(settings)}


def test_who_has_no_account_is_not_asked(tmp_path: Path) -> None:
    assert checks(tmp_path) == {}


@pytest.mark.parametrize(
    ("token", "source", "state", "says"),
    [
        (github_site.TOKEN, "github:acme/shop", "ok", "reads the issues of acme/shop"),
        ("canary", "github:acme/shop", "missing", "see github.token"),
        (github_site.TOKEN, "github:acme/other", "missing", "our account may not see it"),
    ],
)
def test_github_is_asked_who_we_are_and_for_each_repository(
    tmp_path: Path, token: str, source: str, state: str, says: str
) -> None:
    site = github_site.Site()
    site.add_repo("acme/shop")
    with github_server.serve(site) as url:
        account = {"url": f"{url}/api/v3", "token": token}
        found = checks(tmp_path, source, github=account)["github"]

    assert (found.state, says in found.found) == (state, True), found
    assert "canary" not in found.found


@pytest.mark.parametrize(
    ("token", "sources", "state", "says"),
    [
        (jira_site.TOKEN, ("jira:SHOP",), "ok", "reads the issues of SHOP"),
        ("canary", ("Jira:SHOP",), "missing", "see jira.email and jira.token"),
        ("canary", ("jira:*",), "ok", "not tried: no project has a source"),
    ],
)
def test_jira_is_asked_for_the_projects_that_are_sources(
    tmp_path: Path, token: str, sources: tuple[str, ...], state: str, says: str
) -> None:
    with jira_site.Site().serve() as url:
        account = {"url": url, "email": jira_site.EMAIL, "token": token}
        found = checks(tmp_path, *sources, jira=account)["jira"]

    assert (found.state, says in found.found) == (state, True), found
    assert "canary" not in found.found


def answering(call: Call) -> Answer:
    """Answer as each provider does to somebody it knows."""
    match call.path.rpartition("/")[2]:
        case "auth.test":
            return 200, {"ok": True, "team_id": "T1", "user_id": "U1", "bot_id": "B1"}
        case "@me":
            return 200, {"username": "bugs"}
        case "status":
            return 200, {"uptime": "2026-11-26T08:00:00Z"}
        case _:
            return 200, []


def refusing(call: Call) -> Answer:
    """Answer as each does to somebody it does not know."""
    if call.path.endswith("auth.test"):
        return 200, {"ok": False, "error": "invalid_auth"}
    return 401, {}


def test_the_others_are_asked_who_we_are(tmp_path: Path) -> None:
    with serving_calls(answering) as address:
        found = checks(tmp_path, "monitoring:sentry/shop", **accounts(address))

    assert {one.state for one in found.values()} == {"ok"}
    assert found["slack"].found == "signed in as U1 of workspace T1"
    assert found["discord"].found == "signed in as bugs"
    assert found["alertmanager"].found == "answers, and runs since 2026-11-26 08:00Z"
    assert found["sentry"].found == "reads the organization's issues"


def test_a_wrong_token_is_named_with_its_table(tmp_path: Path) -> None:
    with serving_calls(refusing) as address:
        found = checks(tmp_path, "monitoring:sentry/shop", **accounts(address))

    assert {one.state for one in found.values()} == {"missing"}
    assert found["sentry"].way_out == "Correct it under [sentry], or ask again when it answers."
    assert "set the bot's token" in found["discord"].found
    assert not any("canary" in one.found for one in found.values())


def accounts(address: str) -> dict[str, Any]:
    url = address.rstrip("/")
    return {
        "slack": {"url": url, "token": "canary"},
        "discord": {"url": url, "token": "canary"},
        "alertmanager": {"url": url, "token": "canary"},
        "sentry": {"url": url, "organization": "acme", "token": "canary"},
    }
