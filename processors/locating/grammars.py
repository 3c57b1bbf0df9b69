"""What the walker of `tree_outline` has to know of each language: which nodes are what.

Node names are those of the languages' official tree-sitter grammars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from processors.locating.outline import Import

if TYPE_CHECKING:
    from tree_sitter import Language, Node

MAJOR = re.compile(r"v\d+")
"""The end of the path of a Go module's second or later release."""
_Named = Callable[["Node"], str]


@dataclass(frozen=True)
class Grammar:
    """A language for the walker."""

    load: Callable[[], Any]
    """Returns the grammar of the language's wheel."""
    classes: frozenset[str]
    functions: frozenset[str]
    calls: Mapping[str, tuple[str, ...]]
    """Node of a call -> the fields that, joined by dots, are what is called."""
    texts: frozenset[str]
    """Nodes of what stands between quotes."""
    imports: Mapping[str, Callable[[Node], Iterator[Import]]]
    name_of: _Named
    """Returns the name of a class or function, dotted where it says what it belongs to."""
    is_public: Callable[[Node, str, str], bool]
    """Tells of a node, its name and what it stands in, which is public, whether it is, too."""
    angles_max: int = 0
    """How many `<` and `>` may stand between two of `;{}`; 0: any number. Beyond, the parser takes
    minutes for a hundred kilobytes, and does not ask whether to go on."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Node that names a function or class it holds, such as `const f = () => 1` -> field of it."""
    values: frozenset[str] = frozenset()
    """What is a function or class where such a node holds it."""

    @cached_property
    def language(self) -> Language:
        """Return the grammar, loaded when first asked for."""
        from tree_sitter import Language

        return Language(self.load())


def text_of(node: Node | None) -> str:
    """Return the code of a node; empty where there is none."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _name(node: Node) -> str:
    return text_of(node.child_by_field_name("name"))


def _unquoted(node: Node | None) -> str:
    return text_of(node).strip("\"'`")


# --- JavaScript and TypeScript ---


def _script_name(node: Node) -> str:
    """Return the name that a declaration, an assignment or a property gives to what it holds."""
    for key in ("name", "left", "key", "property"):
        if (named := node.child_by_field_name(key)) is not None:
            return _assigned(text_of(named))
    return "default"  # `export default function () {}`


def _assigned(written: str) -> str:
    parts = written.strip("\"'`[]#").split(".")
    kept = [part for part in parts if part not in ("module", "exports", "prototype", "this")]
    return ".".join(kept[-2:]) or "default"


def _is_exported(node: Node, name: str, outer: str) -> bool:
    if outer:
        return not name.startswith("_") and not text_of(node).startswith("#")
    above: Node | None = node
    while above is not None and above.type not in ("program", "statement_block"):
        if above.type == "export_statement":
            return True
        above = above.parent
    left = text_of(node.child_by_field_name("left"))
    return left.startswith(("exports.", "module.exports"))


def _script_import(node: Node) -> Iterator[Import]:
    """Yield what an `import` or `export … from` takes."""
    source = node.child_by_field_name("source")
    if source is None:
        return
    module, found = _unquoted(source), False
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.type in ("import_specifier", "export_specifier"):
            name = text_of(part.child_by_field_name("name"))
            yield Import(module, name, text_of(part.child_by_field_name("alias")) or name)
            found = True
        elif part.type == "identifier" and part.parent and part.parent.type == "import_clause":
            yield Import(module, "default", text_of(part))
            found = True
        elif part.type == "namespace_import":
            yield Import(module, "", text_of(part.named_children[-1]))
            found = True
        else:
            waiting += reversed(part.named_children)
    if not found:
        yield Import(module, "", "")


def _required(node: Node) -> Iterator[Import]:
    """Yield what `const name = require("module")` takes."""
    called, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if text_of(called) != "require" or given is None or given.named_child_count != 1:
        return
    source, parent = given.named_children[0], node.parent
    if source.type == "string":
        holds = parent is not None and parent.type == "variable_declarator"
        alias = text_of(parent.child_by_field_name("name")) if parent is not None and holds else ""
        yield Import(_unquoted(source), "", alias if alias.isidentifier() else "")


def _javascript() -> Any:
    import tree_sitter_javascript

    return tree_sitter_javascript.language()


def _typescript() -> Any:
    import tree_sitter_typescript

    return tree_sitter_typescript.language_typescript()


def _tsx() -> Any:
    import tree_sitter_typescript

    return tree_sitter_typescript.language_tsx()


def _script(load: Callable[[], Any]) -> Grammar:
    return Grammar(
        load,
        classes=frozenset(
            {"class_declaration", "abstract_class_declaration", "interface_declaration"}
            | {"enum_declaration", "type_alias_declaration", "internal_module", "module"}
        ),
        functions=frozenset(
            {"function_declaration", "generator_function_declaration", "method_definition"}
            | {"function_signature"}
        ),
        calls={"call_expression": ("function",), "new_expression": ("constructor",)},
        texts=frozenset({"string_fragment"}),
        imports={
            "import_statement": _script_import,
            "export_statement": _script_import,
            "call_expression": _required,
        },
        name_of=_script_name,
        is_public=_is_exported,
        held={
            "variable_declarator": "value",
            "assignment_expression": "right",
            "pair": "value",
            "field_definition": "value",
            "public_field_definition": "value",
            "export_statement": "value",
        },
        values=frozenset(
            {"arrow_function", "function_expression", "generator_function", "function", "class"}
        ),
    )


# --- Java and Go ---


def _java_import(node: Node) -> Iterator[Import]:
    words = text_of(node).rstrip(";").split()[1:]
    module, _, name = "".join(word for word in words if word != "static").rpartition(".")
    yield Import(module, name, name)


def _is_public_java(node: Node, name: str, outer: str) -> bool:
    del name, outer
    said = [text_of(one) for one in node.children if one.type == "modifiers"]
    in_interface = node.parent is not None and node.parent.type == "interface_body"
    return in_interface or any("public" in one.split() for one in said)


def _java() -> Any:
    import tree_sitter_java

    return tree_sitter_java.language()


def _go_name(node: Node) -> str:
    """Return `Cart.Total` for a method of `Cart` or `*Cart[T]`."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None or not receiver.named_children:
        return _name(node)
    kind = text_of(receiver.named_children[0].child_by_field_name("type"))
    return f"{kind.lstrip('*(').partition('[')[0].rstrip(')')}.{_name(node)}"


def _is_capital(node: Node, name: str, outer: str) -> bool:
    del node, outer
    return all(part[:1].isupper() for part in name.split("."))


def _go_import(node: Node) -> Iterator[Import]:
    module = _unquoted(node.child_by_field_name("path"))
    last = next((part for part in reversed(module.split("/")) if not MAJOR.fullmatch(part)), "")
    yield Import(module, "", _name(node) or last)


def _go() -> Any:
    import tree_sitter_go

    return tree_sitter_go.language()


JAVASCRIPT = _script(_javascript)
TYPESCRIPT = _script(_typescript)
TSX = _script(_tsx)
JAVA = Grammar(
    _java,
    classes=frozenset(
        {"class_declaration", "interface_declaration", "enum_declaration", "record_declaration"}
        | {"annotation_type_declaration"}
    ),
    functions=frozenset(
        {"method_declaration", "constructor_declaration", "compact_constructor_declaration"}
    ),
    calls={"method_invocation": ("object", "name"), "object_creation_expression": ("type",)},
    texts=frozenset({"string_fragment", "multiline_string_fragment"}),
    imports={"import_declaration": _java_import},
    name_of=_name,
    is_public=_is_public_java,
    angles_max=400,
)
GO = Grammar(
    _go,
    classes=frozenset({"type_spec", "type_alias"}),
    functions=frozenset({"function_declaration", "method_declaration"}),
    calls={"call_expression": ("function",)},
    texts=frozenset({"interpreted_string_literal_content", "raw_string_literal_content"}),
    imports={"import_spec": _go_import},
    name_of=_go_name,
    is_public=_is_capital,
)
