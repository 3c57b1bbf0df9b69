"""What our app in Slack is for."""

from __future__ import annotations

from typing import Any

from streams.accounts import slack
from streams.config import Settings
from streams.json_server import Call, serving_calls


def conf(*sources: str, **account: Any) -> Settings:
    project = {"id": "shop", "sources": sources}
    return Settings.model_validate({"slack": {"token": "t", **account}, "project": [project]})


def test_each_channel_that_is_a_source_is_asked_for_by_its_whole_name() -> None:
    asked = slack.pollers(conf("slack:T1/C1", "SLACK:T1/C2", "slack:T1/*", "slack:odd", "jira:X"))

    assert [one.name for one in asked] == ["slack/T1/C1", "slack/T1/C2"]
    assert slack.pollers(conf("slack:T1/C1", backfill=False)) == []


def test_it_is_called_where_the_settings_say() -> None:
    def answer(call: Call) -> tuple[int, dict[str, Any]]:
        assert call.path == "/auth.test"
        return 200, {"ok": True, "team_id": "T1", "user_id": "U1"}

    with serving_calls(answer) as url:
        api = slack.api_of(conf(url=url))
        assert api is not None

        assert api.me().team == "T1"
        api.close()
    assert slack.api_of(Settings()) is slack.messenger(Settings()) is None
