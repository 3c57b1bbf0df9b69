"""The proof of the outage, small."""

from __future__ import annotations

import pytest

from streams.prove_outage import prove


@pytest.mark.kafka
@pytest.mark.timeout(400)  # Two cold starts after kill -9, and a real system on few cores.
def test_the_real_system_loses_nothing_and_the_control_does() -> None:
    figures = prove(webhooks=12, outage_s=3.0, progress=lambda done, total, what: None)
    proof, control = (dict(zip(figures.columns, row, strict=True)) for row in figures.rows)

    assert figures.exit_code == 0
    assert proof["answered 2xx"] == proof["requests"] == 14
    assert proof["raw records"] == proof["normalized"] == 12
    assert control["lost"]
