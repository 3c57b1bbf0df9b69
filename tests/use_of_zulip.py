"""What a made-up channel has to do once it is added. Run by its own test, in a copy of us."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from uuid import UUID

from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from processors.normalize import normalize
from schemas import topics
from schemas.codec import decode
from schemas.raw import RawReceived
from schemas.registry import BY_TYPE
from schemas.reports import ReportNormalized, Trust
from streams.channels import PARSERS
from streams.config import load
from streams.doctor_channels import check_channels
from streams.gateway import create_app
from streams.json_server import Call, serving_calls
from streams.telling import outlets

KEY = UUID(int=7)
MESSAGE = {"id": 5, "stream": "shop", "sender": "ann@acme.example", "content": "The total is wrong"}
BODY = json.dumps({"message": MESSAGE}).encode()
SETTINGS = """
[webhook_secrets]
zulip = ["s3cret"]
[account.zulip]
url = "{url}"
token = "t"
[[project]]
id = "shop"
sources = ["zulip:shop"]
members = ["zulip:ann@acme.example"]
"""


def main(url: str, posted: list[str]) -> None:
    Path("bugstream.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    settings = load()
    inbox, blobs = Inbox.open("inbox.sqlite"), MemoryBlobs()
    app = create_app(inbox=inbox, blobs=blobs, webhook_secrets=settings.secrets_by_door())
    signed = {"x-zulip-hmac": hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()}
    with TestClient(app) as client:
        for _ in range(2):
            assert client.post("/webhooks/zulip", content=BODY, headers=signed).status_code == 202
        forged = {"x-zulip-hmac": "0" * 64}
        assert client.post("/webhooks/zulip", content=BODY, headers=forged).status_code == 401

    assert inbox.number(10) == 1
    raw = decode(inbox.numbered(1, 10)[0].event)
    assert isinstance(raw, RawReceived)
    assert BY_TYPE[raw.type].topic(raw) == topics.RAW["http"]
    [report] = normalize(raw, blobs, settings.project, PARSERS)
    assert isinstance(report, ReportNormalized)
    assert (report.project, report.report.title) == ("shop", "The total is wrong")
    assert report.trust == Trust.MEMBER
    [check] = [one for one in check_channels(settings) if one.name == "channel zulip"]
    assert (check.state, "doors: zulip open" in check.found) == ("ok", True)

    told = outlets(settings)
    assert told.reaches(raw.origin)
    receipt = told.messenger.post(raw.origin, "Thank you.", KEY)
    assert told.messenger.find(raw.origin, KEY) == receipt == "0"
    assert posted[0].startswith("Thank you.\n")
    assert told.messenger.post(raw.origin, "Thank you.", KEY) == receipt
    assert len(posted) == 1
    inbox.close()


if __name__ == "__main__":
    said: list[str] = []

    def zulip(call: Call) -> tuple[int, dict[str, object]]:
        assert call.path == "/threads/5"
        if call.method == "POST":
            said.append(call.message["content"])
            return 200, {"id": len(said) - 1}
        listed = [{"id": n, "content": one, "is_me": True} for n, one in enumerate(said)]
        return 200, {"messages": listed}

    with serving_calls(zulip) as url:
        main(url, said)
