"""What our accounts at Alertmanager and Sentry are for."""

from __future__ import annotations

from typing import Any

from connectors.monitoring.alertmanager_messenger import AlertmanagerMessenger
from schemas.raw import Origin
from streams.accounts import monitoring
from streams.config import Settings


def conf(**account: Any) -> Settings:
    known = {"url": "http://alertmanager:9093", **account}
    return Settings.model_validate({"alertmanager": known})


def test_alerts_are_answered_where_they_can_be_and_are_to_be() -> None:
    assert isinstance(monitoring.messenger(conf()), AlertmanagerMessenger)
    assert monitoring.messenger(Settings()) is None
    assert monitoring.messenger(conf(answers=False)) is None
    for container, is_answered in (("alertmanager/shop-team", True), ("sentry/shop", False)):
        origin = Origin(channel="monitoring", container=container, item="1")
        assert monitoring.answers(origin) is is_answered
