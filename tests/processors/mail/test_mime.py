from __future__ import annotations

import pytest

from processors.mail import mime


def body_of(raw: bytes) -> bytes:
    _, parts, _ = mime.split(raw)
    return mime.content(parts[0])


def test_parts_come_in_order_whatever_the_line_ends() -> None:
    lines = (
        "Content-Type: multipart/mixed; boundary=b|| |--b||one|"
        "--b|Content-Type: text/html||two|--b--|"
    )
    for end in (b"\n", b"\r\n"):
        _, parts, cut = mime.split(lines.encode().replace(b"|", end))

        assert [part.body for part in parts] == [b"one", b"two"]
        assert [part.media_type for part in parts] == ["text/plain", "text/html"]
        assert not cut


def test_a_boundary_that_begins_like_another_is_another() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bb\nx\n--b--\n"

    assert body_of(raw) == b"--bb\nx"


def test_a_mail_cut_off_keeps_its_last_part() -> None:
    assert body_of(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwhat came") == b"what came"


def test_a_multipart_without_its_boundary_is_text() -> None:
    _, parts, _ = mime.split(b"Content-Type: multipart/mixed\n\nhello")

    assert [(part.media_type, part.body) for part in parts] == [("text/plain", b"hello")]


def test_a_mail_in_a_mail_is_one_part() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c--\n"
    _, parts, _ = mime.split(b"Content-Type: message/rfc822\n\n" + inner)

    assert [part.media_type for part in parts] == ["message/rfc822"]


def test_more_parts_than_the_limit_are_left_out_and_that_is_told() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500 + b"--b--\n"
    _, parts, cut = mime.split(raw)

    assert len(parts) < mime.PARTS_MAX + 1
    assert cut


def test_headers_keep_their_order_and_their_folds_are_undone() -> None:
    headers, _, _ = mime.split(b"Received: a\n\tb\nX-Y: c\nReceived: d\n\nbody")

    assert [(h.name, h.value) for h in headers] == [
        ("received", "a\tb"),
        ("x-y", "c"),
        ("received", "d"),
    ]


def test_a_mail_without_headers_is_all_body() -> None:
    assert body_of(b"no header here\nand none here") == b"no header here\nand none here"


def test_a_line_from_a_mailbox_file_is_no_header() -> None:
    headers, _, _ = mime.split(b"From a@b Mon Nov 2\nSubject: x\n\n")

    assert [header.name for header in headers] == ["subject"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?iso-2022-jp?b?GyRCJF4kXyRgGyhC?=", "まみむ"),
        ("=?gb2312?b?xOO6ww==?= =?utf-8?q?!?=", "你好!"),
        ("=?no-such-charset?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?broken", "=?utf-8?b?broken"),
        ("plain", "plain"),
    ],
)
def test_encoded_words_are_read(raw: str, shown: str) -> None:
    assert mime.decoded(raw) == shown


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("naïve".encode(), "utf-8", "naïve"),
        ("naïve".encode("latin-1"), "utf-8", "na\ufffdve"),
        ("naïve".encode("latin-1"), "us-ascii", "na\ufffdve"),
        ("naïve".encode("latin-1"), "", "naïve"),
        ("naïve".encode(), "x-unknown", "naïve"),
        (b"\x93quoted\x94", "iso-8859-1", "“quoted”"),
        ("스티해".encode("cp949"), "ks_c_5601-1987", "스티해"),
        ("あ①".encode("cp932"), "shift_jis", "あ①"),
        (b"print", "rot13", "print"),
        (b"a-b", "punycode", "a-b"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"a\0b\r\nc\rd", "utf-8", "ab\nc\nd"),
    ],
)
def test_text_is_read_in_the_charset_it_claims_or_fits(
    body: bytes, charset: str, text: str
) -> None:
    assert mime.text_of(body, charset) == text


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        (b"base64", b"aGVs\nbG8", b"hello"),
        (b"BASE64 ", b"aGVsbG8=!!", b"hello"),
        (b"base64", b"a", b""),
        (b"quoted-printable", b"a=3Db=\nc", b"a=bc"),
        (b"7bit;", b"a=3D", b"a=3D"),
        (b"x-uuencode", b"begin 644 a\n#86)C\n`\nend\n", b"abc"),
        (b"x-uuencode", b"not uuencoded at all, as it is", b"not uuencoded at all, as it is"),
        (b"", b"a", b"a"),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_they_can_be(
    encoding: bytes, body: bytes, content: bytes
) -> None:
    assert body_of(b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body) == content


def test_a_parameter_of_rfc_2231_is_read() -> None:
    value = "attachment; filename*0*=utf-8''b%C3%BC; filename*1=cher.txt"

    assert mime.parameter(value, "filename") == "bücher.txt"
