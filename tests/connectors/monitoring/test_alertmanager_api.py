"""How Alertmanager is asked."""

from __future__ import annotations

import httpx2
import pytest

from connectors.monitoring.alertmanager_api import AlertmanagerApi
from schemas.errors import LimitedError, PoisonError, TransientError
from tests.connectors.monitoring.alertmanagers import NOW, FakeAlertmanager


def api(fake: FakeAlertmanager, **more: str) -> AlertmanagerApi:
    return AlertmanagerApi("http://am.example/below", transport=fake.transport, **more)


def test_alerts_are_listed_and_found_by_a_label() -> None:
    fake = FakeAlertmanager()
    fake.fire(instance="a")
    fake.fire(instance="b")
    asked = api(fake)

    assert len(asked.alerts()) == 2
    (found,) = asked.alerts('instance="b"')
    assert found["labels"]["instance"] == "b"
    assert asked.runs_since() == fake.runs_since < NOW
    assert set(fake.calls) == {"GET /below/api/v2/alerts", "GET /below/api/v2/status"}
    asked.close()


def test_a_token_is_sent_where_there_is_one() -> None:
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("authorization"))
        return httpx2.Response(200, json=[])

    for token in ("", "t"):
        transport = httpx2.MockTransport(handle)
        AlertmanagerApi("http://am.example", token=token, transport=transport).alerts()

    assert seen == [None, "Bearer t"]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx2.Response(401), TransientError),
        (httpx2.Response(404), TransientError),
        (httpx2.Response(503), TransientError),
        (httpx2.Response(429), LimitedError),
        (httpx2.Response(400, json="bad matcher"), PoisonError),
        (httpx2.Response(200, json={}), TransientError),
        (httpx2.Response(200, content=b"<html>"), TransientError),
    ],
)
def test_a_refusal_says_whether_it_may_work_later(
    response: httpx2.Response, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        api(FakeAlertmanager(faults=[response])).alerts()
