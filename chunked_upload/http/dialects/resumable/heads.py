"""What the head of a request says about its upload: state, lengths, digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request

from chunked_upload.http.declared_digests import kept_digests
from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.wire.digest_fields import read_digest_field, read_wanted
from chunked_upload.http.wire.structured import read_boolean, read_size

from .problems import InconsistentLength
from .versions import COMPLETE_HEADER, INCOMPLETE_HEADER, Version, version_of

OFFSET_HEADER = "Upload-Offset"
LENGTH_HEADER = "Upload-Length"

#: The key among all that a record keeps of its client's declarations, and those below it.
_KEY, _WANTED = "resumable", "want_repr_digest"


@dataclass(frozen=True)
class Head:
    """The headers of a creation or an append.

    :param version: by which the request is handled.
    :param complete: whether the request completes the upload; None when it does not say.
    :param offset: where its bytes begin, as the client sees it; None when it does not say.
    :param length: ``Upload-Length`` in bytes; None when it does not say.
    :param content_digest: digests of the request's bytes, in hex digits by name.
    :param repr_digest: digests of the whole file, likewise.
    :param wanted: names of the digests of the whole file that the client wants to see.
    """

    version: Version
    complete: bool | None
    offset: int | None
    length: int | None
    content_digest: Mapping[str, str] = field(default_factory=dict)
    repr_digest: Mapping[str, str] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request) -> Head:
        """Read a request's headers. One of the draft's own that cannot be read is ignored.

        :raises BadRequestHeaders: when one was sent twice, or a digest field is malformed.
        """
        version, complete = version_of(request), read_completeness(request)
        if complete is None and version.says_incomplete:
            complete = True
        return cls(
            version=version,
            complete=complete,
            offset=read_size(request, OFFSET_HEADER),
            length=read_size(request, LENGTH_HEADER),
            content_digest=read_digest_field(request, "Content-Digest"),
            repr_digest=read_digest_field(request, "Repr-Digest"),
            wanted=read_wanted(request),
        )

    def total(self, offset: int, size: int | None) -> int | None:
        """Return the file's length as this request tells it; None when it does not.

        :param offset: where the request's bytes begin.
        :param size: how many they are; None when that is not known yet.
        :raises InconsistentLength: when it tells two lengths.
        """
        if not self.complete or size is None:
            return self.length
        if self.length is not None and self.length != offset + size:
            raise InconsistentLength(
                f"Upload-Length says {self.length} bytes, but the upload ends at {offset + size}"
            )
        return offset + size

    @property
    def declared(self) -> dict[str, Any] | None:
        """What a creation declares and later requests need; None for nothing."""
        said = {_KEY: {_WANTED: self.wanted}} if self.wanted else {}
        return {**said, **kept_digests(self.repr_digest)} or None


def read_completeness(request: Request) -> bool | None:
    """Return whether a request completes its upload; None when it does not say.

    :raises BadRequestHeaders: when it says so twice, or two different things.
    """
    complete = read_boolean(request, COMPLETE_HEADER)
    incomplete = read_boolean(request, INCOMPLETE_HEADER)
    if complete is not None and complete is incomplete:
        raise BadRequestHeaders(f"{COMPLETE_HEADER} and {INCOMPLETE_HEADER} contradict each other")
    return complete if incomplete is None else not incomplete


def declared_wanted(declared: Mapping[str, Any] | None) -> list[str]:
    """Return the names of the digests that the creation wanted to see."""
    return list(_said(declared).get(_WANTED, []))


def _said(declared: Mapping[str, Any] | None) -> Mapping[str, Any]:
    said: Mapping[str, Any] = (declared or {}).get(_KEY, {})
    return said
