"""What the settings name is asked, each once, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.jira_poller import JiraPoller
from streams.channels import pollers
from streams.config import Settings

ACCOUNTS: dict[str, dict[str, Any]] = {
    "jira": {"url": "https://acme.atlassian.net", "token": "t"},
    "slack": {"token": "xoxb-1"},
    "alertmanager": {"url": "http://alertmanager:9093"},
    "sentry": {"organization": "acme", "token": "t"},
}
SOURCES = (
    *("jira:SHOP", "jira:TILL", "slack:T1/C1", "slack:T1/C2", "github:acme/shop"),
    *("monitoring:alertmanager/shop-team", "monitoring:sentry/shop"),
)


def settings(folder: Path, *sources: str, **changes: Any) -> Settings:
    accounts = {name: account | changes for name, account in ACCOUNTS.items()}
    projects = [{"id": "one", "sources": sources[:3]}, {"id": "two", "sources": sources[3:]}]
    return Settings.model_validate({"data_dir": folder, "project": projects, **accounts})


def names(given: Settings) -> list[str]:
    return [poller.name for poller in pollers(given)]


def test_each_source_is_asked_by_its_name(tmp_path: Path) -> None:
    found = pollers(settings(tmp_path, *SOURCES, poll_every_s=77))

    assert [poller.name for poller in found] == [
        *("jira", "slack/T1/C1", "slack/T1/C2", "alertmanager", "sentry/acme")
    ]
    assert {poller.every_s for poller in found} == {77}
    assert {poller.route for poller in found} == {"jira", "slack", "alertmanager", "sentry"}
    assert isinstance(found[0], JiraPoller)
    for poller in found:
        poller.close()


def test_without_an_account_or_a_source_or_a_wish_nothing_is_asked(tmp_path: Path) -> None:
    assert names(Settings()) == []
    assert names(settings(tmp_path)) == []
    assert names(settings(tmp_path, *SOURCES, backfill=False)) == []
    assert not (tmp_path / "inbox.sqlite").exists()


def test_a_prefix_names_nothing_to_ask_for_but_filters_what_all_is_asked(tmp_path: Path) -> None:
    wide = settings(tmp_path, "jira:*", "slack:T1/*", "slack:odd", "monitoring:*")

    assert names(wide) == ["alertmanager", "sentry/acme"]
    assert names(settings(tmp_path, "monitoring:alertmanager/*")) == ["alertmanager"]
    assert names(settings(tmp_path, "monitoring:grafana/*")) == []
