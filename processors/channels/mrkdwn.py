"""Slack's mrkdwn as Markdown."""

from __future__ import annotations

import re

_SIGN = re.compile(r"<([^<>\n]{1,3000})>")
_BOLD = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,1000})(?<=\S)\*(?![\w*])")
_STRIKE = re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]{1,1000})(?<=\S)~(?![\w~])")
_INLINE = re.compile(r"`([^`\n]{1,3000})`")
_BULLET = re.compile(r"^([ \t]{0,40})[•◦▪][ \t]{1,10}", re.MULTILINE)
_SCHEMES = ("http://", "https://", "mailto:", "tel:")


def to_markdown(text: str) -> str:
    """Return `text` as Markdown: names for mentions, links, and no escapes of Slack's left.

    Inside code nothing is formatted, and a link that Slack saw in `app.py` is `app.py` again.
    """
    parts = text.split("```")
    if len(parts) % 2 == 0:
        # An opening mark that nothing closes is text.
        last = parts.pop()
        parts[-1] += "```" + last
    return "".join(
        _prose(part) if number % 2 == 0 else _block(part) for number, part in enumerate(parts)
    )


def _block(code: str) -> str:
    if not code.strip():
        return ""
    return f"\n```\n{_unescaped(_SIGN.sub(_in_code, code)).strip(chr(10))}\n```\n"


def _prose(text: str) -> str:
    if not text:
        return ""
    return "".join(
        _words(part) if number % 2 == 0 else f"`{_unescaped(_SIGN.sub(_in_code, part))}`"
        for number, part in enumerate(_INLINE.split(text))
    )


def _words(text: str) -> str:
    text = _BULLET.sub(r"\1- ", text)
    text = _STRIKE.sub(r"~~\1~~", _BOLD.sub(r"**\1**", text))
    return _unescaped(_SIGN.sub(_in_text, text))


def _in_text(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if not target.startswith(_SCHEMES):
        return _named(target, label)
    plain = _shown(target, label)
    return plain if plain in {target, label} else f"[{label}]({target})"


def _in_code(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    return _shown(target, label) or label if target.startswith(_SCHEMES) else _named(target, label)


def _shown(target: str, label: str) -> str:
    """Return what the writer typed, when the link is Slack's own doing; else nothing."""
    if not label:
        return target.removeprefix("mailto:").removeprefix("tel:")
    bare = target
    for scheme in _SCHEMES:
        bare = bare.removeprefix(scheme)
    return label if label.rstrip("/") in {bare.rstrip("/"), target.rstrip("/")} else ""


def _named(target: str, label: str) -> str:
    """Return a mention as words; it means a person of Slack, and nobody elsewhere."""
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return f"@{(label or target[1:].rpartition('^')[2]).removeprefix('@')}"
    if target[:1] in {"@", "#"}:
        return target[0] + (label or target[1:])
    return f"&lt;{target}&gt;"


def _unescaped(text: str) -> str:
    # The ampersand last, so that `&amp;lt;` is what was typed: `&lt;`.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
