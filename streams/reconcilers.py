"""From an account in the settings to what asks a provider what was lost on its way to us.

Asked is what projects name as their sources, each by its whole name: a prefix (`jira:*`) names
nothing that could be asked for, and only says where a report belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from processors.projects import project_of
from schemas.event import Channel
from schemas.raw import Origin
from schemas.reports import UNASSIGNED
from streams.outlets import jira_client

if TYPE_CHECKING:
    from connectors.monitoring.alertmanager_api import AlertmanagerApi
    from connectors.poller import Poller
    from connectors.slack_api import SlackApi
    from streams.config import Settings


def jira(settings: Settings) -> list[Poller]:
    """Return what asks Jira for the issues of the projects that are sources."""
    account, projects = settings.jira, named(settings, "jira")
    client = jira_client(settings)
    if account is None or client is None or not account.backfill or not projects:
        return []
    from connectors.jira_poller import JiraPoller

    return [JiraPoller(client, projects, every_s=account.poll_every_s)]


def slack_api(settings: Settings) -> SlackApi | None:
    """Return what asks Slack; it takes no connection yet."""
    account = settings.slack
    if account is None:
        return None
    from connectors.slack_api import SlackApi

    return SlackApi(account.token.get_secret_value(), base_url=account.url)


def slack(settings: Settings) -> list[Poller]:
    """Return what asks each channel of Slack that is a source, each by connections of its own."""
    account = settings.slack
    if account is None or not account.backfill:
        return []
    from connectors.slack_poller import SlackPoller

    names = [name for name in named(settings, "slack") if name.count("/") == 1]
    asked = [(slack_api(settings), name) for name in names]
    return [SlackPoller(api, name, every_s=account.poll_every_s) for api, name in asked if api]


def monitoring(settings: Settings) -> list[Poller]:
    """Return what asks Alertmanager and Sentry, where any project has a source there."""
    asked = [_alertmanager(settings), sentry(settings)]
    return [one for one in asked if one is not None]


def alertmanager_api(settings: Settings) -> AlertmanagerApi | None:
    """Return what talks to Alertmanager; it takes no connection yet."""
    account = settings.alertmanager
    if account is None:
        return None
    from connectors.monitoring.alertmanager_api import AlertmanagerApi

    token = account.token.get_secret_value() if account.token else ""
    return AlertmanagerApi(account.url, token=token)


def _alertmanager(settings: Settings) -> Poller | None:
    account, api = settings.alertmanager, alertmanager_api(settings)
    if account is None or api is None or not account.backfill:
        return None
    if not _has_source(settings, "monitoring:alertmanager/"):
        return None
    from connectors.monitoring.alertmanager_poller import AlertmanagerPoller
    from connectors.monitoring.kept_alerts import KeptAlerts

    kept = KeptAlerts(settings.store_url("inbox"), route=AlertmanagerPoller.route)
    return AlertmanagerPoller(
        api,
        kept,
        _is_source(settings),
        every_s=account.poll_every_s,
        settled_s=account.settled_s,
    )


def sentry(settings: Settings) -> Poller | None:
    """Return what asks Sentry for the issues of its projects that are sources."""
    account = settings.sentry
    if account is None or not account.backfill:
        return None
    if not _has_source(settings, "monitoring:sentry/"):
        return None
    from connectors.monitoring.sentry_poller import SentryPoller

    return SentryPoller(
        account.url,
        account.organization,
        account.token.get_secret_value(),
        _is_source(settings),
        every_s=account.poll_every_s,
    )


def named(settings: Settings, channel: Channel) -> list[str]:
    """Return the containers of `channel` that projects name as a whole, once each."""
    sources = [source for project in settings.project for source in project.sources]
    parts = [source.partition(":") for source in sources]
    found = [name for one, _, name in parts if one.casefold() == channel]
    return list(dict.fromkeys(name for name in found if name and not name.endswith("*")))


def _has_source(settings: Settings, prefix: str) -> bool:
    """Return whether a source lies below `prefix`, or a prefix that is a source above it."""
    sources = [source.casefold() for project in settings.project for source in project.sources]
    return any(
        source.startswith(prefix) or (source.endswith("*") and prefix.startswith(source[:-1]))
        for source in sources
    )


def _is_source(settings: Settings) -> Callable[[str], bool]:
    """Return what says of a container of monitoring whether any project has it as a source."""

    def is_source(container: str) -> bool:
        origin = Origin(channel="monitoring", container=container, item="any")
        return project_of(settings.project, origin).project != UNASSIGNED

    return is_source
