"""OpenTelemetry's door: a storm is one item, and the answers are the protocol's."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from connectors.channel import Post
from connectors.monitoring.otlp import DOOR, EXCEPTIONS_MAX, UNPACKED_BYTES_MAX, places
from tests.connectors.monitoring.posts import (
    STACK,
    attribute,
    deliveries,
    exception,
    logs,
    post,
    span,
    traces,
)


def test_a_storm_of_one_exception_is_one_item_with_a_count() -> None:
    (one,) = deliveries(DOOR, post(traces(*(span(n) for n in range(300)))))

    assert one.origin.container == "otlp/shop"
    assert one.kind == "traces"
    assert one.body is not None
    part = json.loads(one.body)
    assert part["occurrences"] == 300
    assert len(part["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 1
    assert len(one.body) < 2_000


def test_the_next_storm_is_no_news_and_that_of_a_new_release_is() -> None:
    (first,) = deliveries(DOOR, post(traces(span(1))))
    (again,) = deliveries(DOOR, post(traces(span(2))))
    (newer,) = deliveries(DOOR, post(traces(span(3), version="1.3.0")))

    assert (first.entity, first.meaning) == (again.entity, again.meaning)
    assert first.delivery_id != again.delivery_id
    assert newer.origin == first.origin
    assert newer.entity != first.entity


def test_numbers_ids_and_quoted_words_do_not_make_another_item() -> None:
    messages = ["no order 17 of 'ann'", "no order 4 of 'bob'"]
    one, other = (
        deliveries(DOOR, post(traces(span(1, attributes=exception("KeyError", text)))))[0]
        for text in messages
    )

    assert one.origin.item == other.origin.item


@pytest.mark.parametrize(
    "attributes",
    [
        exception("KeyError"),
        exception(message="modulo by zero"),
        exception(stack=STACK.replace("total", "subtotal")),
    ],
)
def test_another_type_message_or_place_is_another_item(attributes: list[dict[str, object]]) -> None:
    (one,) = deliveries(DOOR, post(traces(span(1))))
    (other,) = deliveries(DOOR, post(traces(span(1, attributes=attributes))))
    (elsewhere,) = deliveries(DOOR, post(traces(span(1), service="billing")))

    assert len({one.origin.item, other.origin.item, elsewhere.origin.item}) == 3


def test_the_frames_of_libraries_and_line_numbers_do_not_count() -> None:
    library = '  File "/venv/lib/python3.11/site-packages/x.py", line 1, in y\n'

    assert places(STACK) == places(STACK.replace("line 9", "line 12")) == places(library + STACK)
    assert places(library) != []
    assert places("Error: x\n    at total (/app/cart.js:9:3)\n    at node:internal/x:1:1") == [
        "at total (/app/cart.js:0:0)"
    ]


def test_a_log_record_with_an_exception_is_read_and_others_are_not() -> None:
    bad = {"timeUnixNano": "1", "severityNumber": 17, "attributes": exception()}
    plain = {"timeUnixNano": "2", "body": {"stringValue": "started"}, "attributes": []}
    found = deliveries(DOOR, post(logs(bad, plain)))

    assert [one.kind for one in found] == ["logs"]


def test_what_holds_no_exception_is_taken_and_answered_with_an_empty_object() -> None:
    given = post({"resourceMetrics": []})

    assert deliveries(DOOR, given) == []
    assert DOOR.answer(given, []).body == {}
    assert DOOR.answer(post({}), []).status == 200


def test_over_the_limit_the_sender_hears_how_many_were_not_taken() -> None:
    spans = [
        span(n, attributes=exception(f"Error{chr(97 + n % 26)}{chr(97 + n // 26)}"))
        for n in range(EXCEPTIONS_MAX + 5)
    ]
    given = post(traces(*spans))
    answer = DOOR.answer(given, [])

    assert len(deliveries(DOOR, given)) == EXCEPTIONS_MAX
    assert answer.status == 200
    assert answer.body["partialSuccess"]["rejectedSpans"] == "5"
    assert str(EXCEPTIONS_MAX) in answer.body["partialSuccess"]["errorMessage"]


def test_gzip_is_unpacked_and_never_without_end() -> None:
    packed = post(gzip.compress(json.dumps(traces(span())).encode()), content_encoding="gzip")
    bomb = post(gzip.compress(b" " * (UNPACKED_BYTES_MAX + 1)), content_encoding="gzip")
    broken = post(b"no gzip", content_encoding="gzip")

    assert len(deliveries(DOOR, packed)) == 1
    assert deliveries(DOOR, bomb) == deliveries(DOOR, broken) == []
    assert DOOR.answer(bomb, []).status == 413
    assert DOOR.answer(broken, []).status == 400


def test_other_forms_are_refused_with_the_way_out() -> None:
    protobuf = DOOR.reply(Post({"content-type": "application/x-protobuf"}, b"\x0a"))
    zstd = DOOR.reply(post({}, content_encoding="zstd"))

    assert protobuf is not None
    assert zstd is not None
    assert (protobuf.status, zstd.status) == (415, 415)
    assert "http/json" in protobuf.body["message"]
    assert DOOR.reply(post({})) is None
    assert DOOR.answer(post(b"no json"), []).status == 400


def test_hostile_texts_are_read_in_a_moment() -> None:
    began = time.process_time()
    for text in ("'" * 1_000_000, "at " * 300_000, "0x" * 400_000, 'File "' * 150_000):
        given = post(traces(span(1, attributes=exception(message=text, stack=text))))
        assert len(deliveries(DOOR, given)) == 1
    many = [attribute("exception.type", "X")] * 5_000
    deliveries(DOOR, post(traces(span(1, attributes=many))))

    assert time.process_time() - began < 2
