"""Texts as people write them and as nobody would, for all tests of the formats."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft4Validator

SCHEMA = Path(__file__).parent.parent.parent / "specs" / "adf.schema.json"
WORD = st.text(alphabet="abcdefgxyzé数据", min_size=1, max_size=6)
_PIECES = (
    *"*_-+^~!|{}[]()<>#`\\&@:.?=\n\t",
    *("\n\n", "**", "~~", "```", "```py\n", "{code}", "{code:java}", "{noformat}", "{quote}"),
    *("{panel:title=x}", "{panel}", "{color:red}", "{color}", "{{", "}}", "||", "----", "bq. "),
    *("h1. ", "# ", "* ", "- ", "** ", "1. ", "> ", "|-|-|", "| --- |", "    ", "[~", "](", "!["),
    *("https://a.example/b_c", "mailto:", "javascript:", "<sub>", "</sub>", "<br>", "&lt;", "&#0;"),
    *("<!-- ", " -->", "\x00", "\x1b", "\r\n", "\ud800", "\u202e", "\u200b"),
)
MARKUP = st.lists(st.sampled_from(_PIECES) | WORD, max_size=40).map("".join)
PROSE = st.lists(st.lists(WORD, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=6).map(
    "\n".join
)


@cache
def _validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def problems(document: Any) -> list[str]:
    """Return what Atlassian's own schema has against `document`."""
    return [error.message[:300] for error in _validator().iter_errors(document)]


def letters(text: str) -> str:
    """Return the letters of `text`: what has to survive whatever becomes of the form."""
    return "".join(re.findall(r"[^\W\d_]", text))


def said(node: Any) -> str:
    """Return all text of an ADF node, in order."""
    if isinstance(node, list):
        return "".join(said(one) for one in node)
    if not isinstance(node, dict):
        return ""
    return str(node.get("text", "")) + said(node.get("content", []))
