"""Read a repository's own issue templates: GitHub's forms (YAML) and the older Markdown ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import yaml

from processors.report_text.hidden import visible_text

TEMPLATES_MAX = 50
TEMPLATE_BYTES_MAX = 64 * 1024
TEMPLATES_BYTES_MAX = 128 * 1024
"""Of all forms together: YAML is slow to read."""
FIELDS_MAX = 100
OPTIONS_MAX = 200
DEPTH_MAX = 12

Node = str | list["Node"] | dict[str, "Node"]

_PATH = re.compile(
    r"(?:(?:\.github|docs)/)?(?:ISSUE_TEMPLATE/[^/]{1,200}\.(?P<in>yml|yaml|md)"
    r"|ISSUE_TEMPLATE\.(?P<one>md))",
    re.IGNORECASE,
)
_FRONT = re.compile(r"\A\s{0,20}---[ \t]*\n(?P<front>.{0,8000}?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
FieldKind = Literal["input", "textarea", "dropdown", "checkboxes", "upload"]
_KINDS: dict[str, FieldKind] = {
    "input": "input",
    "textarea": "textarea",
    "dropdown": "dropdown",
    "checkboxes": "checkboxes",
    "upload": "upload",
}


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of a form. Its label is the heading of the answer."""

    label: str
    kind: FieldKind
    id: str = ""
    options: tuple[str, ...] = ()
    prefilled: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a repository: a form with fields, or the lines of an old Markdown one."""

    path: str
    name: str
    labels: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    lines: tuple[str, ...] = ()


def read_templates(files: Mapping[str, bytes]) -> tuple[Template, ...]:
    """Return the templates among `files` (path: content), by path. One that cannot be read is none.

    Never raises. YAML is read as plain text: no tag, no alias, no object is made of it.
    """
    found: list[Template] = []
    left = TEMPLATES_BYTES_MAX
    for path in sorted(files):
        kind = _PATH.fullmatch(path)
        content = files[path]
        if kind is None or len(content) > TEMPLATE_BYTES_MAX or len(found) == TEMPLATES_MAX:
            continue
        text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
        if (kind["in"] or kind["one"]).lower() == "md":
            found.append(_markdown(path, text))
            continue
        left -= len(content)
        if left < 0:
            break
        form = _form(path, text)
        if form is not None:
            found.append(form)
    return tuple(found)


def _form(path: str, text: str) -> Template | None:
    node = read_yaml(text)
    body = node.get("body") if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(body, list):
        return None
    fields = tuple(_fields(body))
    if not fields:
        return None
    return Template(path, _text(node.get("name")), _labels(node.get("labels")), fields)


def _fields(body: list[Node]) -> Iterator[FormField]:
    for item in body[:FIELDS_MAX]:
        if not isinstance(item, dict):
            continue
        kind = _KINDS.get(_text(item.get("type")))
        attributes = item.get("attributes")
        if kind is None or not isinstance(attributes, dict):
            continue
        label = " ".join(_text(attributes.get("label")).split())
        if label:
            yield FormField(
                label,
                kind,
                _text(item.get("id")),
                tuple(_options(attributes.get("options"))),
                visible_text(_text(attributes.get("value"))).text.strip(),
            )


def _options(node: Node | None) -> Iterator[str]:
    for option in node[:OPTIONS_MAX] if isinstance(node, list) else ():
        said = option.get("label") if isinstance(option, dict) else option
        if isinstance(said, str):
            yield said.strip()


def _labels(node: Node | None) -> tuple[str, ...]:
    if isinstance(node, list):
        return tuple(each for each in node if isinstance(each, str))
    return tuple(each.strip() for each in _text(node).split(",") if each.strip())


def _text(node: Node | None) -> str:
    return node if isinstance(node, str) else ""


def _markdown(path: str, text: str) -> Template:
    front = _FRONT.match(text)
    head = read_yaml(front["front"]) if front else {}
    body = visible_text(text[front.end() :] if front else text).text
    lines = dict.fromkeys(line.strip() for line in body.split("\n") if line.strip())
    known = head if isinstance(head, dict) else {}
    return Template(
        path, _text(known.get("name")), _labels(known.get("labels")), lines=tuple(lines)
    )


def read_yaml(text: str) -> Node | None:
    """Return the first document of `text` as texts, lists and mappings; None where it is none.

    Built from the parser's events: aliases (which can blow up) and depth beyond `DEPTH_MAX` are
    refused, and a tag means nothing.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    root: list[Node] = []
    stack: list[list[Node] | _Pairs] = [root]
    try:
        for event in yaml.parse(text, Loader=loader):
            match event:
                case yaml.ScalarEvent():
                    stack[-1].append(str(event.value))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    if len(stack) > DEPTH_MAX:
                        return None
                    stack.append(_Pairs() if isinstance(event, yaml.MappingStartEvent) else [])
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    done = stack.pop()
                    stack[-1].append(done.node if isinstance(done, _Pairs) else done)
                case yaml.AliasEvent():
                    return None
                case yaml.DocumentEndEvent():
                    break
                case _:
                    pass
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return root[0] if root else None


class _Pairs:
    """A mapping as it is read: a key, then its value."""

    def __init__(self) -> None:
        self.node: dict[str, Node] = {}
        self._key: Node | None = None

    def append(self, node: Node) -> None:
        if self._key is None:
            self._key = node
            return
        if isinstance(self._key, str):
            self.node.setdefault(self._key, node)
        self._key = None
