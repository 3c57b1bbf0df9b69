"""What people and programs of the demo's shop report beside its issues, each in its own channel."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.request
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlencode

from streams.demo_world import CHANNEL, MAILBOX, TEAM

MEMBER = "U02BEN"
RECEIVER = "shop"
COMMAND = """\
A voucher is refused on its last day. \
tests/test_vouchers.py::test_a_voucher_is_good_on_its_last_day fails on main.\
"""
_TRACE = """\
Traceback (most recent call last):
  File "/srv/shop/shop/api.py", line 18, in checkout
    total = total_cents(order)
  File "/srv/shop/shop/orders.py", line 38, in total_cents
    return subtotal_cents(order) - discount_cents(order)
  File "/srv/shop/shop/orders.py", line 33, in discount_cents
    return subtotal_cents(order) * order.coupon.percent // 100
AttributeError: 'NoneType' object has no attribute 'percent'
"""
"""The same crash that issue #7 is about, as the log has it."""
SUBJECT = "I cannot pay"
ALERT = "CheckoutFails"


def mail() -> bytes:
    """Return the mail of a customer who ran into the crash of issue #7."""
    made = EmailMessage()
    made["From"] = "Cleo Customer <cleo@customer.example>"
    made["To"] = MAILBOX
    made["Subject"] = SUBJECT
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = "<i-cannot-pay@customer.example>"
    made.set_content(
        f"Hello,\n\nwhen I want to pay I get this page:\n\n{_TRACE}\nBest wishes\nCleo\n"
    )
    return made.as_bytes()


def post_command(url: str, secret: str) -> str:
    """Type `/bug` as a member of the team, and return what Slack shows to that person."""
    form = {
        "command": "/bug",
        "text": COMMAND,
        "team_id": TEAM,
        "channel_id": CHANNEL,
        "user_id": MEMBER,
        "trigger_id": "1.2.voucher",
    }
    body, now = urlencode(form).encode(), str(int(time.time()))
    signed = hmac.new(secret.encode(), b"v0:%b:%b" % (now.encode(), body), hashlib.sha256)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
    }
    return str(json.loads(_post(f"{url}/webhooks/slack/command", body, headers))["text"])


def post_alert(url: str, token: str) -> None:
    """Fire an alert on the crash of issue #7, as Alertmanager posts it."""
    labels = {"alertname": ALERT, "service": "shop", "severity": "critical"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "One checkout in three fails", "description": _TRACE},
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.shop.example/graph",
        "fingerprint": hashlib.sha256(str(labels).encode()).hexdigest()[:16],
    }
    group = {
        "version": "4",
        "groupKey": '{}:{alertname="CheckoutFails"}',
        "receiver": RECEIVER,
        "status": "firing",
        "groupLabels": {"alertname": ALERT},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.shop.example",
        "truncatedAlerts": 0,
        "alerts": [alert],
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    _post(f"{url}/webhooks/alertmanager", json.dumps(group).encode(), headers)


def _post(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # our gateway
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own gateway
        return bytes(answer.read())
