"""The webhooks of the proofs are what the door takes."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors import github
from connectors.channel import Post
from streams.prove_webhooks import PATH, SECRET, webhook


def test_each_is_genuine_and_speaks_of_an_issue_of_its_own() -> None:
    posts = []
    for number in (0, 1):
        made = webhook(number)
        posts.append(Post({name.lower(): v for name, v in made.headers.items()}, made.body))

    found = [github.DOOR.read(post)[0] for post in posts]

    assert github.DOOR.path == PATH
    assert [github.DOOR.refusal(p, [SECRET], datetime.now(UTC)) for p in posts] == [None, None]
    assert [one.origin.item for one in found] == ["1", "2"]  # type: ignore[union-attr]
