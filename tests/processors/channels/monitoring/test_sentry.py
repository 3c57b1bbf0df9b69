"""What Sentry says."""

from __future__ import annotations

import pytest

from connectors.monitoring.sentry import DOOR
from processors.channels.monitoring import sentry as parser
from processors.traces import find_traces
from schemas.errors import PoisonError
from schemas.reports import Severity
from tests.connectors.monitoring.posts import sentry, sentry_event, sentry_issue
from tests.processors.channels.monitoring.raws import understood


def test_an_event_has_its_stack_trace_and_what_it_ran_on() -> None:
    event = sentry_event(user={"email": "ann@example.org"})
    (said,) = understood(DOOR, sentry("error", "created", error=event))
    (trace,) = find_traces(said.text)

    assert said.title == "ZeroDivisionError: division by zero"
    assert trace.frames[-1].path == "shop/cart.py"
    assert dict(said.environment) == {
        "release": "shop@1.2.0",
        "environment": "production",
        "platform": "python",
        "server_name": "web-1",
    }
    assert (said.severity, said.severity_reason) == (
        Severity.HIGH,
        "Sentry's level says 'error'",
    )
    assert "ann@example.org" not in said.text


def test_an_alert_on_an_event_says_the_same_as_the_event() -> None:
    (error,) = understood(DOOR, sentry("error", "created", error=sentry_event()))
    (alert,) = understood(DOOR, sentry("event_alert", "triggered", event=sentry_event()))

    assert error == alert


@pytest.mark.parametrize(
    ("status", "closed"), [("unresolved", False), ("resolved", True), ("ignored", True)]
)
def test_an_issue_is_open_until_sentry_says_otherwise(status: str, closed: bool) -> None:
    (said,) = understood(DOOR, sentry("issue", "created", issue=sentry_issue(status=status)))

    assert said.closed is closed
    assert said.severity is Severity.CRITICAL
    assert "- Issue: SHOP-1" in said.text
    assert said.url == "https://acme.sentry.io/issues/4711/"


def test_an_alert_on_a_metric_says_its_state() -> None:
    metric = {"id": "7", "title": "Errors", "date_started": "2026-11-26T04:00:00Z"}
    (fired,) = understood(
        DOOR,
        sentry("metric_alert", "warning", metric_alert=metric, description_text="5 in 10 minutes"),
    )
    (over,) = understood(DOOR, sentry("metric_alert", "resolved", metric_alert=metric))

    assert fired.title == "Errors"
    assert fired.text.startswith("5 in 10 minutes")
    assert fired.severity is Severity.MEDIUM
    assert (fired.closed, over.closed) == (False, True)


def test_a_comment_is_of_whoever_wrote_it() -> None:
    data = {"comment_id": 1, "issue_id": "4711", "project_slug": "shop", "comment": "Seen it."}
    (said,) = understood(DOOR, sentry("comment", "created", **data))

    assert said.comment
    assert (said.text, said.account) == ("Seen it.", "monitoring:sentry:5")


def test_what_is_none_of_these_is_poison() -> None:
    for kind, body in (
        ("", b'{"data": {}}'),
        ("issue", b"[]"),
        ("issue", b'{"data": {}}'),
        ("error", b'{"data": {"error": 1}}'),
    ):
        with pytest.raises(PoisonError):
            parser.parse(kind, body)
