from __future__ import annotations

import sys
from pathlib import Path

import pytest

from processors.attached import nothing
from schemas.accounts.github import GitHubAccount
from schemas.bugs import BugLocated, LocateRequested
from schemas.event import subject_id
from schemas.places import Person
from schemas.projects import Project
from schemas.topics import SOURCES
from streams import locating
from streams.config import Settings
from streams.memory_log import MemoryLog
from streams.wiring import Parts
from tests.connectors.fakes import github_server
from tests.connectors.fakes.github_site import TOKEN, Site
from tests.connectors.repositories import make_remote
from tests.factories import LINK, envelope
from tests.processors.trees import CALC, COMMAND, report

TEST = "\n\ndef test_mean_of_nothing():\n    assert double(mean([])) == 0\n"
FILES = CALC | {"tests/test_mean.py": CALC["tests/test_mean.py"] + TEST}


def test_the_answer_leads_to_who_reviewed_at_github_and_does_not_name_him(tmp_path: Path) -> None:
    bare, commit = make_remote(tmp_path, FILES)
    site = Site()
    site.add_repo("acme/shop")
    site.review("acme/shop", site.merged("acme/shop", commit), "bo")
    shop = Project(
        id="shop", git_url=bare.as_uri(), sources=("github:acme/shop",), locate_runs_tests=False
    )
    said = report("the mean of nothing").model_dump_json().encode()

    with github_server.serve(site) as address:
        account = GitHubAccount.model_validate({"url": f"{address}/api/v3", "token": TOKEN})
        settings = Settings(data_dir=tmp_path / "data", project=(shop,), github=account)
        with MemoryLog() as log, Parts(settings, log) as parts:
            stage = locating.stage(parts, nothing)
            ref = parts.blobs.put(said, media_type="application/json", subject="s")
            link = LINK.model_copy(update={"report_blob": ref})
            [answer] = stage.handle(LocateRequested(**envelope("ask"), attempt=1, report=link))
            assert isinstance(answer, BugLocated)
            refs = [one.owner.reviewer for one in answer.locations if one.owner]
            people = {parts.blobs.get(one) for one in refs if one}

    assert None not in refs
    assert {one.subject for one in refs if one} == {subject_id("github:bo")}
    assert [Person.model_validate_json(one).name for one in people] == ["bo"]
    assert "github:bo" not in answer.model_dump_json()
    assert len(site.calls) == 2


@pytest.mark.sandbox
def test_the_stage_asks_git_and_runs_the_test_that_a_member_names(tmp_path: Path) -> None:
    bare, commit = make_remote(tmp_path, FILES)
    shop = Project(
        id="shop", git_url=bare.as_uri(), python=Path(sys.executable), test_command=COMMAND
    )
    settings = Settings(data_dir=tmp_path / "data", project=(shop,))
    said = report("test_mean_of_nothing fails, while double is good").model_dump_json().encode()

    with MemoryLog() as log, Parts(settings, log) as parts:
        stage = locating.stage(parts, nothing)
        ref = parts.blobs.put(said, media_type="application/json", subject="s")
        link = LINK.model_copy(update={"report_blob": ref})
        [answer] = stage.handle(LocateRequested(**envelope("ask"), attempt=1, report=link))

    assert stage.sources == SOURCES["locate"]
    assert isinstance(answer, BugLocated)
    assert (answer.method, answer.locations[0].symbol) == ("failing tests", "mean")
    assert "runs in 1 of 1 failing test" in "; ".join(answer.locations[0].reasons)
    assert answer.locations[0].reasons[-1].startswith(f"its lines last changed in {commit[:10]}")
