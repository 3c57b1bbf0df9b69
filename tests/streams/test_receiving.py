"""From bytes to a row, without HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.blobs import MemoryBlobs
from connectors.inbox import ConflictError, Inbox
from schemas.codec import decode
from schemas.event import EVENT_BYTES_MAX
from schemas.raw import Origin, RawReceived
from streams.receiving import Inbound, accept, submit_command


def inbound(body: bytes) -> Inbound:
    return Inbound(
        origin=Origin(channel="http", container="t", item="1"),
        route="r",
        delivery_id=str(uuid4()),
        body=body,
        content_type="x/y",
        sender="http:a",
        author="http:a",
        entity="e",
        meaning=str(uuid4()),
        headers={"User-Agent": "\0" * 5000, "Cookie": "secret"},
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(unit=st.binary(min_size=1, max_size=8), size=st.integers(0, 120_000))
def test_whatever_bytes_come_fit_an_event_and_come_back(
    inbox: Inbox, unit: bytes, size: int
) -> None:
    blobs = MemoryBlobs()
    body = (unit * size)[:size]
    accept(inbox, blobs, inbound(body))
    inbox.number(10)
    (row,) = inbox.numbered(inbox.highest_seq(), 1)
    event = decode(row.event)

    assert len(row.event) <= EVENT_BYTES_MAX
    assert isinstance(event, RawReceived)
    assert "cookie" not in event.headers
    if event.body_blob:
        assert blobs.get(event.body_blob) == body
    else:
        import base64

        assert event.body is not None
        inline = event.body_encoding == "utf-8"
        assert (event.body.encode() if inline else base64.b64decode(event.body)) == body


def test_a_command_has_the_id_of_its_key(inbox: Inbox) -> None:
    bug = uuid4()

    def send(key: str, bug_id: UUID = bug) -> UUID:
        return submit_command(
            inbox,
            command="abandon",
            bug_id=bug_id,
            project="shop",
            actor="os:ann",
            note=None,
            idempotency_key=key,
        )

    assert send("a") == send("a") != send("b")
    with pytest.raises(ConflictError):
        send("a", uuid4())
