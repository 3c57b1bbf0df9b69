from __future__ import annotations

from uuid import UUID

from schemas import topics
from schemas.links import LINKS, key_of, pair
from schemas.registry import place_of
from tests.factories import EXAMPLES


def test_a_pair_has_one_key_whichever_is_named_first() -> None:
    one, other = UUID(int=1), UUID(int=2)

    assert pair(one, other) == pair(other, one) == (one, other)


def test_links_lie_with_the_reports_of_their_project_so_that_dedupe_reads_both() -> None:
    [report] = [event for event in EXAMPLES if event.type == "report.normalized"]
    links = [event for event in EXAMPLES if isinstance(event, LINKS)]

    assert len(links) == len(LINKS)
    for link in links:
        topic, key, partition = place_of(link)
        assert topic is topics.BUGS_LINKS
        assert key == key_of(link)
        assert partition == place_of(report)[2]
