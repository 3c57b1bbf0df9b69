"""What our account at Jira is for."""

from __future__ import annotations

from typing import Any

from connectors.jira_messenger import JiraTracker
from streams.accounts import jira
from streams.config import Settings


def conf(*sources: str, **account: Any) -> Settings:
    known = {"url": "https://acme.atlassian.net", "token": "t", **account}
    project = {"id": "shop", "sources": sources}
    return Settings.model_validate({"jira": known, "project": [project]})


def test_all_projects_that_are_sources_are_asked_for_at_once() -> None:
    assert [one.name for one in jira.pollers(conf("jira:SHOP", "jira:TILL"))] == ["jira"]
    assert jira.pollers(conf("jira:*", "slack:T1/C1")) == []
    assert jira.pollers(conf("jira:SHOP", backfill=False)) == []


def test_issues_are_moved_only_where_the_settings_say_so() -> None:
    assert isinstance(jira.status(conf(transitions={"fixed": "done"})), JiraTracker)
    assert jira.status(conf()) is jira.status(Settings()) is jira.client_of(Settings()) is None
