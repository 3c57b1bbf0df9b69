"""Which offsets beyond the lowest open one are done, packed into a committed offset's metadata."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator

from schemas.errors import FatalError

WINDOW_OFFSETS = 24_544
"""How far beyond the lowest open offset work may be done: as many bits always fit (measured)."""
_BITMAP = 0
_RUNS = 1


def encode(base: int, done: Collection[int]) -> str:
    """Return `done`, all of them above `base`, as at most 4,092 characters; empty for none.

    Raises `ValueError` for an offset outside of the window.
    """
    if not done:
        return ""
    bits = sorted(offset - base - 1 for offset in done)
    if bits[0] < 0 or bits[-1] >= WINDOW_OFFSETS:
        raise ValueError(f"offsets must lie within {WINDOW_OFFSETS} above {base}")
    packed = min(bytes([_RUNS]) + _runs(bits), bytes([_BITMAP]) + _bitmap(bits), key=len)
    return base64.b64encode(packed).decode()


def decode(base: int, text: str) -> set[int]:
    """Return what `encode` packed. Raises `FatalError` for anything else: not to do it twice."""
    if not text:
        return set()
    try:
        packed = base64.b64decode(text, validate=True)
        kind, body = packed[0], packed[1:]
        return {base + 1 + bit for bit in _READERS[kind](body)}
    except (ValueError, LookupError, binascii.Error) as error:
        raise FatalError("the committed offset's metadata is not a set of done offsets") from error


def _bitmap(bits: list[int]) -> bytes:
    field = bytearray(bits[-1] // 8 + 1)
    for bit in bits:
        field[bit // 8] |= 1 << bit % 8
    return bytes(field)


def _bits_of_bitmap(field: bytes) -> Iterator[int]:
    for index, byte in enumerate(field):
        for bit in range(8):
            if byte >> bit & 1:
                yield index * 8 + bit


def _runs(bits: list[int]) -> bytes:
    """Return gap, length, gap, length ... as varints."""
    out = bytearray()
    position = 0
    start = previous = bits[0]
    for bit in [*bits[1:], None]:
        if bit is not None and bit == previous + 1:
            previous = bit
            continue
        out += _varint(start - position) + _varint(previous - start + 1)
        position = previous + 1
        if bit is not None:
            start = previous = bit
    return bytes(out)


def _bits_of_runs(body: bytes) -> Iterator[int]:
    numbers = _varints(body)
    position = 0
    for gap in numbers:
        length = next(numbers, None)
        if length is None:
            raise ValueError("a run has no length")
        position += gap
        if position + length > WINDOW_OFFSETS:
            raise ValueError("a run leaves the window")
        yield from range(position, position + length)
        position += length


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(body: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in body:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("a number is cut off")


_READERS = {_BITMAP: _bits_of_bitmap, _RUNS: _bits_of_runs}
