from __future__ import annotations

from typing import get_args

import pytest

from schemas import bugs, commands, links, registry, reports, topics
from schemas.event import Event
from tests.factories import EXAMPLES

RUNTIME = {"relay", "runner", "rollout"}


def test_every_event_of_the_unions_is_registered_once() -> None:
    union = {
        *get_args(get_args(bugs.BugEvent)[0]),
        *get_args(get_args(commands.BugCommand)[0]),
        *get_args(reports.ReportEvent),
        *get_args(links.LinkEvent),
    }

    models = [entry.model for entry in registry.ALL]

    assert len(models) == len(set(models)) == len(registry.BY_TYPE)
    assert union <= set(models)


def test_each_type_has_one_writing_stage_that_exists() -> None:
    assert {entry.writer for entry in registry.ALL} <= {*topics.STAGES, *RUNTIME}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.type)
def test_facts_and_commands_of_a_bug_share_its_partition(event: Event) -> None:
    entry = registry.BY_TYPE[event.type]

    if event.bug_id is not None:
        assert entry.key(event) == str(event.bug_id)
        assert entry.topic(event) in {topics.BUGS_EVENTS, topics.BUGS_COMMANDS}
    assert 0 <= registry.partition_of(event) < topics.PARTITIONS
