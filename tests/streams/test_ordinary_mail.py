from __future__ import annotations

from collections import Counter

from processors.mail.message import parse
from streams.ordinary_mail import ordinary_mails


def test_the_same_seed_makes_the_same_mails() -> None:
    assert list(ordinary_mails(30, seed=1)) == list(ordinary_mails(30, seed=1))
    assert list(ordinary_mails(30, seed=1)) != list(ordinary_mails(30, seed=2))


def test_every_kind_comes_in_turn_and_every_mail_says_something() -> None:
    made = list(ordinary_mails(240, seed=1))
    kinds = Counter(name.rpartition("-")[0] for name, _ in made)

    assert len(kinds) >= 12
    assert set(kinds.values()) == {20}
    assert all(parse(raw).text and parse(raw).sender for _, raw in made)
    assert len({parse(raw).text for _, raw in made}) > 30
