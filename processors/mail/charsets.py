"""Which charset a text is really in, where its label is wrong or missing: Chinese mail often is.

Judged by the signs that are common in each: what is read in the wrong one is full of rare signs.
"""

from __future__ import annotations

import re

SAMPLE_BYTES_MAX = 64 * 1024
PAIRS_MIN = 4
COMMON_SHARE_MIN = 0.85
EVEN_SHARE_MIN = 0.95
PAIRS_OF_KOREAN_MIN = 20
_RUN = re.compile(rb"[\x80-\xff]+")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")


def guess(body: bytes) -> str | None:
    """Return the charset that `body` is in beyond doubt; None: it is plain, or there is doubt.

    Never raises. Looks at the first `SAMPLE_BYTES_MAX` bytes.
    """
    sample = body[:SAMPLE_BYTES_MAX]
    if sample.isascii():
        return None
    if len(body) > SAMPLE_BYTES_MAX:
        # Not through the middle of a sign.
        sample = sample.rpartition(b"\n")[0] or sample[:-4]
    if _is_utf8(sample):
        return "utf-8"
    pairs = _PAIR.findall(sample)
    if len(pairs) < PAIRS_MIN or 2 * len(pairs) < EVEN_SHARE_MIN * _high(sample):
        return None
    big5 = sum(_is_common_big5(pair) for pair in pairs) / len(pairs)
    gb = sum(_is_common_gb(pair) for pair in pairs) / len(pairs)
    if gb >= COMMON_SHARE_MIN and gb >= big5 and _runs_are_even(sample):
        return "gb18030" if _is_chinese(pairs) else None
    # Half of Big5's signs end in a byte of ASCII; those of Japanese and Korean never do.
    ends_low = any(pair[1] <= 0x7E for pair in pairs)
    return "big5hkscs" if ends_low and big5 >= COMMON_SHARE_MIN and big5 > gb else None


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode("utf-8")
    except UnicodeError:
        return False
    return True


def _high(sample: bytes) -> int:
    return sum(len(run) for run in _RUN.findall(sample))


def _runs_are_even(sample: bytes) -> bool:
    """Tell whether signs have two bytes each; words in Cyrillic are odd half the time."""
    runs = _RUN.findall(sample)
    return sum(len(run) % 2 == 0 for run in runs) >= EVEN_SHARE_MIN * len(runs)


def _is_common_gb(pair: bytes) -> bool:
    """Tell whether `pair` is punctuation or of the 3,755 signs of the first level of GB 2312."""
    return pair[1] >= 0xA1 and (0xA1 <= pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xD7)


def _is_common_big5(pair: bytes) -> bool:
    """Tell whether `pair` is punctuation or one of the 5,401 signs of the first level of Big5."""
    return 0xA1 <= pair[0] <= 0xC6 and (pair[1] <= 0x7E or pair[1] >= 0xA1)


def _is_chinese(pairs: list[bytes]) -> bool:
    """Tell it from Korean (EUC-KR), whose signs all begin below 0xC9; half of these do not."""
    return len(pairs) < PAIRS_OF_KOREAN_MIN or any(0xC9 <= pair[0] <= 0xD7 for pair in pairs)
