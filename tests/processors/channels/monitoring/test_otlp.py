"""What an exception in a trace or a log says."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.monitoring.otlp import DOOR
from processors.channels.monitoring import otlp
from processors.traces import find_traces
from schemas.errors import PoisonError
from schemas.reports import Severity
from tests.connectors.monitoring.posts import exception, logs, post, span, traces
from tests.processors.channels.monitoring.raws import understood


def test_an_exception_of_a_span_has_its_stack_trace_and_says_how_often_it_came() -> None:
    (said,) = understood(DOOR, post(traces(*(span(n) for n in range(1, 5)))))
    (trace,) = find_traces(said.text)

    assert said.title == "ZeroDivisionError: division by zero"
    assert (trace.exception, trace.frames[-1].path) == ("ZeroDivisionError", "/app/shop/cart.py")
    assert "It came 4 times in one delivery." in said.text
    assert "- Span: POST /checkout" in said.text
    assert (said.severity, said.severity_reason) == (Severity.HIGH, "the span ended in error")
    assert dict(said.environment) == {"service.name": "shop", "service.version": "1.2.0"}
    assert said.created_at == "2025-11-26T04:00:00+00:00"


@pytest.mark.parametrize(
    ("number", "severity"), [(21, "critical"), (17, "high"), (13, "medium"), (9, "low")]
)
def test_a_log_record_says_its_severity_and_its_words(number: int, severity: str) -> None:
    record: dict[str, Any] = {
        "timeUnixNano": "1764129600000000000",
        "severityNumber": number,
        "body": {"stringValue": "checkout failed"},
        "attributes": exception(),
    }
    (said,) = understood(DOOR, post(logs(record)))

    assert said.severity == severity
    assert str(number) in said.severity_reason
    assert "checkout failed" in said.text


def test_a_span_that_went_well_says_no_severity() -> None:
    (said,) = understood(DOOR, post(traces({**span(), "status": {}})))
    (left,) = understood(
        DOOR,
        post(
            traces(
                {
                    **span(
                        attributes=[
                            *exception(),
                            {"key": "exception.escaped", "value": {"boolValue": True}},
                        ]
                    ),
                    "status": {},
                }
            )
        ),
    )

    assert said.severity is Severity.UNKNOWN
    assert left.severity is Severity.HIGH


def test_an_exception_without_words_is_still_a_report() -> None:
    (said,) = understood(DOOR, post(traces(span(attributes=[], timeUnixNano="x"))))

    assert said.title == "Exception without a name"
    assert said.created_at is None


def test_what_holds_no_exception_is_poison() -> None:
    for body in (b"[]", b"{}", b'{"resourceSpans": [{}]}', b'{"resourceLogs": 3}'):
        with pytest.raises(PoisonError):
            otlp.parse(body)
