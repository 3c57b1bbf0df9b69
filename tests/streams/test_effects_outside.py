"""The witnesses of the proof: they must neither forget nor tidy up."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from connectors.webhook_messenger import WebhookMessenger
from schemas.errors import TransientError
from schemas.raw import Origin
from streams.effects_outside import DROP_EVERY, AppendOnly, Comments, Model, read_lines
from streams.json_server import serving

ORIGIN = Origin(channel="http", container="prove", item="1")


def test_the_comment_box_keeps_what_is_posted_twice_twice(tmp_path: Path) -> None:
    with serving(Comments(AppendOnly(tmp_path / "c"), Random(1))) as url:
        messenger = WebhookMessenger(lambda _: url)
        receipts = [messenger.post(ORIGIN, "a", UUID(int=1)) for _ in range(2)]
        found = messenger.find(ORIGIN, UUID(int=1))

    assert receipts == ["comment-1", "comment-2"]
    assert found == "comment-1"
    assert len(read_lines(tmp_path / "c")) == 2


def test_some_accepted_comments_are_not_answered_and_can_be_found(tmp_path: Path) -> None:
    box = Comments(AppendOnly(tmp_path / "c"), Random(1))
    for number in range(DROP_EVERY - 1):
        assert box.post({"key": str(UUID(int=number))})
    with serving(box) as url:
        messenger = WebhookMessenger(lambda _: url)
        with pytest.raises(TransientError):
            messenger.post(ORIGIN, "a", UUID(int=99))

        assert messenger.find(ORIGIN, UUID(int=99)) == f"comment-{DROP_EVERY}"


def test_the_model_charges_for_each_answer_and_writes_it_down_first(tmp_path: Path) -> None:
    model = Model(AppendOnly(tmp_path / "m"), Random(1))
    answers = [model.post({"bug": "b"}) for _ in range(2)]

    written = [line["cost_usd_micros"] for line in read_lines(tmp_path / "m")]
    assert written == [answer[1]["cost_usd_micros"] for answer in answers if answer]
    assert all(cost > 0 for cost in written)


def test_no_line_is_lost_among_threads(tmp_path: Path) -> None:
    file = AppendOnly(tmp_path / "f")
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda number: file.add({"n": number}), range(200)))

    assert sorted(counts) == list(range(1, 201))
    assert sorted(line["n"] for line in file.all()) == list(range(200))
    assert all(json.loads(line) for line in (tmp_path / "f").read_text().splitlines())
