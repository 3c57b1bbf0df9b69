"""What a GitHub payload says."""

from __future__ import annotations

import json

from processors.channels.github import parse
from tests.factories import raw_github


def test_an_issue_says_its_title_text_and_author() -> None:
    raw = raw_github("opened")
    assert raw.body is not None
    said = parse(raw, raw.body.encode())

    assert said is not None
    assert said.title == json.loads(raw.body)["issue"]["title"]
    assert said.account.startswith("github:")
    assert not said.comment
