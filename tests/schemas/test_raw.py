"""What we wrote is known when it comes back."""

from __future__ import annotations

from uuid import uuid4

from schemas.raw import is_ours, origin_line


def test_only_the_last_line_makes_a_message_ours() -> None:
    key = uuid4()

    for text in (f"Fixed.\n{origin_line(key)}", f"a\n\n<!-- {origin_line(key)} -->\n"):
        assert is_ours(text)
        assert is_ours(text, key)
        assert not is_ours(text, uuid4())
    for text in (f"a\n*{origin_line(key)}*", f"a\n{{{origin_line(key)}}}"):
        assert is_ours(text, key)
    for text in (f"{origin_line(key)} and I still see it", f"> <!-- {origin_line(key)} -->"):
        assert not is_ours(text)
    for text in ("", "Fixed.", f"> {origin_line(key)}", f"{origin_line(key)}\nNo, it is not."):
        assert not is_ours(text)
