from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.embeddings import MultilingualEmbedder, OnnxEmbedder
from processors.similarity.features import Spaces, decode, encode, features_of
from schemas.raw import Origin
from tests.factories import EPOCH
from tests.processors.similarity.reports import SPACES, features, report


@given(st.text(max_size=80), st.text(max_size=300))
def test_what_is_kept_can_be_read_again(title: str, body: str) -> None:
    found = features(title or "?", body)

    assert decode(json.loads(json.dumps(encode(found)))) == found


def test_nothing_that_is_kept_is_text() -> None:
    found = json.dumps(encode(features("Zanzibar sinks", "xylophone@shop.example is not amused")))

    assert "zanzibar" not in found.casefold()
    assert "xylophone" not in found


def test_an_edit_that_only_moves_boilerplate_changes_no_vector() -> None:
    one = features("It hangs", "## Steps to reproduce:\nopen the cart")
    other = features("It hangs", "open the cart\nUser Agent: Mozilla/5.0 (X11) Firefox/60")

    assert (one.main, one.many, one.text_key) == (other.main, other.many, other.text_key)


def test_vectors_are_rounded_alike_before_anything_is_decided() -> None:
    spaces = Spaces(OnnxEmbedder(), MultilingualEmbedder())
    one = features_of(report("It hangs", "open the cart"), spaces)

    assert decode(encode(one)).vector(many=False).tobytes() == one.vector(many=False).tobytes()
    assert (len(one.main), len(one.many)) == (384 * 2, 512 * 2)


def test_a_chinese_report_has_a_place_in_one_space_only() -> None:
    assert features("终端闪退").main == b""


@pytest.mark.parametrize(
    ("title", "specific"),
    [
        ("Upgrade to Jackson 2.14.3", True),
        ("Severe memory usage", False),
        ("Severe memory usage while printing", True),
        ("It is not for you", False),
        ("终端打开时闪退", True),
    ],
)
def test_a_title_of_few_words_names_no_fault(title: str, specific: bool) -> None:
    assert features(title).is_specific is specific


def test_a_text_that_only_points_somewhere_is_told_from_one_that_mentions_it() -> None:
    url = "https://shop.example/issues/12"
    origin = Origin(channel="github", container="acme/shop", item="12", url=url)
    item = features_of(report("Total fails", origin=origin), SPACES)

    assert features("From support", f"see {url}").points == (item.own,)
    assert features("From support", f"{'it is not the same as there ' * 3} {url}").points == ()


def test_a_report_that_does_not_say_when_came_when_it_came() -> None:
    silent = report("It hangs", created_at=None)

    assert features_of(silent, SPACES, at=EPOCH).at == EPOCH
