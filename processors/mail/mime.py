"""Take a mail apart: headers in order, leaves of the MIME tree, texts in whatever charset.

The standard library's parser recurses once per nested part and compares each line with every open
boundary; this one goes through the bytes once per level, and has a limit for all it does.
"""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from processors.mail.charsets import guess

RAW_BYTES_MAX = 32 * 1024 * 1024
HEADER_BLOCK_BYTES_MAX = 256 * 1024
HEADER_CHARS_MAX = 8 * 1024
HEADERS_MAX = 500
PARTS_MAX = 200
DEPTH_MAX = 12
BOUNDARY_CHARS_MAX = 256

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_CHARSET = re.compile(
    r"utf[-_]?(?:7|8|16|32)(?:[-_]?[bl]e)?|us[-_]?ascii|ascii|(?:iso[-_]?8859|latin)[-_]?\d{1,2}|"
    r"(?:windows|cp|ibm)[-_]?\d{3,4}|koi8[-_]?[rut]|gb2312|gbk|gb18030|big5(?:[-_]?hkscs)?|"
    r"shift[-_]?jis|sjis|euc[-_]?(?:jp|kr)|iso[-_]?2022[-_]?(?:jp|kr)(?:[-_]?\d)?|"
    r"tis[-_]?620|mac[-_]?(?:roman|cyrillic)|hz(?:[-_]?gb[-_]?2312)?|johab"
)
"""Python's codecs hold more than charsets: `punycode` takes quadratic time, `unicode_escape` and
`rot13` make text that nobody sent."""
_WIDER = {
    # What senders label by the smaller name holds signs of the larger set.
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32), 127, 0xFEFF, *range(0xD800, 0xE000)))
"""Half characters too: UTF-7 can write them, and no event and no database can hold them."""
_MISTAKEN = frozenset({None, "utf-8", "cp1252", "gb18030", "big5", "cp950", "big5hkscs"})
"""Labels that stand on texts in other charsets, some of them because nobody chose any."""


@dataclass(frozen=True, slots=True)
class Header:
    """One header, its name in lower case, its value unfolded and not yet decoded."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree, and the `multipart/alternative` it is a choice of."""

    headers: tuple[Header, ...]
    body: bytes
    media_type: str
    choice: int | None

    def header(self, name: str) -> str:
        return first(self.headers, name)

    def parameter(self, name: str, *, header: str = "content-type") -> str:
        return parameter(self.header(header), name)


@dataclass(frozen=True, slots=True)
class _Node:
    """A part that may hold parts; `choice` is what its leaves belong to."""

    headers: tuple[Header, ...]
    body: bytes
    depth: int
    choice: int | None
    default: str


def first(headers: tuple[Header, ...], name: str) -> str:
    """Return the value of the first header of this name, or nothing."""
    return next((header.value for header in headers if header.name == name), "")


def split(raw: bytes) -> tuple[tuple[Header, ...], tuple[Part, ...], bool]:
    """Return headers, leaves in order, and whether something was left out. Never raises.

    A mail inside a mail (`message/rfc822`) is a leaf: what it says was not said by this sender.
    """
    headers, body = _headers(raw[:RAW_BYTES_MAX])
    cut = len(raw) > RAW_BYTES_MAX
    waiting = [_Node(headers, body, 0, None, "text/plain")]
    leaves: list[Part] = []
    seen = 0
    while waiting:
        if seen >= PARTS_MAX:
            return headers, tuple(leaves), True
        seen += 1
        node = waiting.pop()
        kind = media_type(first(node.headers, "content-type"), default=node.default)
        inner = _inner(node, kind, number=seen) if kind.startswith("multipart/") else None
        if inner is None:
            # Multipart without its boundary in sight is text, as most clients show it.
            kind = "text/plain" if kind.startswith("multipart/") else kind
            leaves.append(Part(node.headers, node.body, kind, node.choice))
        else:
            cut = cut or len(inner) > PARTS_MAX
            waiting += reversed(inner[:PARTS_MAX])
    return headers, tuple(leaves), cut


def _inner(node: _Node, kind: str, *, number: int) -> list[_Node] | None:
    boundary = parameter(first(node.headers, "content-type"), "boundary").rstrip()
    if not boundary or len(boundary) > BOUNDARY_CHARS_MAX or node.depth >= DEPTH_MAX:
        return None
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    lines = re.compile(rb"(?:^|\r?\n)--" + mark + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    choice = number if kind == "multipart/alternative" else node.choice
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    nodes: list[_Node] = []
    start: int | None = None
    for found in lines.finditer(node.body):
        if start is not None:
            headers, body = _headers(node.body[start : found.start()])
            nodes.append(_Node(headers, body, node.depth + 1, choice, default))
        after = found.end()
        start = None if found[1] else after + (2 if node.body[after : after + 2] == b"\r\n" else 1)
        if found[1] or len(nodes) > PARTS_MAX:
            break
    if start is not None and len(nodes) <= PARTS_MAX:
        # The closing boundary is missing: the mail was cut, its last part is worth having.
        headers, body = _headers(node.body[start:])
        nodes.append(_Node(headers, body, node.depth + 1, choice, default))
    return nodes or None


def _headers(raw: bytes) -> tuple[tuple[Header, ...], bytes]:
    """Return the headers at the start of `raw`, and the body after them."""
    start = 0
    found: list[list[bytes]] = []
    closed = False
    while start < min(len(raw), HEADER_BLOCK_BYTES_MAX):
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        line = raw[start:end].rstrip(b"\r")
        if not line.strip():
            start = end + 1
            closed = True
            break
        if line[:1] in b" \t" and found:
            found[-1].append(line)
        elif _FIELD.match(line):
            found.append([line])
        elif found or start > 0:
            # Not a header: the empty line before the body was forgotten. The first line may be
            # anything: an mbox separator, or a header that something broke.
            break
        start = end + 1
    if not found and not closed:
        start = 0
    headers = []
    for lines in found[:HEADERS_MAX]:
        field = _FIELD.match(b"".join(lines)[: HEADER_CHARS_MAX + 100])
        if field is not None:
            name = field[1].decode("ascii").lower()
            headers.append(Header(name, _eight_bit(field[2].strip())[:HEADER_CHARS_MAX]))
    return tuple(headers), raw[start:]


def _eight_bit(value: bytes) -> str:
    return text_of(value, "")


def clean(text: str) -> str:
    """Return `text` with `\\n` line ends, without NULs and other control characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").translate(_CONTROLS)


def media_type(value: str, *, default: str = "text/plain") -> str:
    """Return `type/subtype` in lower case, or the default when it is not of that form."""
    kind = value.split(";", 1)[0].strip().lower()
    return kind if re.fullmatch(r"[\w.+-]{1,100}/[\w.+-]{1,100}", kind) else default


def parameter(value: str, name: str) -> str:
    """Return a parameter of a header such as `Content-Type`, RFC 2231 included, or nothing."""
    message = Message()
    message["content-type"] = " ".join(value[:HEADER_CHARS_MAX].split())
    try:
        found = message.get_param(name, "")
    except (ValueError, IndexError, LookupError):
        return ""
    if isinstance(found, tuple):
        charset, _, coded = found
        return text_of(coded.encode("latin-1", "replace"), charset or "utf-8")
    return decoded(found or "")


def decoded(value: str) -> str:
    """Return a header's value with its encoded words read, on one line. Never raises."""
    value = " ".join(value[:HEADER_CHARS_MAX].split())
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError, MessageError):
        return value
    words = [
        piece if isinstance(piece, str) else text_of(piece, charset or "utf-8")
        for piece, charset in pieces
    ]
    return " ".join("".join(words).split())


def text_of(body: bytes, charset: str) -> str:
    """Return `body` in the charset it claims, or else the one it fits. Never raises."""
    claimed = _codec(charset)
    found = guess(body) if claimed in _MISTAKEN else None
    for name in (found, claimed, "utf-8"):
        if name is not None:
            try:
                return clean(body.decode(name))
            except (UnicodeError, LookupError):
                continue
    # Some of it was lost on the way: the claimed charset shows the rest, cp1252 always something.
    try:
        return clean(body.decode(claimed or "cp1252", "replace"))
    except (UnicodeError, LookupError):
        return clean(body.decode("latin-1"))


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").lower()
    if name in {"ks_c_5601-1987", "ks_c_5601", "ksc5601"}:
        return "cp949"
    if not _CHARSET.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return _WIDER.get(found, found)


def content(part: Part) -> bytes:
    """Return the body of `part` with its transfer encoding undone. Never raises."""
    words = part.header("content-transfer-encoding").replace(";", " ").lower().split()
    encoding = words[0] if words else ""
    if encoding == "base64":
        return _base64(part.body)
    if encoding == "quoted-printable":
        return quopri.decodestring(part.body)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uuencoded(part.body)
    return part.body


def _base64(body: bytes) -> bytes:
    signs = re.sub(rb"[^A-Za-z0-9+/]+", b"", body)
    # One sign alone at the end carries no whole byte.
    signs = signs[:-1] if len(signs) % 4 == 1 else signs
    return binascii.a2b_base64(signs + b"=" * (-len(signs) % 4))


def _uuencoded(body: bytes) -> bytes:
    lines = []
    for line in body.split(b"\n"):
        if line.startswith(b"begin ") or not line.strip():
            continue
        if line.strip() == b"end":
            break
        try:
            lines.append(binascii.a2b_uu(line.rstrip(b"\r\n")))
        except binascii.Error:
            return body
    return b"".join(lines)
