"""What an incident says."""

from __future__ import annotations

import pytest

from connectors.monitoring.pagerduty import DOOR
from processors.channels.monitoring import pagerduty
from schemas.errors import PoisonError
from schemas.reports import Severity
from tests.connectors.monitoring.posts import incident, note, post
from tests.processors.channels.monitoring.raws import understood


def test_an_incident_is_a_report_and_a_resolved_one_is_closed() -> None:
    (opened,) = understood(DOOR, post(incident()))
    (closed,) = understood(DOOR, post(incident("incident.resolved", status="resolved")))

    assert opened.title == "Checkout is slow"
    assert "- Service: Checkout" in opened.text
    assert opened.assignee == "Ann"
    assert opened.url == "https://acme.pagerduty.com/incidents/PINC1"
    assert (opened.closed, closed.closed) == (False, True)
    assert opened.account == "monitoring:pagerduty"


def test_the_priority_people_gave_goes_before_the_urgency() -> None:
    (urgent,) = understood(DOOR, post(incident()))
    (ranked,) = understood(DOOR, post(incident(priority={"summary": "P3"})))
    (top,) = understood(DOOR, post(incident(priority={"summary": "P1"}, urgency="low")))
    (neither,) = understood(DOOR, post(incident(urgency=None)))

    assert (urgent.severity, urgent.severity_reason) == (Severity.HIGH, "urgency says 'high'")
    assert ranked.severity is Severity.MEDIUM
    assert (top.severity, top.severity_reason) == (Severity.CRITICAL, "priority says 'P1'")
    assert neither.severity is Severity.UNKNOWN


def test_a_note_is_a_comment_of_whoever_wrote_it() -> None:
    (said,) = understood(DOOR, post(note("The pool is empty.")))

    assert said.comment
    assert said.text == "The pool is empty."
    assert said.account == "monitoring:pagerduty:PUSER"


def test_what_is_no_event_is_poison() -> None:
    for body in (b"[]", b"{}", b'{"event": {}}', b'{"event": {"data": 7}}'):
        with pytest.raises(PoisonError):
            pagerduty.parse("incident.triggered", body)
