"""The checksum extension: the bytes of a request count only if they have the client's checksum."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import Request

from chunked_upload.engine.errors import ChecksumMismatch
from chunked_upload.http.errors import BadRequestHeaders

from ...wire.trailers import trailers

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
    :param running: the bytes' checksums by algorithm, where they have come already.
    :raises BadRequestHeaders: for an algorithm that is not known, or what is not Base64.
    """

    def __init__(self, given: str, running: Mapping[str, _Running] | None = None) -> None:
        name, _, value = given.partition(" ")
        if name not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise BadRequestHeaders(f"{HEADER} has the algorithm {name[:40]!r}; known are {known}")
        self._name = name
        self._running = ALGORITHMS[name]() if running is None else running[name]
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


class TrailingChecksum:
    """A checksum that comes behind the bytes, so that nobody knows before which one it is.

    :param environ: the request's environment.
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self._running = {name: make() for name, make in ALGORITHMS.items()}

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for running in self._running.values():
            running.update(data)

    def check(self) -> None:
        """Compare with the trailer.

        :raises ChecksumMismatch: when the bytes have another checksum.
        :raises BadRequestHeaders: when the trailer is missing or malformed.
        """
        sent = trailers(self._environ)
        given = None if sent is None else sent.get(HEADER)
        if given is None:
            raise BadRequestHeaders(f"Trailer announced {HEADER}, but it did not come")
        Checksum(given, self._running).check()


def read_checksum(request: Request, *, with_trailers: bool) -> Checksum | TrailingChecksum | None:
    """Return the checksum of a request's body; None when the client sends none.

    :param with_trailers: whether it may be a trailer.
    :raises BadRequestHeaders:
    """
    given = request.headers.get(HEADER)
    if given is not None:
        return Checksum(given)
    announced = request.headers.get("Trailer", "").split(",")
    if HEADER.lower() not in (name.strip().lower() for name in announced):
        return None
    if not with_trailers:
        raise BadRequestHeaders(f"{HEADER} is not taken as a trailer here; send it as a header")
    return TrailingChecksum(request.environ)


def _decoded(value: str) -> bytes:
    """Return the bytes of a digest; empty for what is not Base64."""
    try:
        return b64decode(value, validate=True)
    except (NotBase64, ValueError):
        return b""
