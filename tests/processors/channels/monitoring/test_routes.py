"""The parser is chosen by the door."""

from __future__ import annotations

import json
import time

import pytest

from connectors.channel import Post
from connectors.monitoring import DOORS, alertmanager, otlp
from processors.channels.monitoring import parse
from schemas.errors import PoisonError
from tests.connectors.monitoring.posts import alert, exception, group, post, span, traces
from tests.connectors.monitoring.test_parts import NONSENSE
from tests.factories import raw_github
from tests.processors.channels.monitoring.raws import raws, understood


def test_a_route_of_another_release_is_poison_and_named() -> None:
    with pytest.raises(PoisonError, match="github/issues"):
        parse(raw_github(), b"{}")


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_poison_or_understood_and_never_crashes(body: bytes) -> None:
    for door in DOORS:
        for raw, part in raws(door, Post({"content-type": "application/json"}, body)):
            try:
                parse(raw, part)
            except PoisonError:
                continue


def test_a_megabyte_of_hostile_text_is_read_in_a_second() -> None:
    for text in ("`" * 1_000_000, "a\n" * 500_000, "%s" * 500_000, "(" * 1_000_000):
        one = alert(annotations={"summary": text, "description": text, "x": text})
        failed = span(attributes=exception(text, text, text))
        began = time.process_time()
        understood(alertmanager.DOOR, post(group(one)))
        understood(otlp.DOOR, post(traces(failed)))
        assert time.process_time() - began < 1


def test_every_alert_of_a_large_group_is_read() -> None:
    many = group(*(alert(fingerprint=f"f{n}", labels={"n": str(n)}) for n in range(400)))
    said = understood(alertmanager.DOOR, post(json.dumps(many).encode()))

    assert len({one.text for one in said}) == 400
