"""Another's Slack (`emulate` 0.8.0) and a receiver that is killed: what no event told is found.

What `emulate` lacks is made up for between the two, and so not shown here: its events carry no
signature, no `event_id`, no `team_id` and no `authorizations`, and are posted once, whatever comes
of it (Slack tries three times more); nobody can subscribe to them but by a plugin. Messages by a
bot bear its user and no `bot_id`, and threads no `latest_reply`. `conversations.history` takes no
`oldest` and gives all there is; there are no slash commands and no limits. It would listen on all
interfaces; here it is held to loopback.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from connectors.slack_api import SlackApi
from connectors.slack_client import SlackMessenger
from processors.chat_text import to_slack
from schemas.raw import Origin
from tests.connectors.chat_posts import SECRET, signed
from tests.e2e import emulate
from tests.e2e.receiver import Receiver, receiver
from tests.e2e.test_alertmanager import wait_until
from tests.streams.monitored import bugs_of

pytestmark = [emulate.needed, pytest.mark.timeout(300)]
TEAM, CHANNEL = "T000000001", "C000000001"
BOT, ANN = "xoxb-bot", "xoxp-ann"
SEED = {
    "slack": {
        "users": [{"name": "ann"}],
        "oauth_apps": [
            {
                "client_id": "1.2",
                "client_secret": "s",
                "name": "bugstream",
                "redirect_uris": [],
                "bot_id": "B00000BOT",
                "bot_user_id": "U00000BOT",
            }
        ],
        "tokens": [
            {"token": BOT, "user_id": "U00000BOT", "bot_id": "B00000BOT"},
            {"token": ANN, "user": "ann"},
        ],
    }
}


@dataclass
class Signer:
    """Hands events on to a receiver, signed, with what `emulate` leaves out. Tries each once."""

    target: str = ""
    delivered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    url: str = ""

    def hand_on(self, event: dict[str, Any]) -> None:
        number = len(self.delivered) + len(self.lost)
        payload = {
            **event,
            "token": "canary-of-slack",
            "team_id": TEAM,
            "event_id": f"Ev{number}",
            "authorizations": [{"user_id": "U00000BOT", "is_bot": True}],
        }
        body = json.dumps(payload).encode()
        request = urllib.request.Request(
            f"{self.target}/webhooks/slack", data=body, headers=signed(body, secret=SECRET)
        )
        said = str(event["event"].get("text"))
        try:
            urllib.request.urlopen(request, timeout=10).close()
            self.delivered.append(said)
        except OSError:
            self.lost.append(said)

    @contextmanager
    def serving(self) -> Iterator[None]:
        signer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                signer.hand_on(json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)


def settings(folder: Path, slack_url: str) -> dict[str, Any]:
    return {
        "data_dir": folder / "data",
        "webhook_secrets": {"slack": [SECRET]},
        "slack": {"token": BOT, "url": f"{slack_url}/api", "poll_every_s": 5},
        "project": [{"id": "shop", "sources": [f"slack:{TEAM}/{CHANNEL}"]}],
    }


def told(place: Receiver) -> list[str]:
    events = [json.loads(event.body or "")["event"] for event in place.kept()]
    return [(event.get("message") or event)["text"] for event in events]


def say(api: SlackApi, text: str, thread: str | None = None) -> str:
    body = {"channel": CHANNEL, "text": text, **({"thread_ts": thread} if thread else {})}
    return str(api.tell("chat.postMessage", body)["ts"])


def test_a_receiver_killed_in_the_middle_of_messages_loses_none_and_doubles_none(
    tmp_path: Path,
) -> None:
    signer = Signer()
    with signer.serving(), emulate.running("slack", SEED, events_url=signer.url) as url:
        ann, bot = (SlackApi(token, base_url=f"{url}/api") for token in (ANN, BOT))
        with receiver(settings(tmp_path, url)) as place:
            signer.target = place.url
            place.start("gateway")
            root = say(ann, "bug: it broke")
            say(ann, "lunch?")
            say(bot, "We look at it.", root)
            wait_until(lambda: told(place) == ["bug: it broke"])
            place.kill()
            # Nobody hears these, and Slack has no more to say of them.
            lost = [say(ann, f"bug: lost {number}") for number in range(5)]
            say(ann, "me too", root)
            say(ann, "and me", lost[0])
            say(ann, "lunch!")
            ann.tell(
                "chat.update", {"channel": CHANNEL, "ts": lost[1], "text": "bug: lost 1, edited"}
            )
            place.start("gateway")
            say(ann, "bug: heard again")
            wait_until(lambda: "bug: heard again" in told(place))
            control = told(place)
            place.kill()

            place.start()
            for number in range(5):
                say(ann, f"bug: while it asks {number}")
            place.kill()
            say(ann, "bug: the last one")
            place.start()
            wait_until(lambda: "bug: the last one" in told(place))
            rounds = place.rounds(f"slack/{TEAM}/{CHANNEL}")
            wait_until(lambda: rounds.have_passed(2))
            heard, bodies = told(place), [event.body or "" for event in place.kept()]
            inbox = Inbox.open(place.settings.store_url("inbox"))
            bugs = [kind for kind, _ in bugs_of(inbox, MemoryBlobs())]
            inbox.close()
        ann.close()
        bot.close()

    assert len(signer.lost) >= 9
    assert control == ["bug: it broke", "bug: heard again"]
    assert sorted(heard) == sorted(
        [
            *control,
            *("bug: lost 0", "bug: lost 1, edited", "bug: lost 2", "bug: lost 3", "bug: lost 4"),
            *("me too", "and me", "bug: the last one"),
            *(f"bug: while it asks {number}" for number in range(5)),
        ]
    )
    assert bugs.count("bug.opened") == 13
    assert not any("canary-of-slack" in body for body in bodies)


def test_an_answer_stands_in_its_thread_once_and_is_known_as_ours(tmp_path: Path) -> None:
    key, other = UUID(int=1), UUID(int=2)
    with emulate.running("slack", SEED) as url:
        ann = SlackApi(ANN, base_url=f"{url}/api")
        client = SlackMessenger(BOT, to_slack, base_url=f"{url}/api")
        container = f"{TEAM}/{CHANNEL}"
        thread = Origin(channel="slack", container=container, item=say(ann, "bug: it broke"))
        command = Origin(channel="slack", container=container, item="command/1.2")
        marker = {"event_type": "x", "event_payload": {"key": str(key), "part": 0, "parts": 1}}
        feigned = {"channel": CHANNEL, "text": "x", "thread_ts": thread.item, "metadata": marker}
        ann.tell("chat.postMessage", feigned)
        before = client.find(thread, key)
        receipts = {client.post(thread, "**Fixed** <!channel>", key) for _ in range(2)}
        answered = {client.post(command, "Done.", other) for _ in range(2)}
        replies = ann.ask("conversations.replies", {"channel": CHANNEL, "ts": thread.item})
        found = client.find(thread, key), client.find(command, other), client.find(thread, other)
        ann.close()
        client.close()

    assert before is None
    assert receipts == {found[0]}
    assert answered == {found[1]}
    assert found[2] is None
    assert [one["text"] for one in replies["messages"]][:2] == ["bug: it broke", "x"]
    assert len(replies["messages"]) == 3
    assert replies["messages"][2]["blocks"][0]["text"]["text"] == "*Fixed* &lt;!channel&gt;"
