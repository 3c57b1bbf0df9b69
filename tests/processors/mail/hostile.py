"""One megabyte of trouble each: what has made parsers of mail slow, deep or fall over."""

from __future__ import annotations

import random
from functools import cache

SIZE = 1_000_000
LIMIT_S = 1.0


def _full(piece: str) -> str:
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


@cache
def texts() -> dict[str, str]:
    chance = random.Random(7)
    words = ["On ", "wrote:", ">", "--", "From:", "<a@b.c>", "\n", " ", "2026", "10:10", "Sent"]
    return {
        "one long line": "x" * SIZE,
        "empty lines": "\n" * SIZE,
        "spaces": " " * SIZE,
        "marks": _full("> "),
        "quotes": _full("> a\n"),
        "short lines": _full("a\n"),
        "openers": _full("On 2026-01-01 10:00\n"),
        "openers of one letter": _full("a 1\n"),
        "attributions": _full("On Mon, 2 Nov 2026 at 10:00, A <a@b.c> wrote:\n"),
        "addresses": _full("<a@b.c "),
        "ats": "@" * SIZE,
        "almost headers": _full("From: a\nTo: b\nX: c\n"),
        "headers": _full("From: a\nSent: b\nTo: c\n--\n"),
        "header names": _full("Subject: a\n"),
        "signatures": _full("-- \n"),
        "rules": _full("_____\n"),
        "dashes": "-" * SIZE,
        "original": _full("-----Original Message-----\n"),
        "mobile": _full("Sent from my iPhone\n"),
        "mobile in one line": _full("Sent from my "),
        "fences": _full("```\n"),
        "prompts": _full(">>> a\n"),
        "carriage returns": "\r" * SIZE,
        "NULs": "\0" * SIZE,
        "codes": _full("550 5.1.1 "),
        "exceptions": _full("AaError "),
        "capitals": "A" * SIZE,
        "traces": _full("  at a.b("),
        "brackets": "[" * SIZE,
        "braces": _full('{"a":'),
        "chinese": _full("在写道错误"),
        "a mix": "".join(chance.choice(words) for _ in range(SIZE // 4)),
        "noise": "".join(chr(chance.randrange(1, 0x3000)) for _ in range(SIZE // 2)),
    }


@cache
def pages() -> dict[str, str]:
    return {
        "open div": _full("<div>"),
        "open bold": _full("<b>"),
        "open links": _full("<a href=http://x>"),
        "open quotes": _full("<blockquote>"),
        "open tables": _full("<table><tr><td>"),
        "bold and paragraphs": _full("<b><p>"),
        "formats with numbers": "".join(f"<b id={n}><i><u>" for n in range(40_000)),
        "adoption": "".join(f"<b id={n}>" for n in range(8)) + _full("<div>") + _full("</b>"),
        "foster parents": "<table>" + _full("<b>x"),
        "attributes": "<p " + " ".join(f"a{n}=1" for n in range(90_000)) + ">",
        "many with attributes": _full("<p " + " ".join(f"a{n}" for n in range(300)) + ">"),
        "comments": _full("<!--"),
        "open tags": _full("<p "),
        "angles": "<" * SIZE,
        "entities": _full("&lt;"),
        "breaks": _full("<br>"),
        "lines of pre": "<pre>" + "\n" * SIZE,
        "quoted pre": "<blockquote>" * 4_000 + "<pre>" + "\n" * SIZE,
        "style": '<p style="' + _full("display : ") + '">',
        "many styles": _full('<p style="' + " " * 1_900 + '">'),
        "spaces": "<p>" + " " * SIZE,
        "select": _full("<select><option>"),
        "svg": _full("<svg><p>"),
    }


@cache
def mails() -> dict[str, bytes]:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(20_000)
    )
    kinds = {
        "nested multiparts": nested,
        "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 120_000,
        "only boundaries": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 250_000,
        "headers": b"A: b\n" * 200_000,
        "one header": b"Subject: " + b"x" * SIZE,
        "folded header": b"Subject: x\n" + b" y\n" * 330_000,
        "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * 62_000,
        "open encoded words": b"Subject: " + b"=?" * 500_000,
        "From": b"From: " + b"<a@b.c>," * 125_000,
        "comments in From": b"From: " + b"(" * SIZE,
        "quotes in From": b"From: " + b'"' * SIZE,
        "references": b"References: " + b"<a@b>" * 200_000,
        "parameters": b"Content-Type: text/plain" + b'; a="' * 200_000,
        "continued parameters": b"Content-Type: text/plain"
        + b"".join(b"; a*%d=x" % n for n in range(90_000)),
        "results": b"Received: from a (b [1.1.1.1]) by mx.example.com\n"
        + b"Authentication-Results: mx.example.com; dkim=pass (\n" * 20_000,
        "hops": b"Received: by mx.example.com\n" * 35_000,
        "base64": b"Content-Transfer-Encoding: base64\n\n" + b"=" * SIZE,
        "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * 500_000,
        "uuencode": b"Content-Transfer-Encoding: x-uuencode\n\n" + b"begin 644 a\n" * 80_000,
        "punycode": b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * SIZE,
        "iso-2022-jp": b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B" * 330_000,
        "utf-7": b"Content-Type: text/plain; charset=utf-7\n\n" + b"+" * SIZE,
        "flowed": b"Content-Type: text/plain; format=flowed\n\n" + b"> a \n" * 200_000,
        "status": b"Content-Type: multipart/report; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: a\n\n" * 55_000,
        "SNS": b"From: no-reply@sns.amazonaws.com\n\n" + b'{"a":' * 200_000,
        "date": b"Date: " + b"1 " * 500_000,
        "NULs": b"\0" * SIZE,
        "bytes": bytes(random.Random(3).randbytes(SIZE)),
        "empty": b"",
    }
    html = b"Content-Type: text/html; charset=utf-8\n\n"
    kinds |= {f"page of {name}": html + page.encode() for name, page in pages().items()}
    return kinds
