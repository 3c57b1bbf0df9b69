from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.attached import FetchedOnce, nothing
from processors.base import Processor, StatefulProcessor, Task
from schemas.errors import UserError
from schemas.reports import ReportNormalized
from schemas.topics import SOURCES, STAGES
from streams import wiring
from streams.config import Settings
from streams.memory_log import MemoryLog
from streams.wiring import Parts
from tests.connectors.repositories import make_remote
from tests.factories import raw_github
from tests.streams.test_issue_templates import BODY, FORM


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    settings = Settings.model_validate({"data_dir": tmp_path, "project": ({"id": "shop"},)})
    with MemoryLog() as log, Parts(settings, log) as opened:
        yield opened


@pytest.mark.sandbox
@pytest.mark.parametrize("name", STAGES)
def test_every_stage_can_be_made_and_reads_what_the_table_says(parts: Parts, name: str) -> None:
    stage = wiring.stage(name, parts)

    assert stage.name == name
    assert stage.sources == SOURCES[name]
    assert isinstance(stage, Task) == (name not in {"normalize", "dedupe", "lifecycle"})
    assert isinstance(stage, StatefulProcessor) == (name in {"dedupe", "lifecycle"})


def test_the_outline_tells_long_stages_from_short_ones(parts: Parts) -> None:
    kinds = {stage.name: isinstance(stage, Task) for stage in wiring.outline()}

    assert kinds == {name: name not in {"normalize", "dedupe", "lifecycle"} for name in STAGES}


def test_up_runs_every_worker_in_one_process() -> None:
    assert sorted(name for group in wiring.GROUPS.values() for name in group) == sorted(
        wiring.WORKERS
    )


@pytest.mark.sandbox
def test_the_model_is_asked_last_and_only_with_a_key(parts: Parts, tmp_path: Path) -> None:
    keyed = Settings.model_validate({"data_dir": tmp_path, "anthropic_api_key": "k"})

    with Parts(keyed, parts.log) as with_key:
        assert [p.name for p in with_key.proposers()] == ["template", "anthropic"]
    assert [p.name for p in parts.proposers()] == ["template"]


def test_a_name_there_is_not_is_refused_with_those_there_are(parts: Parts) -> None:
    with pytest.raises(UserError, match="gateway, pollers, relay, normalize"):
        wiring.worker("fixx", parts)


def test_normalize_reads_a_report_by_the_form_that_is_at_hand(parts: Parts, tmp_path: Path) -> None:
    bare, _ = make_remote(tmp_path, {".github/ISSUE_TEMPLATE/bug.yml": FORM})
    shop = {"id": "shop", "sources": ["github:acme/shop"], "git_url": str(bare)}
    named = Settings.model_validate({"data_dir": tmp_path / "data", "project": (shop,)})
    with Parts(named, parts.log) as opened:
        opened.checkouts.base_commit(named.project[0])
        stage = wiring.stage("normalize", opened)
        assert isinstance(stage, Processor)
        [said] = stage.handle(raw_github(body=BODY))

    assert isinstance(said, ReportNormalized)
    assert said.report.metadata["template"] == ".github/ISSUE_TEMPLATE/bug.yml"


def test_attachments_are_fetched_only_where_the_settings_name_a_place(
    parts: Parts, tmp_path: Path
) -> None:
    allowing = Settings.model_validate(
        {"data_dir": tmp_path, "attachments": {"allow": ["https://files.example.org/"]}}
    )

    assert wiring._attach(parts) is nothing
    with Parts(allowing, parts.log) as opened:
        attach = wiring._attach(opened)
        assert isinstance(attach, FetchedOnce)
        assert attach.attachments.allows("https://files.example.org/a.log")
