"""The doors of Jira, over HTTP in one process."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.gateway import create_app
from tests.connectors.jira_payloads import comment, encoded, issue, payload, token

SECRETS = {"jira": ("old", "new"), "jira-oauth": ("client-secret",)}


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    with TestClient(create_app(inbox=inbox, blobs=blobs, webhook_secrets=SECRETS)) as opened:
        yield opened


def post(client: TestClient, value: Any, *, delivery: str = "d-1", secret: str = "new") -> Any:
    body = encoded(value)
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature": f"sha256={signature}",
        "X-Atlassian-Webhook-Identifier": delivery,
        "Content-Type": "application/json",
    }
    return client.post("/webhooks/jira", content=body, headers=headers)


def test_an_issue_is_kept_once_whatever_jira_says_of_it(client: TestClient) -> None:
    first = post(client, payload("jira:issue_created"))
    again = post(client, payload("jira:issue_created"))
    ranked = post(client, payload(issue=issue(customfield_1="ranked higher")), delivery="d-2")
    edited = post(client, payload(issue=issue(description="other")), delivery="d-3")

    said = [one.json()["status"] for one in (first, again, ranked, edited)]
    assert said == ["accepted", "duplicate", "duplicate", "accepted"]
    assert first.json()["report_id"] == edited.json()["report_id"]


def test_an_issue_and_its_comment_in_one_post_are_two_items(client: TestClient) -> None:
    answer = post(client, payload(comment=comment()))

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "items": 2})
    alone = post(client, payload("comment_created", comment=comment()), delivery="d-2")
    assert alone.json()["status"] == "duplicate"


def test_what_is_of_no_interest_is_answered_and_not_kept(client: TestClient) -> None:
    answer = post(client, payload("worklog_created"))

    assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})


def test_a_wrong_signature_is_refused(client: TestClient) -> None:
    assert post(client, payload(), secret="x").status_code == 401


def test_a_token_opens_its_own_door_only_and_only_in_time(client: TestClient) -> None:
    def status(path: str, claims: dict[str, Any], secret: str = "client-secret") -> int:
        headers = {"Authorization": f"Bearer {token(claims, secret)}"}
        return client.post(path, content=encoded(payload()), headers=headers).status_code

    fresh = {"exp": time.time() + 60}

    assert status("/webhooks/jira-oauth", fresh) == 202
    assert status("/webhooks/jira", fresh) == 401
    assert status("/webhooks/jira-oauth", fresh, "new") == 401
    assert status("/webhooks/jira-oauth", {"exp": time.time() - 3_600}) == 401
