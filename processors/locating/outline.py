"""What a parser tells of a file of code: its functions and classes, whatever the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["module", "class", "function"]
SYMBOL_CHARS_MAX = 200
UNITS_MAX = 5_000
"""Of one file; what comes after is not indexed."""
CALLS_MAX = 500
"""Of one unit."""
IMPORTS_MAX = 1_000
BASES_MAX = 20
USES = "@"
"""Before what is not called by its name, but handed on, read of `self`, or asked of a fixture."""


@dataclass(frozen=True, slots=True)
class Import:
    """A name that a file takes from another: `from module import name as alias`."""

    module: str
    """As written; leading dots mean the file's own package."""
    name: str
    """Empty: the module itself."""
    alias: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A function, a class without its methods, or what is outside both. Lines are inclusive."""

    symbol: str
    """Dotted, such as `Cart.total`; empty for the module."""
    kind: Kind
    line_start: int
    line_end: int
    doc: str = ""
    strings: str = ""
    """Texts in quotes, a line each: messages are among them."""
    code: str = ""
    """Everything but the docstring."""
    calls: tuple[str, ...] = ()
    """What it calls, as written and each once: `total`, `self.cart.total`; `.total` of a value."""
    is_public: bool = False
    """Whether others than its own project may call it, by the custom of its language."""
    bases: tuple[str, ...] = ()
    """Of a class: what it inherits from, as written."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A file as its parser understood it. The first unit is the module."""

    units: tuple[Unit, ...]
    imports: tuple[Import, ...] = ()
