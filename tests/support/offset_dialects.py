"""Requests of the two offset dialects, to send as they are or spoilt.

An :class:`Asked` request goes through Flask's test client or over a socket. A dialect is stateless:
it says how its requests look and what its answers mean.
"""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support import wire

NAME = "file.bin"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def over(self, client: FlaskClient) -> TestResponse:
        """Send it through Flask's test client."""
        return client.open(
            self.target, method=self.method, headers=dict(self.headers), data=self.body
        )

    @property
    def bytes(self) -> wire.Request:
        """The request as it goes over a socket."""
        return wire.request(self.method, self.target, self.body, self.headers)

    def but(self, **headers: str | None) -> Asked:
        """Return it with other headers (``upload_offset="1"``); None leaves one out."""
        others = {name.replace("_", "-").title(): value for name, value in headers.items()}
        changed = {**{name.title(): value for name, value in self.headers.items()}, **others}
        return replace(self, headers={k: v for k, v in changed.items() if v is not None})


class OffsetDialect(ABC):
    """What differs between the two.

    :cvar MISMATCH: status for an offset that is not the stored one.
    :cvar BEYOND: status for bytes beyond the length.
    :cvar WRONG_DIGEST: status for bytes that are not those of the digest.
    :cvar invalid_once_beyond: whether bytes beyond the length end the upload.
    :cvar complete_at_the_end: whether an offset at the end says that the upload is complete.
    """

    name: ClassVar[str]
    MISMATCH: ClassVar[int] = 409
    BEYOND: ClassVar[int]
    WRONG_DIGEST: ClassVar[int]
    invalid_once_beyond: ClassVar[bool]
    complete_at_the_end: ClassVar[bool]

    @abstractmethod
    def create(self, length: int | None, data: bytes = b"") -> Asked:
        """Create an upload, with first bytes if any; not its last ones."""

    @abstractmethod
    def append(
        self,
        upload_id: str,
        offset: int,
        data: bytes,
        *,
        length: int | None = None,
        last: bool = False,
    ) -> Asked:
        """Append.

        :param length: declares the length, for an upload that was created without.
        :param last: with these bytes the file is whole.
        """

    @abstractmethod
    def digested(self, asked: Asked, data: bytes) -> Asked:
        """Add a digest of ``data`` to an append."""

    @abstractmethod
    def target(self, upload_id: str) -> str:
        """Return the upload's path."""

    def head(self, upload_id: str) -> Asked:
        """Ask for the offset."""
        return Asked("HEAD", self.target(upload_id), self._always)

    def cancel(self, upload_id: str) -> Asked:
        """Give the upload up."""
        return Asked("DELETE", self.target(upload_id), self._always)

    _always: ClassVar[Mapping[str, str]] = {}


class Tus(OffsetDialect):
    """tus 1.0.0."""

    name = "tus"
    BEYOND = 413
    WRONG_DIGEST = 460
    invalid_once_beyond = False
    complete_at_the_end = True
    _always: ClassVar = {"Tus-Resumable": "1.0.0"}
    _TYPE: ClassVar = {"Content-Type": "application/offset+octet-stream"}

    def create(self, length: int | None, data: bytes = b"") -> Asked:
        headers = {**self._always, "Upload-Metadata": f"filename {_base64(NAME.encode())}"}
        if length is None:
            headers["Upload-Defer-Length"] = "1"
        else:
            headers["Upload-Length"] = str(length)
        return Asked("POST", "/uploads/tus/", {**headers, **(self._TYPE if data else {})}, data)

    def append(
        self,
        upload_id: str,
        offset: int,
        data: bytes,
        *,
        length: int | None = None,
        last: bool = False,
    ) -> Asked:
        headers = {**self._always, **self._TYPE, "Upload-Offset": str(offset)}
        if length is not None:
            headers["Upload-Length"] = str(length)
        return Asked("PATCH", self.target(upload_id), headers, data)

    def digested(self, asked: Asked, data: bytes) -> Asked:
        digest = hashlib.sha1(data, usedforsecurity=False).digest()
        return asked.but(upload_checksum=f"sha1 {_base64(digest)}")

    def target(self, upload_id: str) -> str:
        return f"/uploads/tus/{upload_id}"


class Resumable(OffsetDialect):
    """The IETF's draft."""

    name = "resumable"
    BEYOND = 400
    WRONG_DIGEST = 400
    invalid_once_beyond = True
    complete_at_the_end = False

    def create(self, length: int | None, data: bytes = b"") -> Asked:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{NAME}"',
            "Upload-Complete": "?0",
        }
        if length is not None:
            headers["Upload-Length"] = str(length)
        return Asked("POST", "/uploads/", headers, data)

    def append(
        self,
        upload_id: str,
        offset: int,
        data: bytes,
        *,
        length: int | None = None,
        last: bool = False,
    ) -> Asked:
        headers = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset),
            "Upload-Complete": "?1" if last else "?0",
        }
        if length is not None:
            headers["Upload-Length"] = str(length)
        return Asked("PATCH", self.target(upload_id), headers, data)

    def digested(self, asked: Asked, data: bytes) -> Asked:
        return asked.but(content_digest=f"sha-256=:{_base64(hashlib.sha256(data).digest())}:")

    def target(self, upload_id: str) -> str:
        return f"/uploads/{upload_id}"


TUS, RESUMABLE = Tus(), Resumable()
DIALECTS: tuple[OffsetDialect, ...] = (TUS, RESUMABLE)


def id_of(location: str) -> str:
    """Return the id of the upload that an answer's Location names."""
    return location.rstrip("/").rpartition("/")[2]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
