"""The proof of the load, small."""

from __future__ import annotations

import pytest

from streams.prove_load import prove


@pytest.mark.kafka
@pytest.mark.timeout(400)  # Two cold starts after kill -9, and a real system on few cores.
def test_every_webhook_is_answered_and_kept_with_kafka_and_without_it() -> None:
    figures = prove(webhooks=100, per_second=50, progress=lambda done, total, what: None)
    up, down, control = (dict(zip(figures.columns, row, strict=True)) for row in figures.rows)

    assert figures.exit_code == 0
    assert [(one["answered 2xx"], one["lost"], one["doubled"]) for one in (up, down)] == [
        (100, 0, 0)
    ] * 2
    assert control["lost"]
