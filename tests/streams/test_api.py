from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from connectors.database import open_engine
from projections.views import Filter, Views
from streams.answers import Answers
from streams.api import resolver, router
from tests.streams.known import LIVES, Known, known

BUG_ID = str(LIVES[0].bug_id)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with known(tmp_path_factory.mktemp("views")) as made:
        yield made


@pytest.fixture(scope="module")
def client(filled: Known) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router(filled.views, filled.blobs, filled.log))
    with TestClient(app) as client:
        yield client


def get(client: TestClient, path: str, expected: int = 200, /, **query: Any) -> Any:
    response = client.get(f"/api/v1{path}", params=query)
    assert response.status_code == expected, response.text
    return response.json()


def test_bugs_come_in_pages(client: TestClient) -> None:
    first = get(client, "/bugs", limit=20)
    second = get(client, "/bugs", limit=20, cursor=first["next_cursor"])

    assert (len(first["bugs"]), len(second["bugs"]), second["next_cursor"]) == (20, 10, None)


def test_bugs_are_filtered_by_project_status_and_severity(client: TestClient) -> None:
    asked: dict[str, Any] = {"project": "project-1", "severity": ["low", "high"]}
    asked["status"] = ["fixed", "could_not"]

    found = get(client, "/bugs", **asked)["bugs"]

    everything = get(client, "/bugs")["bugs"]
    assert found == [
        bug
        for bug in everything
        if bug["project"] == "project-1"
        and bug["status"] in asked["status"]
        and bug["severity"] in asked["severity"]
    ]
    assert found


@pytest.mark.parametrize("part", ["timeline", "effects", "budget", "audit"])
def test_every_part_of_a_bug_says_what_the_command_line_says(
    client: TestClient, filled: Known, part: str
) -> None:
    answers = Answers(filled.views, filled.blobs)
    arguments = (filled.log, BUG_ID) if part == "audit" else (BUG_ID,)

    assert get(client, f"/bugs/{BUG_ID}/{part}") == getattr(answers, part)(*arguments).model_dump(
        mode="json"
    )


def test_bug_is_found_by_human_id_and_start(client: TestClient) -> None:
    bug = get(client, f"/bugs/{BUG_ID}")

    assert get(client, f"/bugs/{bug['human_id']}") == bug
    assert get(client, f"/bugs/{BUG_ID[:8]}") == bug


def test_audit_as_of_then_shows_less(client: TestClient, filled: Known) -> None:
    everything = get(client, f"/bugs/{BUG_ID}/audit")
    then = everything["timeline"][0]["recorded_at"]

    audit = get(client, f"/bugs/{BUG_ID}/audit", at=then)

    assert len(audit["timeline"]) == 1 < len(everything["timeline"])
    assert audit["state"]["status"] == "open"
    before = (filled.clock.now() - timedelta(days=9)).isoformat()
    assert get(client, f"/bugs/{BUG_ID}/audit", at=before)["state"] is None


def test_ambiguous_start_is_answered_with_the_candidates(client: TestClient) -> None:
    detail = get(client, "/bugs/BUG-2026", 409)["detail"]

    assert detail["error"] == "ambiguous"
    assert len(detail["candidates"]) == 10


@pytest.mark.parametrize("part", ["", "/timeline", "/effects", "/budget", "/audit"])
def test_unknown_bug_is_answered_with_the_way_out(client: TestClient, part: str) -> None:
    detail = get(client, f"/bugs/nothing{part}", 404)["detail"]

    assert detail["error"] == "no_such_bug"
    assert "GET /api/v1/bugs" in detail["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "done"}, "status"),
        ({"severity": "bad"}, "severity"),
        ({"cursor": "made-up"}, "cursor"),
        ({"statsu": "fixed"}, "statsu: there is no such parameter; there are: project, status"),
    ],
)
def test_wrong_query_is_answered_with_its_field(
    client: TestClient, query: dict[str, Any], field: str
) -> None:
    detail = get(client, "/bugs", 422, **query)["detail"]

    assert field in detail["message"]


@pytest.mark.parametrize("part", ["timeline", "effects"])
def test_a_position_that_no_database_can_hold_is_refused(client: TestClient, part: str) -> None:
    assert get(client, f"/bugs/{BUG_ID}/{part}", after=2**63 - 1)[part] == []

    detail = get(client, f"/bugs/{BUG_ID}/{part}", 422, after=2**63)["detail"]

    assert detail["problems"][0]["field"] == "after"


def test_time_without_a_zone_is_refused(client: TestClient) -> None:
    detail = get(client, f"/bugs/{BUG_ID}/audit", 422, at="2026-11-22T10:00:00")["detail"]

    assert detail["problems"][0]["field"] == "at"


def test_standing_of_the_views_is_told(client: TestClient) -> None:
    found = get(client, "/projections")["projections"]

    assert [each["name"] for each in found] == ["bugs", "timeline", "effects", "budget"]
    assert {each["is_current"] for each in found} == {True}
    assert found[1]["rows"] == len(LIVES)


def test_views_that_are_not_built_yet_are_a_503_that_says_how(
    tmp_path_factory: pytest.TempPathFactory, filled: Known
) -> None:
    engine = open_engine(tmp_path_factory.mktemp("empty") / "views.sqlite")
    app = FastAPI()
    app.include_router(router(Views(engine), filled.blobs))
    with TestClient(app) as client:
        response = client.get("/api/v1/bugs")
        audit = client.get(f"/api/v1/bugs/{BUG_ID}/audit")
    engine.dispose()

    assert (response.status_code, audit.status_code) == (503, 503)
    assert "projections rebuild" in response.json()["detail"]["message"]
    assert int(response.headers["retry-after"]) > 0


def test_token_is_asked_for_where_one_is_set(filled: Known) -> None:
    app = FastAPI()
    app.include_router(router(filled.views, filled.blobs, filled.log, api_tokens=["secret"]))
    with TestClient(app) as client:
        refused = [
            client.get("/api/v1/bugs"),
            client.get("/api/v1/bugs", headers={"Authorization": "Bearer wrong"}),
            client.get("/api/v1/projections"),
            client.get(f"/api/v1/bugs/{BUG_ID}/audit"),
        ]
        allowed = client.get("/api/v1/bugs", headers={"Authorization": "Bearer secret"})
        schema = client.get("/openapi.json").json()

    assert {response.status_code for response in refused} == {401}
    assert allowed.status_code == 200
    assert schema["paths"]["/api/v1/bugs"]["get"]["security"] == [{"bearer": []}]


def test_openapi_describes_every_answer(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    assert len(paths) == 7
    for path, operations in paths.items():
        schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].endswith("Answer"), path
        errors = {"401", "422", "503"} | ({"404", "409"} if "{bug_id}" in path else set())
        assert set(operations["get"]["responses"]) == {"200"} | errors
        for status in errors:
            content = operations["get"]["responses"][status]["content"]["application/json"]
            assert content["schema"]["$ref"].endswith("/ProblemAnswer"), (path, status)


def test_commands_find_a_bug_as_questions_do(filled: Known) -> None:
    resolve = resolver(filled.views)
    bug = filled.views.bugs(Filter(), limit=1)[0]

    assert resolve(bug.human_id) == resolve(bug.bug_id)
    assert resolve(bug.bug_id) is not None
    assert resolve("nothing") is None
    with pytest.raises(HTTPException) as caught:
        resolve("BUG-2026")
    assert caught.value.status_code == 409
