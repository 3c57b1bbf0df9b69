"""A reader that lets something through shows nothing: one of each kind is planted."""

from __future__ import annotations

import pytest

from tests.redteam import readers

GOOD = (
    "**BUG-1: no fix was found.**\n\n| a | b |\n|---|---|\n| `x` | y |\n\n<sub>By a program.</sub>"
)


@pytest.mark.parametrize(
    "planted",
    [
        "@octocat",
        "`@octocat`",
        "@acme/team",
        "see #12",
        "gh-3",
        "http://x.example",
        "www.x.example",
        "[a](b)",
        "![a](b)",
        "<img src=x>",
        "<!-- x -->",
        "\n\n<script>x</script>",
        "mailto:a@b.example",
        "&commat;octocat",
        "&#64;octocat",
        "&num;12",
        "a&zwj;b",
        "a\u202eb",
        "a\x1b[2Jb",
        "a\U000e0041",
    ],
)
def test_a_comment_on_github_that_acts_is_seen(planted: str) -> None:
    assert readers.github(f"{GOOD}\n\n{planted}")
    assert readers.github(GOOD) == []


@pytest.mark.parametrize(
    "planted",
    ["<!channel>", "<@U1>", "<#C1|x>", "<!subteam^S1>", "<https://x|y>", "@here", "\x07"],
)
def test_a_message_in_slack_that_acts_is_seen(planted: str) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": f"a {planted}"}}

    assert readers.slack([{"text": "x", "blocks": [block]}])
    assert readers.slack([{"text": planted, "blocks": []}])
    assert readers.slack([{"text": "&lt;!channel&gt;", "blocks": []}]) == []


def test_an_element_in_slack_that_acts_is_seen() -> None:
    rich = {"type": "rich_text", "elements": [{"type": "broadcast", "range": "here"}]}

    assert readers.slack([{"text": "x", "blocks": [rich]}])
    assert readers.slack([{"text": "x", "blocks": [], "link_names": True}])


@pytest.mark.parametrize(
    "planted",
    ["@everyone", "@here", "<@1>", "<@!1>", "<@&1>", "<#1>", "</ban:1>", "[a](https://b)"],
)
def test_a_message_in_discord_that_acts_is_seen(planted: str) -> None:
    assert readers.discord(["fine", f"a {planted}"])
    assert readers.discord(["fine <\u200b@1> @\u200beveryone"]) == []


@pytest.mark.parametrize(
    "node",
    [
        {"type": "mention", "attrs": {"id": "x"}},
        {"type": "inlineCard", "attrs": {"url": "x"}},
        {"type": "extension"},
        {"type": "text", "text": "a", "marks": [{"type": "link", "attrs": {"href": "x"}}]},
        {"type": "text", "text": "a\u202e"},
    ],
)
def test_a_document_that_acts_is_seen(node: dict[str, object]) -> None:
    good = {"type": "paragraph", "content": [{"type": "text", "text": "[~admin]"}]}

    assert readers.adf({"type": "doc", "content": [good, {"type": "panel", "content": [node]}]})
    assert readers.adf({"type": "doc", "content": [good]}) == []


@pytest.mark.parametrize(
    "planted",
    [
        "[~admin]",
        "{{[~accountid:x]}}",
        "[a|http://x]",
        "!x.png!",
        "{include:x}",
        "http://x",
        "\x08",
    ],
)
def test_wiki_markup_that_acts_is_seen(planted: str) -> None:
    assert readers.wiki(f"h1. a\n\n{planted}\n")
    assert readers.wiki("{noformat}\n[~admin]\n{noformat}\n\\[~admin] \\{include:x}") == []


@pytest.mark.parametrize("planted", ["<a href=x>", "<img src=x>", "<p onclick=x>", "<!-- x -->"])
def test_a_page_that_acts_is_seen(planted: str) -> None:
    assert readers.html(f"<p>a</p>{planted}")
    assert readers.html("<p>a &lt;a href=x&gt; <code>b</code></p>") == []


@pytest.mark.parametrize(
    "planted", [b"Bcc: v@x.example\n", b"To: v@x.example\n", b"Subject: other\n"]
)
def test_a_mail_to_others_is_seen(planted: bytes) -> None:
    head = b"From: b@x.example\nTo: a@x.example\nSubject: s\nMessage-ID: <1@x.example>\n"
    rest = b"Content-Type: text/plain\n\nhello\n"

    assert readers.mail(head + planted + rest, to="a@x.example")
    assert readers.mail(head + rest, to="a@x.example") == []
    assert readers.mail(head + rest, to="c@x.example")
