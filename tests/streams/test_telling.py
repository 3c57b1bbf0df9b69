"""Each answer takes the way of its channel; without an account there, that of its project."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.governor import GovernedMessenger
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.raw import Origin
from streams.answer_box import AnswerBox
from streams.config import Settings
from streams.json_server import Call, serving_calls
from streams.telling import Routed, outlets

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

        with pytest.raises(TransientError, match="Slack cannot be reached"):
            found.messenger.post(SLACK, "text", KEY)

        assert box.received == []


def test_what_is_written_in_a_channel_is_governed_and_its_account_says_how_fast() -> None:
    def refuse(call: Call) -> tuple[int, dict[str, Any]]:
        calls.append(call.path)
        return 429, {"retry_after": 60}

    calls: list[str] = []
    with serving_calls(refuse) as url:
        found = outlets(settings(slack={"token": "t", "url": url, "messages_per_minute_max": 1}))
        for says in ("asks to wait 60 s", r"asks to wait \d+ s more"):
            with pytest.raises(LimitedError, match=says):
                found.messenger.post(SLACK, "text", KEY)

    assert calls == ["/auth.test"]
    assert isinstance(found.messenger, Routed)
    governed = found.messenger.by_channel["slack"]
    assert isinstance(governed, GovernedMessenger)
    assert governed.governor.per_minute_max == 1


def test_jira_is_moved_only_where_the_settings_say_so() -> None:
    origin = Origin(channel="jira", container="acme/SHOP", item="SHOP-1")
    account = {"url": "https://acme.atlassian.net", "token": "t"}

    assert outlets(settings(jira=account)).tracker(origin) is None
    moving = account | {"transitions": {"fixed": "done"}}
    assert outlets(settings(jira=moving)).tracker(origin) is not None


def test_a_mail_that_may_not_be_answered_goes_the_way_of_the_project(tmp_path: Path) -> None:
    origin = Origin(channel="email", container="bugs@acme.example", item="never-heard-of")
    box = {"address": "bugs@acme.example", "password": "p", "smtp_host": "mail.acme.example"}
    mail = {"data_dir": tmp_path, "mailbox": [box]}

    assert not outlets(settings(**mail)).reaches(origin)
    with AnswerBox() as answers:
        project = {"id": "shop", "sources": ["email:*"], "answer_url": answers.url}
        found = outlets(settings(**mail, project=[project]))
        found.messenger.post(origin, "text", KEY)

        assert found.reaches(origin)
        assert len(answers.received) == 1
