from __future__ import annotations

import pytest

from processors.locating import grammars
from processors.locating.grammars import Grammar

ALL = {
    "javascript": grammars.JAVASCRIPT,
    "typescript": grammars.TYPESCRIPT,
    "tsx": grammars.TSX,
    "java": grammars.JAVA,
    "go": grammars.GO,
}
SCRIPTS = ("javascript", "typescript", "tsx")
TYPED = frozenset(
    {"abstract_class_declaration", "interface_declaration", "enum_declaration", "internal_module"}
    | {"type_alias_declaration", "module", "function_signature", "public_field_definition"}
)
"""Nodes that only TypeScript has."""
ONLY_JAVASCRIPT = frozenset({"field_definition"})
OLD = frozenset({"function"})
"""Named so in grammars before 0.21, and a keyword since."""


@pytest.mark.parametrize("name", ALL)
def test_every_node_that_is_looked_for_is_one_of_the_grammar(name: str) -> None:
    """A grammar that renames a node would else find nothing, and nobody would notice."""
    grammar: Grammar = ALL[name]
    wanted = {*grammar.classes, *grammar.functions, *grammar.calls, *grammar.texts}
    wanted |= {*grammar.imports, *grammar.held, *grammar.values} - OLD
    if name == "javascript":
        wanted -= TYPED
    elif name in SCRIPTS:
        wanted -= ONLY_JAVASCRIPT

    assert {n for n in wanted if grammar.language.id_for_node_kind(n, True) is None} == set()
