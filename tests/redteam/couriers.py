"""How a report gets in: signed, as its channel signs, by the very door its channel has."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery, digest
from connectors.inbox import Inbox
from schemas.raw import Origin
from streams.receiving import accept, inbound_of
from tests.connectors import chat_posts, jira_payloads
from tests.connectors.monitoring import posts
from tests.redteam.reports import Report

TOKEN = "t0ken"
SECRET = posts.SECRET
SECRETS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("github", "jira", "alertmanager", "grafana", "sentry", "pagerduty", "otlp"), (SECRET,)
    ),
    **dict.fromkeys(("slack", "slack-command"), (chat_posts.SECRET,)),
    "discord": (chat_posts.PUBLIC,),
}
MAILBOX = "bugs@acme.example"
TOO_LARGE = frozenset({413, 422})
"""A door may turn away what is too large or no report at all; it was said to the sender."""


@dataclass(frozen=True)
class Sent:
    path: str
    body: bytes
    headers: Mapping[str, str]


Courier = Callable[[Report, int], Sent]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _hexed(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def _github(report: Report, number: int, *, comment: bool = False) -> Sent:
    user = {"login": report.who, "type": "User"}
    issue = {
        "number": number,
        "title": report.title,
        "body": "The total is wrong." if comment else report.text,
        "user": {"login": "ann"} if comment else user,
        "author_association": "NONE",
        "state": "open",
        "html_url": report.url or f"https://github.com/acme/shop/issues/{number}",
    }
    payload: dict[str, Any] = {
        "action": "created" if comment else "opened",
        "issue": issue,
        "repository": {"full_name": "acme/shop"},
        "sender": user,
    }
    if comment:
        payload["comment"] = {
            "id": number,
            "body": report.text,
            "user": user,
            "author_association": "NONE",
        }
    body = _json(payload)
    headers = {
        "x-hub-signature-256": f"sha256={_hexed(body)}",
        "x-github-event": "issue_comment" if comment else "issues",
        "x-github-delivery": f"d-{number}-{int(comment)}",
        "content-type": "application/json",
    }
    return Sent("/webhooks/github", body, headers)


def _github_comment(report: Report, number: int) -> Sent:
    return _github(report, number, comment=True)


def _jira(report: Report, number: int) -> Sent:
    issue = jira_payloads.issue(
        summary=report.title,
        description=report.text,
        environment=report.text[:500],
        labels=[report.title[:200]],
        reporter={"accountId": "5c5f:mallory", "displayName": report.title},
    )
    issue |= {"key": f"SHOP-{number}"}
    body = _json(jira_payloads.payload("jira:issue_created", issue=issue))
    if report.adf_depth:
        node = '{"type":"blockquote","content":['
        deep = node * report.adf_depth + "]}" * report.adf_depth
        doc = f'{{"type":"doc","version":1,"content":[{deep}]}}'
        body = body.replace(json.dumps(report.text).encode(), doc.encode(), 1)
    headers = {
        "x-hub-signature": f"sha256={_hexed(body)}",
        "x-atlassian-webhook-identifier": f"d-{number}",
    }
    return Sent("/webhooks/jira", body, headers)


def _jira_adf(report: Report, number: int) -> Sent:
    mention = {"type": "mention", "attrs": {"id": "all", "text": "@everyone"}}
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": report.text}, mention]}
    issue = jira_payloads.issue(
        summary=report.title,
        description={"type": "doc", "version": 1, "content": [paragraph]},
        reporter={"accountId": "5c5f:mallory"},
    )
    issue |= {"key": f"DEEP-{number}"}
    body = _json(jira_payloads.payload("jira:issue_created", issue=issue))
    headers = {
        "x-hub-signature": f"sha256={_hexed(body)}",
        "x-atlassian-webhook-identifier": f"a-{number}",
    }
    return Sent("/webhooks/jira", body, headers)


def _slack(report: Report, number: int) -> Sent:
    body = _json(
        chat_posts.event(
            f"Ev{number}",
            text=f"bug: {report.title}\n{report.text}",
            user="UEVIL",
            ts=f"17{number:08d}.000100",
        )
    )
    return Sent("/webhooks/slack", body, chat_posts.signed(body))


def _slack_command(report: Report, number: int) -> Sent:
    text = report.title if report.command else f"{report.title}\n{report.text}"
    given = {
        "command": "/bug",
        "text": text,
        "team_id": "T1",
        "channel_id": "C1",
        "user_id": "UEVIL",
        "trigger_id": f"13.{number}.aa",
    }
    # Halves of surrogate pairs become bytes that are no UTF-8: that, too, is sent by somebody.
    body = "&".join(
        f"{name}={quote_plus(value.encode('utf-8', 'surrogatepass'))}"
        for name, value in given.items()
    ).encode()
    signed = chat_posts.signed(body, kind=chat_posts.FORM)
    return Sent("/webhooks/slack/command", body, signed)


def _discord(report: Report, number: int) -> Sent:
    verb, _, bug = report.title.partition(" ")
    asked = (
        chat_posts.typed(verb, bug=bug)
        if report.command
        else chat_posts.typed("report", title=report.title, text=report.text)
    )
    body = _json(asked | {"id": str(900 + number), "member": {"user": {"id": "666"}}})
    return Sent("/webhooks/discord", body, chat_posts.discord_signed(body))


def _alert(report: Report, number: int) -> dict[str, Any]:
    return posts.alert(
        "HostileAlert",
        labels={"alertname": report.title, "severity": report.title, "who": report.who},
        annotations={"summary": report.title, "description": report.text},
        fingerprint=f"{number:016x}",
        generatorURL=report.url or "http://prometheus.example/graph",
    )


def _bearer(body: bytes, path: str) -> Sent:
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    return Sent(path, body, headers)


def _alertmanager(report: Report, number: int) -> Sent:
    return _bearer(_json(posts.group(_alert(report, number))), "/webhooks/alertmanager")


def _grafana(report: Report, number: int) -> Sent:
    body = _json(posts.group(_alert(report, number)))
    return Sent("/webhooks/grafana", body, {"x-grafana-alerting-signature": _hexed(body)})


def _sentry(report: Report, number: int) -> Sent:
    raised = {"type": report.title[:300], "value": report.text, "stacktrace": _hostile_frames()}
    event = posts.sentry_event(
        issue_id=str(number),
        event_id=f"e{number}",
        title=report.title,
        culprit=report.title,
        exception={"values": [raised]},
        web_url=report.url or "https://sentry.io/x",
    )
    given = posts.sentry("error", "created", error=event)
    headers = {**given.headers, "sentry-hook-signature": _hexed(given.body)}
    return Sent("/webhooks/sentry", given.body, headers | {"request-id": f"r-{number}"})


def _hostile_frames() -> dict[str, Any]:
    function = "@everyone<!channel>[~admin]"
    places = (("../../../../etc/passwd", 1), ("shop/cart.py", 2), ("-oProxyCommand=x.py", 3))
    return {"frames": [posts.frame(path, line, function) for path, line in places]}


def _pagerduty(report: Report, number: int) -> Sent:
    body = _json(posts.incident(id=f"PINC{number}", title=f"{report.title}\n{report.text}"))
    return Sent("/webhooks/pagerduty", body, {"x-pagerduty-signature": f"v1={_hexed(body)}"})


def _otlp(report: Report, number: int) -> Sent:
    said = posts.exception(name=report.title[:300], message=report.text, stack=report.text)
    payload = posts.traces(posts.span(number, attributes=said), service="hostile")
    return _bearer(_json(payload), "/v1/traces")


def _http(report: Report, number: int) -> Sent:
    given = {
        "tool": "pager",
        "id": str(number),
        "title": report.title,
        "description": report.text,
        "reporter": report.who,
        "url": report.url or None,
    }
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    return Sent("/api/v1/bugs/receive", _json(given), headers)


COURIERS: Mapping[str, Courier] = {
    "github": _github,
    "github comment": _github_comment,
    "jira": _jira,
    "jira adf": _jira_adf,
    "slack": _slack,
    "slack command": _slack_command,
    "discord": _discord,
    "alertmanager": _alertmanager,
    "grafana": _grafana,
    "sentry": _sentry,
    "pagerduty": _pagerduty,
    "otlp": _otlp,
    "http": _http,
}


def send(client: TestClient, channel: str, report: Report, number: int) -> int:
    """Deliver it, and return the status that its door answered with."""
    sent = COURIERS[channel](report, number)
    return client.post(sent.path, content=sent.body, headers=dict(sent.headers)).status_code


def mail_of(report: Report, number: int) -> bytes:
    """Return it as a mail, which has no door: our poller fetches it."""
    said = report.text.encode("utf-8", "replace")
    title = base64.b64encode(report.title.encode("utf-8", "replace")).decode()
    lines = (
        "From: Mallory <mallory@evil.example>",
        f"To: {MAILBOX}",
        f"Subject: =?utf-8?b?{title}?=",
        f"Message-ID: <{number}@evil.example>",
        "Authentication-Results: mx.evil.example; dkim=pass header.d=acme.example",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 8bit",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + said.replace(b"\n", b"\r\n")


def put_mail(inbox: Inbox, blobs: MemoryBlobs, report: Report, number: int) -> None:
    """Keep it as the mailbox's poller does."""
    body = mail_of(report, number)
    origin = Origin(channel="email", container=MAILBOX, item=f"{number}@evil.example")
    found = Delivery(
        origin=origin,
        delivery_id=f"mail/{number}",
        sender="email:mallory@evil.example",
        author="email:mallory@evil.example",
        entity=origin.key,
        meaning=digest(hashlib.sha256(body).hexdigest()),
        kind="report",
        body=body,
        author_verified=False,
    )
    accept(inbox, blobs, inbound_of(found, route="email", content_type="message/rfc822"))
