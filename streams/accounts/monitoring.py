"""Alertmanager, which can be asked and answered, and Sentry, which can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.accounts.sources import has_source, is_source

if TYPE_CHECKING:
    from connectors.monitoring.alertmanager_api import AlertmanagerApi
    from connectors.poller import Poller
    from processors.ports import Messenger
    from schemas.raw import Origin
    from streams.config import Settings


def api_of(settings: Settings) -> AlertmanagerApi | None:
    """Return what talks to Alertmanager; it takes no connection yet."""
    account = settings.alertmanager
    if account is None:
        return None
    from connectors.monitoring.alertmanager_api import AlertmanagerApi

    token = account.token.get_secret_value() if account.token else ""
    return AlertmanagerApi(account.url, token=token)


def messenger(settings: Settings) -> Messenger | None:
    """Return what answers an alert by another one, where the settings want that."""
    account, api = settings.alertmanager, api_of(settings)
    if account is None or api is None or not account.answers:
        return None
    from connectors.monitoring.alertmanager_messenger import AlertmanagerMessenger

    return AlertmanagerMessenger(api)


def answers(origin: Origin) -> bool:
    """Return whether the tool that the alert came from takes answers: Alertmanager alone does."""
    from connectors.monitoring import alertmanager_messenger

    return alertmanager_messenger.answers(origin)


def pollers(settings: Settings) -> list[Poller]:
    """Return what asks Alertmanager and Sentry, where any project has a source there."""
    asked = [_alertmanager(settings), sentry(settings)]
    return [one for one in asked if one is not None]


def _alertmanager(settings: Settings) -> Poller | None:
    account, api = settings.alertmanager, api_of(settings)
    if account is None or api is None or not account.backfill:
        return None
    if not has_source(settings, "monitoring:alertmanager/"):
        return None
    from connectors.monitoring.alertmanager_poller import AlertmanagerPoller
    from connectors.monitoring.kept_alerts import KeptAlerts

    kept = KeptAlerts(settings.store_url("inbox"), route=AlertmanagerPoller.route)
    return AlertmanagerPoller(
        api,
        kept,
        is_source(settings, "monitoring"),
        every_s=account.poll_every_s,
        settled_s=account.settled_s,
    )


def sentry(settings: Settings) -> Poller | None:
    """Return what asks Sentry for the issues of its projects that are sources."""
    account = settings.sentry
    if account is None or not account.backfill:
        return None
    if not has_source(settings, "monitoring:sentry/"):
        return None
    from connectors.monitoring.sentry_poller import SentryPoller

    return SentryPoller(
        account.url,
        account.organization,
        account.token.get_secret_value(),
        is_source(settings, "monitoring"),
        every_s=account.poll_every_s,
    )
