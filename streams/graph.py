"""The pipeline as a Mermaid graph, drawn from the tables the system runs by."""

from __future__ import annotations

from schemas import registry, topics
from schemas.topics import RAW, SOURCES, STAGES, Topic

_CHANNELS = "raw.*.v1"


def mermaid() -> str:
    """Return the graph of stages and topics. Topics that nothing writes yet are left out."""
    lines = ["flowchart LR", "  world([channels, people]) --> inbox[(inbox)] --> relay"]
    edges: dict[str, None] = {}
    for entry in registry.ALL:
        if entry.writer in {*STAGES, "relay"}:
            topic = _topic_of(entry.name)
            edges[f"  {entry.writer} --> {_node(topic)}"] = None
    for stage in STAGES:
        for source in SOURCES[stage]:
            edges[f"  {_node(_shown(source))} --> {stage}"] = None
    edges[f"  {_node(topics.BUGS_EVENTS.name)} --> projector --> views[(views)]"] = None
    edges["  release --> git([git remote])"] = None
    edges["  notify --> answers([reporters])"] = None
    return "\n".join([*lines, *edges]) + "\n"


def _topic_of(event_type: str) -> str:
    return _TOPIC_OF[registry.BY_TYPE[event_type].model.__module__]


_TOPIC_OF = {
    "schemas.raw": _CHANNELS,
    "schemas.reports": topics.BUGS_NORMALIZED.name,
    "schemas.commands": topics.BUGS_COMMANDS.name,
    "schemas.bugs": topics.BUGS_EVENTS.name,
    "schemas.identity": topics.BUGS_EVENTS.name,
    "schemas.links": topics.BUGS_LINKS.name,
    "schemas.rollouts": topics.BUGS_EVENTS.name,
}


def _shown(topic: Topic) -> str:
    return _CHANNELS if topic in RAW.values() else topic.name


def _node(name: str) -> str:
    return f"{name.replace('.', '_').replace('*', 'all')}>{name}]"
