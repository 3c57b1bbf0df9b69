from __future__ import annotations

from processors.locating.outline import Outline, Unit


def test_an_outline_holds_what_its_parser_found_and_no_imports_unless_told() -> None:
    module = Unit("", "module", 1, 3)

    assert Outline((module,)).imports == ()
    assert Outline((module,)).units[0].code == ""
