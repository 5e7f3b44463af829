"""The checksum extension: the bytes of a request count only if they have the client's checksum."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Protocol

from flask import Request

from chunked_upload.engine.errors import ChecksumMismatch
from chunked_upload.http.errors import BadRequestHeaders

HEADER = "Upload-Checksum"


class _Running(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _CRC32:
    """CRC-32 (as in zip and Ethernet), its four bytes in network order."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


#: By name, as ``Tus-Checksum-Algorithm`` lists them; tus requires SHA-1.
ALGORITHMS: dict[str, Callable[[], _Running]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "crc32": _CRC32,
}


class Checksum:
    """A checksum that the client sent with the bytes of one request.

    :param given: the header's value.
    :raises BadRequestHeaders: for an algorithm that is not known, or what is not Base64.
    """

    def __init__(self, given: str) -> None:
        name, _, value = given.partition(" ")
        if name not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise BadRequestHeaders(f"{HEADER} has the algorithm {name[:40]!r}; known are {known}")
        self._name = name
        self._running = ALGORITHMS[name]()
        # One of another length is not malformed, it is the checksum of no bytes.
        self._expected = _decoded(value)
        if not self._expected:
            raise BadRequestHeaders(f"{HEADER} must have a {name} in Base64, not {value[:100]!r}")

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._running.update(data)

    def check(self) -> None:
        """:raises ChecksumMismatch: when the bytes have another checksum."""
        if self._running.digest() != self._expected:
            raise ChecksumMismatch(self._name)


def read_checksum(request: Request) -> Checksum | None:
    """Return the checksum of a request's body; None when the client sent none.

    :raises BadRequestHeaders:
    """
    given = request.headers.get(HEADER)
    return None if given is None else Checksum(given)


def _decoded(value: str) -> bytes:
    """Return the bytes of a digest; empty for what is not Base64."""
    try:
        return b64decode(value, validate=True)
    except (NotBase64, ValueError):
        return b""
