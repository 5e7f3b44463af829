"""CRC-32 of joined bytes, computed from the CRC-32 of each: what zlib's crc32_combine does.

Appending n zero bytes is a linear map of the 32 bits. Its matrix is made by squaring, and kept,
since almost all parts of a file have the same length.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache

_POLYNOMIAL = 0xEDB88320

#: One column for each bit.
Matrix = tuple[int, ...]


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two byte strings in a row.

    :param length: how many bytes ``second`` is the CRC-32 of.
    """
    return _times(_zeros(length), first) ^ second


def encoded(crc: int) -> str:
    """Return a CRC-32 as S3 writes it: Base64 of 4 bytes, the highest first."""
    return b64encode(crc.to_bytes(4, "big")).decode()


@lru_cache(maxsize=64)
def _zeros(length: int) -> Matrix:
    """Return the matrix of appending zero bytes."""
    result = tuple(1 << bit for bit in range(32))
    power = _square(_square(_square((_POLYNOMIAL, *(1 << bit for bit in range(31))))))  # 8 bits
    while length:
        if length & 1:
            result = tuple(_times(power, column) for column in result)
        power = _square(power)
        length >>= 1
    return result


def _square(matrix: Matrix) -> Matrix:
    return tuple(_times(matrix, column) for column in matrix)


def _times(matrix: Matrix, vector: int) -> int:
    product = 0
    for column in matrix:
        if not vector:
            break
        if vector & 1:
            product ^= column
        vector >>= 1
    return product
