"""HTML tags as reports hold them: which elements show nothing, which attributes say something."""

from __future__ import annotations

import re

_ATTRIBUTE = (
    r"\s{1,100}[a-zA-Z_:@][\w.:@-]{0,100}"
    r"(?:\s{0,20}=\s{0,20}(?:\"[^\"]{0,20000}\"|'[^']{0,20000}'|[^\s\"'=<>`]{1,5000}))?"
)
TAG = (
    r"</?(?P<name>[A-Za-z][A-Za-z0-9-]{0,40})"
    rf"(?P<attributes>(?:{_ATTRIBUTE}){{0,60}}+)\s{{0,100}}/?>"
)
"""As CommonMark has it: what is no tag by its rules is shown as text."""
_EACH = re.compile(
    r"\s(?P<key>[a-zA-Z_:@][\w.:@-]{0,100})"
    r"(?:\s{0,20}=\s{0,20}(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'=<>`]+)))?"
)
WORDS_MIN = 2
"""Behind the name: two make a name like `<frozen importlib._bootstrap>` a sentence."""
HIDDEN_ELEMENTS = frozenset(
    {"script", "style", "template", "title", "head", "noscript", "picture", "svg", "object"}
    | {"iframe", "audio", "video", "canvas", "noembed", "noframes", "datalist", "map", "select"}
    | {"textarea", "xml", "plaintext", "math", "frameset", "applet", "embed", "param", "meta"}
)
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source"}
    | {"track", "wbr"}
)
HTML_BLOCKS = frozenset(
    {"address", "article", "aside", "base", "blockquote", "body", "center", "dd", "details", "div"}
    | {"dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4"}
    | {"h5", "h6", "head", "header", "hr", "html", "iframe", "legend", "li", "link", "main", "menu"}
    | {"nav", "ol", "optgroup", "option", "p", "param", "pre", "script", "search", "section"}
    | {"style", "summary", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "title"}
    | {"tr", "ul"}
)
_KNOWN = (
    HIDDEN_ELEMENTS
    | VOID
    | HTML_BLOCKS
    | frozenset(
        {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i"}
        | {"ins", "kbd", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike"}
        | {"strong", "sub", "sup", "tt", "u", "var", "caption", "colgroup", "button", "label"}
    )
)
# Those that a reader needs and that hold no sentence.
_KEPT = frozenset(
    {
        "src",
        "href",
        "width",
        "height",
        "align",
        "open",
        "start",
        "colspan",
        "rowspan",
        "type",
        "rel",
    }
    | {"target", "border", "valign"}
)
_HIDING_STYLE = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse)"
    r"|opacity\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?![.\d])|font-size\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?![.\d])"
    r"|(?:max-)?(?:height|width)\s{0,9}:\s{0,9}0(?![.\d])|text-indent\s{0,9}:\s{0,9}-\d{3}"
    r"|(?:left|top)\s{0,9}:\s{0,9}-\d{3}|(?<![-\w])color\s{0,9}:\s{0,9}(?:transparent|white|#f{3}\b"
    r"|#f{6}\b)|mso-hide\s{0,9}:\s{0,9}all|clip\s{0,9}:\s{0,9}rect\(\s{0,9}0",
    re.IGNORECASE,
)


def is_hidden(tag: re.Match[str]) -> bool:
    """Return whether the attributes of a tag hide what it holds."""
    for found in _EACH.finditer(tag["attributes"]):
        key = found["key"].lower()
        if key == "hidden" or (key == "type" and _value(found).lower() == "hidden"):
            return True
        if key == "style" and _HIDING_STYLE.search(_value(found)):
            return True
        if key == "aria-hidden" and _value(found).lower() == "true":
            return True
    return False


def rebuilt(tag: re.Match[str]) -> tuple[str, list[str]]:
    """Return the tag with only attributes that show something, and what the others say.

    A tag of no known name goes where its attributes have values: it shows nothing, and they may
    say anything. `List<String>`, `<frozen importlib._bootstrap>` and `<your name>` stay.
    """
    name = tag["name"].lower()
    closes = tag.group(0).startswith("</")
    if not tag["attributes"].strip():
        return tag.group(0), []
    if name not in _KNOWN:
        return ("", [tag.group(0)]) if "=" in tag["attributes"] else (tag.group(0), [])
    kept: list[str] = []
    said: list[str] = []
    for found in _EACH.finditer(tag["attributes"]):
        key, value = found["key"].lower(), _value(found)
        if (
            key in _KEPT
            and not closes
            and len(value) <= 2_000
            and not re.search(r"[\s\"<>]", value)
        ):
            kept.append(f'{key}="{value}"' if value else key)
        elif value.strip():
            said.append(f"{key}: {value}")
    attributes = "".join(f" {each}" for each in kept)
    return f"<{'/' if closes else ''}{tag['name']}{attributes}>", said


def says_words(tag: re.Match[str]) -> bool:
    """Return whether a tag of no known name is a sentence: GitHub shows nothing in its place."""
    return tag["name"].lower() not in _KNOWN and tag["attributes"].count(" ") >= WORDS_MIN


def _value(attribute: re.Match[str]) -> str:
    return attribute["double"] or attribute["single"] or attribute["bare"] or ""
