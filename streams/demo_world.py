"""The world around the demo's shop: a mailbox, a workspace of Slack, an Alertmanager, all little.

They speak as much of the real ones' language as is spoken to them, and keep what they are told.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any, Self

from streams.answer_box import AnswerBox
from streams.json_server import Answer, Call, serving_calls
from streams.little_imap import LittleImap
from streams.little_mailbox import Folder
from streams.little_smtp import LittleSmtp

TEAM, CHANNEL, BOT = "T01SHOP", "C01BUGS", "B01BUGSTREAM"
MAILBOX, PASSWORD = "bugs@shop.example", "of the demo"  # it opens nothing else
_READERS = "the customer"
_MATCHER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Told:
    """One message, as whoever looks there finds it."""

    where: str
    text: str


class Slack:
    """One channel of one workspace."""

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer:
        """Answer a call of the Web API."""
        match call.path.rpartition("/")[2]:
            case "auth.test":
                return 200, {"ok": True, "team_id": TEAM, "user_id": "U0BOT", "bot_id": BOT}
            case "conversations.history" | "conversations.replies":
                with self._lock:
                    return 200, {"ok": True, "messages": self._messages[::-1]}
            case "chat.postMessage":
                return 200, {"ok": True, "channel": CHANNEL, "ts": self._post(call.message)}
            case _:
                return 200, {"ok": False, "error": "unknown_method"}

    def _post(self, message: dict[str, Any]) -> str:
        with self._lock:
            stamp = f"{int(time.time())}.{len(self._messages):06}"
            self._messages.append({**message, "ts": stamp, "bot_id": BOT})
        return stamp

    @property
    def told(self) -> list[Told]:
        """Return what stands in the channel, oldest first."""
        with self._lock:
            return [Told("Slack, #bugs", str(one["text"])) for one in self._messages]


class Alertmanager:
    """Keeps alerts, each once, by its labels."""

    def __init__(self) -> None:
        self._alerts: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer:
        """Answer a call of the API, version 2."""
        if call.path.endswith("/alerts") and call.method == "POST":
            with self._lock:
                for alert in call.message:
                    self._alerts[str(sorted(alert["labels"].items()))] = alert
            return 200, {}
        if call.path.endswith("/alerts"):
            wanted = _MATCHER.fullmatch(call.query.get("filter", ""))
            with self._lock:
                alerts = list(self._alerts.values())
            return 200, [
                one for one in alerts if not wanted or one["labels"].get(wanted[1]) == wanted[2]
            ]
        return 404, {}

    @property
    def told(self) -> list[Told]:
        """Return the alerts that were made here, oldest first."""
        with self._lock:
            alerts = list(self._alerts.values())
        return [Told("Alertmanager, BugstreamAnswer", _description(alert)) for alert in alerts]


class World:
    """All of it, served on loopback while it is open."""

    def __init__(self) -> None:
        self.box = AnswerBox()
        self.slack = Slack()
        self.alertmanager = Alertmanager()
        self.imap = LittleImap(MAILBOX, PASSWORD)
        self.imap.store.folders[_READERS] = Folder()
        self.smtp = LittleSmtp(self.imap.store, folder=_READERS)
        self.slack_url = self.alertmanager_url = ""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self.box)
        self.slack_url = self._serve(self.slack.answer)
        self.alertmanager_url = self._serve(self.alertmanager.answer)
        for server in (self.imap, self.smtp):
            server.start()
            self._open.callback(server.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _serve(self, answer: Callable[[Call], Answer]) -> str:
        return self._open.enter_context(serving_calls(answer)).rstrip("/")

    @property
    def settings(self) -> dict[str, Any]:
        """Return the accounts that lead here."""
        return {
            "mailbox": (
                {
                    "address": MAILBOX,
                    "password": PASSWORD,
                    "imap_host": "127.0.0.1",
                    "imap_port": self.imap.port,
                    "imap_security": "none",
                    "smtp_port": self.smtp.port,
                },
            ),
            "slack": {"url": self.slack_url, "token": "xoxb-of-the-demo", "backfill": False},
            "alertmanager": {"url": self.alertmanager_url, "backfill": False},
        }

    @property
    def told(self) -> list[Told]:
        """Return every message, by where it was told."""
        on_github = [
            Told(f"GitHub, issue #{one.origin.rpartition('#')[2]}", one.text)
            for one in self.box.received
        ]
        return [*on_github, *self._mails(), *self.slack.told, *self.alertmanager.told]

    def _mails(self) -> list[Told]:
        with self.imap.store.changed:
            mails = [mail.content for mail in self.imap.store.folders[_READERS].mails]
        return [_mail(content) for content in mails]


def _mail(content: bytes) -> Told:
    mail = BytesParser(policy=policy.default).parsebytes(content)
    body = mail.get_body(("plain",))
    return Told(
        f"Mail to {mail['To']}, {mail['Subject']}",
        body.get_content().replace("\r\n", "\n") if body else "",
    )


def _description(alert: dict[str, Any]) -> str:
    return str(alert["annotations"].get("description", ""))
