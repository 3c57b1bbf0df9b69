"""Each answer takes the way of its channel; without an account there, that of its project."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin
from streams.answer_box import AnswerBox
from streams.config import Settings
from streams.telling import outlets

KEY = UUID(int=7)
SLACK = Origin(channel="slack", container="T01/C02", item="1.2")
GITHUB = Origin(channel="github", container="acme/shop", item="12")


def settings(**more: Any) -> Settings:
    return Settings.model_validate(more)


def project(answer_url: str) -> dict[str, Any]:
    return {"id": "shop", "sources": ["github:acme/shop", "slack:*"], "answer_url": answer_url}


def test_without_account_and_url_nobody_is_reached() -> None:
    found = outlets(settings())

    assert not found.reaches(SLACK)
    assert found.tracker(SLACK) is None
    with pytest.raises(PoisonError, match="answer_url"):
        found.messenger.post(SLACK, "text", KEY)


def test_a_channel_without_an_account_is_answered_at_the_projects_url() -> None:
    with AnswerBox() as box:
        found = outlets(settings(project=[project(box.url)]))

        assert found.reaches(GITHUB)
        receipt = found.messenger.post(GITHUB, "text", KEY)

        assert found.messenger.find(GITHUB, KEY) == receipt
        assert [one.origin for one in box.received] == [GITHUB.key]


def test_an_account_in_the_channel_comes_before_the_url() -> None:
    slack = {"token": "xoxb-1", "url": "http://127.0.0.1:9"}
    with AnswerBox() as box:
        found = outlets(settings(project=[project(box.url)], slack=slack))

        with pytest.raises(TransientError, match="Slack does not answer"):
            found.messenger.post(SLACK, "text", KEY)

        assert box.received == []


def test_jira_is_moved_only_where_the_settings_say_so() -> None:
    origin = Origin(channel="jira", container="acme/SHOP", item="SHOP-1")
    account = {"url": "https://acme.atlassian.net", "token": "t"}

    assert outlets(settings(jira=account)).tracker(origin) is None
    moving = account | {"transitions": {"fixed": "done"}}
    assert outlets(settings(jira=moving)).tracker(origin) is not None
