"""Digest Fields (RFC 9530): checksums of a request's bytes, or of the whole file, in headers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Request

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequestHeaders

from .structured import read_dictionary, write_dictionary

#: The service's names of checksums by those of RFC 9530. Others are ignored, as the RFC allows.
ALGORITHMS = {"sha-512": "sha512", "sha-256": "sha256", "md5": "md5"}

#: The highest preference of Want-Repr-Digest (RFC 9530 4).
_MAX_PREFERENCE = 10


class DigestDiffers(ChunkedUploadError):
    """400: the bytes are not those of which the client sent a digest; none of them count."""

    def __init__(self, header: str, algorithm: str) -> None:
        super().__init__(400, detail=f"{header} does not match: {algorithm} differs")


class DigestCheck:
    """Compares the digests in a header with those of the bytes of one request.

    :param expected: hex digits by the service's names of the algorithms.
    """

    def __init__(self, header: str, expected: Mapping[str, str]) -> None:
        self._header = header
        self._expected = dict(expected)
        self._running = {name: _digest(name) for name in expected}

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for running in self._running.values():
            running.update(data)

    def check(self) -> None:
        """:raises DigestDiffers:"""
        for name, running in self._running.items():
            if running.hexdigest() != self._expected[name]:
                raise DigestDiffers(self._header, name)


class DigestChecks:
    """Several checks as one."""

    def __init__(self, *checks: DigestCheck) -> None:
        self._checks = checks

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for one in self._checks:
            one.update(data)

    def check(self) -> None:
        """:raises DigestDiffers:"""
        for one in self._checks:
            one.check()


def read_digest_field(request: Request, name: str) -> dict[str, str]:
    """Return the digests in ``Content-Digest`` or ``Repr-Digest``: hex digits by our names.

    :raises BadRequestHeaders: when the header is malformed, or a digest has the wrong size.
    """
    found = {}
    for key, value in read_dictionary(request, name).items():
        if not isinstance(value, bytes):
            raise BadRequestHeaders(f"{name}: {key} must be a Byte Sequence, as {key}=:BASE64:")
        if key not in ALGORITHMS:
            continue
        size = _digest(ALGORITHMS[key]).digest_size
        if len(value) != size:
            raise BadRequestHeaders(f"{name}: {key} has {size} bytes, not {len(value)}")
        found[ALGORITHMS[key]] = value.hex()
    return found


def read_wanted(request: Request, name: str = "Want-Repr-Digest") -> list[str]:
    """Return our names of the algorithms that the client wants, the most preferred first.

    :raises BadRequestHeaders: when the header is malformed.
    """
    wanted = read_dictionary(request, name)
    for key, preference in wanted.items():
        if type(preference) is not int or not 0 <= preference <= _MAX_PREFERENCE:
            raise BadRequestHeaders(f"{name}: {key} must be an Integer from 0 to {_MAX_PREFERENCE}")
    known = [key for key in ALGORITHMS if wanted.get(key, 0) > 0]
    return [ALGORITHMS[key] for key in sorted(known, key=lambda key: -wanted[key])]


def write_digest_field(checksums: Mapping[str, str], wanted: list[str]) -> str | None:
    """Return ``Repr-Digest`` of the wanted checksums that are kept; None when there is none.

    :param checksums: hex digits by our names.
    :param wanted: our names.
    """
    keys = {ours: key for key, ours in ALGORITHMS.items()}
    kept = [name for name in wanted if name in checksums]
    return write_dictionary({keys[name]: bytes.fromhex(checksums[name]) for name in kept}) or None


def _digest(name: str) -> Any:
    # Declared as not for security, so that systems under FIPS rules allow MD5 too.
    return hashlib.new(name, usedforsecurity=False)
