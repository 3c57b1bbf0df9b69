"""Alertmanager's door: a token, and nothing else."""

from __future__ import annotations

from connectors.monitoring.alertmanager import DOOR
from tests.connectors.monitoring.posts import SECRET, alert, deliveries, group, post, refusal


def test_the_token_lets_in_and_another_does_not() -> None:
    def said(value: str) -> str | None:
        return refusal(DOOR, post(group(alert()), authorization=value), "old", SECRET)

    assert said(f"Bearer {SECRET}") is None
    assert said("bearer old") is None
    assert said("Bearer another") == said(f"Basic {SECRET}") == said("") == "token"


def test_a_stranger_without_a_token_does_not_get_his_body_read() -> None:
    assert not DOOR.looks_signed({})
    assert not DOOR.looks_signed({"authorization": "Basic YTpi"})
    assert DOOR.looks_signed({"authorization": "Bearer x"})


def test_a_group_is_read_alert_by_alert() -> None:
    given = post(group(alert(), alert(fingerprint="f2")))

    assert [one.origin.item for one in deliveries(DOOR, given)] == ["5ef77f1f8a3ecfaa", "f2"]
