"""Asks each provider who we are there, and says what a person has to put right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from schemas.errors import BugstreamError
from streams.accounts import discord, github, jira, monitoring, slack
from streams.accounts.sources import named
from streams.config import Settings
from streams.doctor_kafka import Check


def check_accounts(settings: Settings) -> Iterator[Check]:
    """Yield for each account whether it is known there; nothing is changed or written there."""
    for name, ask in _ASKED.items():
        if getattr(settings, name) is None:
            continue
        try:
            found = ask(settings)
        except BugstreamError as error:
            way_out = f"Correct it under [{name}], or ask again when it answers."
            yield Check(f"account {name}", "missing", str(error), way_out)
        else:
            yield Check(f"account {name}", "ok", found)


def _github(settings: Settings) -> str:
    client = github.client_of(settings)
    if client is None:
        return "not set"
    from connectors.github_client import repo_path

    with client:
        me = client.login() or "somebody GitHub does not name"
        names = github.repositories(settings)
        for name in names:
            client.page(f"{repo_path(name)}/issues", {"per_page": "1"})
    return f"signed in as {me}; reads the issues of {', '.join(names) or 'no repository'}"


def _jira(settings: Settings) -> str:
    client, projects = jira.client_of(settings), named(settings, "jira")
    if client is None or not projects:
        return "not tried: no project has a source such as jira:KEY"
    from connectors.jira_client import updated_within

    with client:
        client.search_page(updated_within(projects, minutes=1))
    return f"reads the issues of {', '.join(projects)}"


def _slack(settings: Settings) -> str:
    api = slack.api_of(settings)
    if api is None:
        return "not set"
    with closing(api):
        me = api.me()
    return f"signed in as {me.user} of workspace {me.team}"


def _discord(settings: Settings) -> str:
    client = discord.messenger(settings)
    return f"signed in as {client.me()}" if client else "not set"


def _alertmanager(settings: Settings) -> str:
    api = monitoring.api_of(settings)
    if api is None:
        return "not set"
    with closing(api):
        since = api.runs_since()
    return f"answers, and runs since {since:%Y-%m-%d %H:%M}Z" if since else "answers"


def _sentry(settings: Settings) -> str:
    poller = monitoring.sentry(settings)
    if poller is None:
        return "not tried: no project has a source such as monitoring:sentry/PROJECT"
    with closing(poller):
        next(iter(poller.poll(None)), None)
    return "reads the organization's issues"


_ASKED: dict[str, Callable[[Settings], str]] = {
    "github": _github,
    "jira": _jira,
    "slack": _slack,
    "discord": _discord,
    "alertmanager": _alertmanager,
    "sentry": _sentry,
}
"""By the setting. Mailboxes have a module of their own."""
