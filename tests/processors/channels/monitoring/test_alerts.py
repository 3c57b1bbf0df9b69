"""What an alert says."""

from __future__ import annotations

import pytest

from connectors.monitoring import alertmanager, grafana
from processors.channels.monitoring import alerts
from schemas.errors import PoisonError
from schemas.reports import Severity
from tests.connectors.monitoring.posts import alert, group, post
from tests.processors.channels.monitoring.raws import understood


def test_a_firing_alert_is_an_open_report_with_its_labels() -> None:
    (said,) = understood(alertmanager.DOOR, post(group(alert())))

    assert said.title == "HighErrorRate: 5 % of the answers are errors"
    assert said.text.startswith("Since noon.")
    assert "Firing since 2026-11-26T04:00:00.123456+00:00." in said.text
    assert "- service: shop" in said.text
    assert (said.severity, said.severity_reason) == (
        Severity.CRITICAL,
        "label 'severity' says 'critical'",
    )
    assert not said.closed
    assert said.account == "monitoring:alertmanager"
    assert said.created_at == "2026-11-26T04:00:00.123456+00:00"
    assert dict(said.environment)["service"] == "shop"
    assert said.url == "http://prometheus.example:9090/graph?g0.expr=up"


def test_each_alert_of_a_group_is_read_by_itself_and_a_resolved_one_is_closed() -> None:
    over = alert("DiskFull", fingerprint="f2", status="resolved", endsAt="2026-11-26T05:00:00Z")
    firing, resolved = understood(alertmanager.DOOR, post(group(alert(), over)))

    assert (firing.closed, resolved.closed) == (False, True)
    assert resolved.title.startswith("DiskFull")
    assert "Resolved at 2026-11-26T05:00:00+00:00" in resolved.text
    assert resolved.updated_at == "2026-11-26T05:00:00+00:00"


def test_firing_again_says_something_else() -> None:
    (first,) = understood(alertmanager.DOOR, post(group(alert())))
    (again,) = understood(alertmanager.DOOR, post(group(alert(startsAt="2026-11-27T04:00:00Z"))))

    assert first.text != again.text


def test_what_was_left_out_is_said() -> None:
    (said,) = understood(alertmanager.DOOR, post(group(alert(), truncatedAlerts=12)))

    assert "12 more alerts of this group were left out by the sender." in said.text


@pytest.mark.parametrize(
    ("label", "severity"),
    [("page", "critical"), ("Warning", "medium"), ("info", "low"), ("blue", "unknown")],
)
def test_the_severity_is_the_label_or_unknown(label: str, severity: str) -> None:
    (said,) = understood(alertmanager.DOOR, post(group(alert(labels={"severity": label}))))

    assert said.severity == severity
    assert bool(said.severity_reason) == (severity != "unknown")


def test_grafana_shows_its_panel_and_its_values() -> None:
    one = alert(panelURL="https://grafana.example/d/1?viewPanel=2", valueString="[ value=7 ]")
    (said,) = understood(grafana.DOOR, post(group(one)))

    assert said.account == "monitoring:grafana"
    assert said.url == "https://grafana.example/d/1?viewPanel=2"
    assert "[ value=7 ]" in said.text


def test_an_alert_without_anything_is_still_a_report() -> None:
    (said,) = understood(alertmanager.DOOR, post(group({}, externalURL="javascript:x")))

    assert said.title == "Alert without a name"
    assert said.url is None
    assert said.created_at is None


def test_what_is_no_group_is_poison() -> None:
    for body in (b"[]", b"{}", b'{"alerts": []}', b'{"alerts": [1]}', b"\xff"):
        with pytest.raises(PoisonError):
            alerts.parse("alertmanager", body)
