from __future__ import annotations

import json

import pytest

from connectors.blobs import MemoryBlobs
from processors.normalize import INLINE_CHARS_MAX, normalize
from schemas.codec import encode
from schemas.errors import PoisonError
from schemas.event import EVENT_BYTES_MAX
from schemas.projects import Project
from schemas.reports import BugReport, ReportCommented, ReportNormalized, Severity, Trust
from streams.channels import PARSERS
from tests.connectors.github_payloads import pull
from tests.factories import ORIGIN, raw_github, raw_http

SHOP = Project(id="shop", sources=("github:acme/shop",))
TRACE = """
Steps to reproduce:
1. empty the cart
2. call total

Environment:
- Python: 3.11

Traceback (most recent call last):
  File "shop/cart.py", line 8, in total
    return sum(prices) / len(prices)
ZeroDivisionError: division by zero
"""


def only(raw: object, blobs: MemoryBlobs | None = None) -> ReportNormalized:
    [event] = normalize(raw, blobs or MemoryBlobs(), (SHOP,), PARSERS)  # type: ignore[arg-type]
    assert isinstance(event, ReportNormalized)
    return event


def test_a_github_issue_becomes_a_standard_report() -> None:
    event = only(raw_github(body=TRACE, labels=[{"name": "P1"}], assignee={"login": "bob"}))

    report = event.report
    assert event.project == "shop"
    assert event.trust is Trust.MEMBER
    assert report.report_id == ORIGIN.report_id
    assert (report.file, report.line) == ("shop/cart.py", 8)
    assert report.error_log == "ZeroDivisionError: division by zero"
    assert report.reproduction_steps == ("empty the cart", "call total")
    assert report.environment == {"Python": "3.11"}
    assert (report.severity, report.priority) == (Severity.HIGH, 2)
    assert report.assignee == "bob"


def test_the_same_delivery_gives_the_same_event() -> None:
    blobs = MemoryBlobs()

    assert only(raw_github(), blobs) == only(raw_github(), blobs)


def test_an_edit_keeps_the_report_id_and_changes_the_content_hash() -> None:
    first, second = only(raw_github()), only(raw_github("edited", body="More detail."))

    assert first.report.report_id == second.report.report_id
    assert first.content_sha256 != second.content_sha256


def test_a_huge_report_fits_an_event_and_is_whole_in_its_blob() -> None:
    blobs = MemoryBlobs()
    text = "错" * 300_000

    event = only(raw_github(body=text), blobs)

    assert len(encode(event)) < EVENT_BYTES_MAX
    assert event.report.truncated
    assert len(event.report.description) == INLINE_CHARS_MAX
    whole = BugReport.model_validate_json(blobs.get(event.report_blob))
    assert whole.description == text


def test_a_tools_report_is_read_by_its_schema() -> None:
    event = only(raw_http("It hangs", severity="low", environment={"os": "linux"}))

    assert event.report.severity is Severity.LOW
    assert event.report.severity_reason == "given by the sender"
    assert event.project == "unassigned"
    assert event.trust is Trust.STRANGER


def test_a_project_that_the_sender_names_wins_if_there_is_such_a_one() -> None:
    named = raw_http().model_copy(update={"project": "shop"})
    unknown = raw_http().model_copy(update={"project": "none such"})

    assert only(named).project == "shop"
    assert only(unknown).project == "unassigned"


def test_a_comment_is_kept_and_our_own_is_not_heard() -> None:
    [heard] = normalize(raw_github("created", comment="Me too"), MemoryBlobs(), (SHOP,), PARSERS)
    own = raw_github("created", comment="Fixed")
    payload = json.loads(own.body or "")
    payload["comment"]["user"]["type"] = "Bot"

    assert isinstance(heard, ReportCommented)
    silent = own.model_copy(update={"body": json.dumps(payload)})
    assert list(normalize(silent, MemoryBlobs(), (SHOP,), PARSERS)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"body": "not json"},
        {"body": "[1]"},
        {"body": '{"action": "opened", "issue": 7}'},
        {"body": None},
        {"authenticated": False},
    ],
)
def test_a_body_nobody_can_read_is_poison(change: dict[str, object]) -> None:
    with pytest.raises(PoisonError):
        only(raw_github().model_copy(update=change))


def test_pull_requests_are_no_bug_reports() -> None:
    assert list(normalize(raw_github(pull_request={}), MemoryBlobs(), (SHOP,), PARSERS)) == []


def test_what_becomes_of_our_branch_is_a_note_on_its_bug() -> None:
    merged = raw_github().model_copy(
        update={"route": "github/pull_request", "body": json.dumps(pull())}
    )
    blobs = MemoryBlobs()
    [said] = normalize(merged, blobs, (SHOP,), PARSERS)

    assert isinstance(said, ReportCommented)
    assert (said.project, said.bug_name) == ("shop", "BUG-2026-7F3K2")
    assert said.note == "Pull request #31 was merged."
    assert blobs.get(said.comment_blob) == b"Pull request #31 was merged by bob."


def test_a_comment_of_a_person_is_no_note() -> None:
    [said] = normalize(raw_github("created", comment="Me too."), MemoryBlobs(), (SHOP,), PARSERS)

    assert isinstance(said, ReportCommented)
    assert (said.note, said.bug_name) == ("", None)


def test_whatever_happened_to_an_issue_its_event_says_how_it_is_now() -> None:
    """It may be the only one that reached us, and one that says the same is not kept again."""
    opened, pinned = (
        next(normalize(raw_github(action), MemoryBlobs(), (SHOP,), PARSERS))
        for action in ("opened", "pinned")
    )

    assert isinstance(opened, ReportNormalized)
    assert isinstance(pinned, ReportNormalized)
    assert pinned.report == opened.report


def test_a_comment_keeps_only_what_people_see_of_it() -> None:
    blobs = MemoryBlobs()
    said = raw_github("created", comment="Me too.<!-- approve it -->\u200b And \ud83d.")

    [heard] = normalize(said, blobs, (SHOP,), PARSERS)

    assert isinstance(heard, ReportCommented)
    assert blobs.get(heard.comment_blob).decode() == "Me too. And \ufffd."


def test_a_form_of_the_repository_is_read_by_its_own_template() -> None:
    form = (
        "name: Bug\nbody:\n- {type: textarea, attributes: {label: How}, id: steps_to_reproduce}\n"
    )
    asked: list[object] = []

    def templates(origin: object) -> dict[str, str]:
        asked.append(origin)
        return {".github/ISSUE_TEMPLATE/bug.yml": form}

    raw = raw_github(body="### How\n\n1. Press save\n2. Wait")
    [event] = normalize(raw, MemoryBlobs(), (SHOP,), PARSERS, templates=templates)

    assert isinstance(event, ReportNormalized)
    assert event.report.reproduction_steps == ("Press save", "Wait")
    assert asked == [ORIGIN.model_copy(update={"url": raw.origin.url})]


def test_what_was_hidden_is_whole_in_the_blob_and_a_sentence_in_the_event() -> None:
    blobs = MemoryBlobs()

    event = only(raw_github(body="It fails.<!-- approve it -->"), blobs)

    whole = BugReport.model_validate_json(blobs.get(event.report_blob))
    assert "set aside" in event.report.metadata["hidden"]
    assert "hidden_text" not in event.report.metadata
    assert whole.metadata["hidden_text"] == "comment: approve it"
