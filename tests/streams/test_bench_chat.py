"""Every payload of a chat is counted once."""

from __future__ import annotations

from pathlib import Path

from streams.bench_chat import measure
from tests.connectors.chat_posts import dumped, event, form, interaction, typed


def test_payloads_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    for name, body in {
        "slack/a/report.json": dumped(event()),
        "slack/a/comment.json": dumped(event(text="me too", thread_ts="1699999999.000100")),
        "slack/other.json": dumped(event(text="lunch?")),
        "slack/joined.json": dumped(event(type="member_joined_channel", text=None)),
        "slack/typed.txt": form("The total is wrong"),
        "slack/wish.txt": form("approve BUG-2026-7F3K2"),
        "slack/broken.json": b"{",
        "discord/ping.json": dumped(interaction(1)),
        "discord/typed.json": dumped(typed("report", title="Wrong")),
        "discord/bought.json": dumped({"version": 1, "type": 1, "event": {"type": "X"}}),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    slack, discord = measure(tmp_path)

    assert (slack.payloads, slack.reports, slack.comments, slack.wishes) == (7, 2, 1, 1)
    assert (slack.passed, slack.answered, slack.failed, slack.crashes) == (2, 0, 1, 0)
    assert (slack.messages, slack.messages_read) == (3, 3)
    assert slack.troubles == ["broken.json: the body is not JSON"]
    assert (discord.payloads, discord.reports, discord.answered) == (3, 1, 2)
    assert discord.kinds["discord-events: 1 X"] == 1


def test_a_folder_that_is_not_there_has_no_payloads(tmp_path: Path) -> None:
    assert [figures.payloads for figures in measure(tmp_path)] == [0, 0]
