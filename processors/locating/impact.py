"""How far a change of a place reaches: its callers, the tests among them, and the public API.

Measured against what ran (coverage with one context a test, 2026-11): of the tests that `reached`
says come to a function so many percent do run it, and of those that run it so many are found:

    boltons 56 and 64, flask 51 and 50, click 51 and 25; attrs 42 and 76, which was not looked at
    while this was written. Where every call on the way is certain: 84 and 27, 84 and 25, 60 and
    9; 53 and 37.

So a number here is a floor to be careful by, never a proof that nobody else is hit, and no reason
to leave a test out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processors.locating.call_graph import CallGraph
from processors.locating.names import Node
from processors.locating.paths import holds_tests, is_beside, is_internal
from schemas.places import Impact

DEPTH_MAX = 6
"""Calls between a place and who is still counted."""
DOUBTS_MAX = 1
"""Two guesses in a row are none."""
REACHED_MAX = 2_000
SHOWN_MAX = 5
"""Of tests, and of what is public: an event holds ten places and is at most 64 KiB."""
SHOWN_CHARS_MAX = 200
PUBLIC_COUNTS = 10
"""A place that others may call counts as so many callers more: those are in other repositories."""
HALF_AT = 20
"""With so many callers the blast radius is a half."""
LIKELY_COUNTS = 0.5
"""How much of a caller one is that only its name speaks for."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Who calls a place, itself or by others."""

    node: Node
    depth: int
    """1: it calls the place itself."""
    doubts: int
    """Calls on the way that only a name speaks for; the way with the fewest counts."""


def reached(graph: CallGraph, node: Node) -> Sequence[Reached]:
    """Return who comes to `node`, the nearest first, each once, at most `REACHED_MAX`.

    Below that one call more in the graph takes nobody out, and makes nobody more doubtful.
    """
    ways: dict[Node, list[int]] = {}
    """Of each the length of the shortest way with so many doubts; 0: none was found."""
    ring = {(node, 0)}
    for depth in range(1, DEPTH_MAX + 1):
        calls = {
            (caller.node, doubts + (not caller.is_certain))
            for one, doubts in ring
            for caller in graph.callers(one)
            if caller.node != node
        }
        ring = {call for call in calls if _is_new(ways, *call)}
        for caller, doubts in ring:
            ways.setdefault(caller, [0] * (DOUBTS_MAX + 1))[doubts] = depth
        if len(ways) >= REACHED_MAX:
            break
    found = [
        Reached(each, min(way for way in by_doubts if way), int(not by_doubts[0]))
        for each, by_doubts in ways.items()
    ]
    found.sort(key=lambda one: (one.depth, one.doubts, one.node.path, one.node.symbol))
    return found[:REACHED_MAX]


def _is_new(ways: Mapping[Node, Sequence[int]], node: Node, doubts: int) -> bool:
    return doubts <= DOUBTS_MAX and not any(ways.get(node, ())[: doubts + 1])


def impact_of(graph: CallGraph, node: Node) -> Impact:
    """Return how far a change of `node` reaches.

    The blast radius is r / (r + `HALF_AT`), where r counts certain callers once, likely ones half,
    and a public place as `PUBLIC_COUNTS` more: between 0 and 1, and never less for one call more.
    Tests do not count: they are there to be hit. With more than can be counted, r is `REACHED_MAX`.
    """
    found = reached(graph, node)
    tests = [one for one in found if holds_tests(one.node.path)]
    callers = [one for one in found if not holds_tests(one.node.path)]
    is_open = is_public(graph, node)
    public = [each.node for each in callers if is_public(graph, each.node)]
    certain = sum(not one.doubts for one in callers)
    likely = len(callers) - certain
    is_cut = len(found) >= REACHED_MAX
    reach = REACHED_MAX if is_cut else certain + LIKELY_COUNTS * likely
    reach += PUBLIC_COUNTS * is_open
    return Impact(
        callers=certain,
        callers_by_name=likely,
        direct=sum(one.depth == 1 for one in callers),
        tests=len(tests),
        reached_by=tuple(_shown(one.node) for one in tests[:SHOWN_MAX]),
        is_public=is_open,
        public=tuple(_shown(each) for each in ([node] * is_open + public)[:SHOWN_MAX]),
        public_count=is_open + len(public),
        blast_radius=round(reach / (reach + HALF_AT), 4),
        is_cut=is_cut,
    )


def _shown(node: Node) -> str:
    return (f"{node.path}:{node.symbol}" if node.symbol else node.path)[:SHOWN_CHARS_MAX]


def is_public(graph: CallGraph, node: Node) -> bool:
    """Tell whether others than the project itself may call it.

    What stands in a hidden file counts where a package that is none takes it from there.
    """
    places = graph.entries[node.path].places
    if not any(place.symbol == node.symbol and place.is_public for place in places):
        return False
    if not node.symbol or is_beside(node.path) or holds_tests(node.path):
        return False
    outer = Node(node.path, node.symbol.partition(".")[0])
    return not is_internal(node.path) or outer in graph.offered
