"""What the views of tus share: the version in every request and answer, and completion."""

from __future__ import annotations

from typing import Any

from flask import Response

from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from ...views.offsets import OffsetView, Verify
from ...wire.trailers import keeps_trailers
from . import answers
from .checksums import ALGORITHMS, read_checksum
from .declared import Declared
from .headers import check_version
from .settings import TusSettings

#: The extensions that are always served.
_EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "checksum",
    "expiration",
    "termination",
    "concatenation",
)


class TusView(OffsetView):
    """Base of both views."""

    def dispatch_request(self, **kwargs: Any) -> Response:
        """Answer with the version, also errors and 405."""
        return answers.versioned(super().dispatch_request(**kwargs))

    def options(self, **kwargs: Any) -> Response:
        """Tell what the server can do; the client's version does not matter."""
        most = self.rules.told_max_bytes(self.request)
        headers = answers.capabilities(self.extensions, ALGORITHMS, most)
        return answers.empty(200, headers, Allow=", ".join(self.offers()))

    @property
    def extensions(self) -> list[str]:
        """The extensions that are served to this request."""
        trailing = ["checksum-trailer"] if self._takes_trailers else []
        unfinished = ["concatenation-unfinished"] if self.joins_unfinished else []
        return [*_EXTENSIONS, *trailing, *unfinished]

    @property
    def joins_unfinished(self) -> bool:
        """Whether final uploads may be created before their partial uploads are finished."""
        return self.settings.of(TusSettings).tus_concatenation_unfinished

    @property
    def _takes_trailers(self) -> bool:
        wanted = self.settings.of(TusSettings).tus_checksum_trailer
        return wanted and keeps_trailers(self.request.environ)

    def read_checksum(self) -> Verify | None:
        """Return the checksum of the request's body; None when the client sends none.

        :raises BadRequestHeaders:
        """
        return read_checksum(self.request, with_trailers=self._takes_trailers)

    def admit_client(self) -> None:
        """Check the client's version, then who it is.

        :raises ChunkedUploadError:
        """
        check_version(self.request)
        self.check_permissions(self.request)

    def complete_if_whole(self, record: Record) -> None:
        """Complete an upload that has all its bytes, if it is a file of its own.

        :raises ChunkedUploadError: when it is refused; the upload is invalid then.
        """
        if is_whole(record) and not Declared.of(record).is_partial:
            self.finish(record)


def is_whole(record: Record) -> bool:
    """Return whether an upload has all its bytes."""
    return record.length is not None and record.offset == record.length


def is_complete(record: Record) -> bool:
    """Return whether an upload is complete: a file with a place and a name."""
    return record.status == Status.COMPLETE


def is_settled(record: Record) -> bool:
    """Return whether an upload is complete and the app's hook has returned."""
    return is_complete(record) and record.notified_on is not None
