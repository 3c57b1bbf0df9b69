from __future__ import annotations

import re

from schemas import topics

# Kafka folds `.` and `_` into one metric name, so we allow only dots.
NAME = re.compile(r"[a-z]+\.[a-z]+\.v[1-9][0-9]*|[a-z]+\.(dlq|retry)")


def test_topic_names_follow_the_rule_and_are_unique() -> None:
    names = [topic.name for topic in topics.ALL]

    assert all(NAME.fullmatch(name) for name in names)
    assert len(names) == len(set(names))


def test_the_truth_about_bugs_is_kept_for_ever_and_never_compacted() -> None:
    assert topics.BUGS_EVENTS.retention_days is None
    assert not topics.BUGS_EVENTS.compacted


def test_all_topics_have_the_same_partitions_so_that_sources_and_state_line_up() -> None:
    assert {topic.partitions for topic in topics.ALL} == {topics.PARTITIONS}
