"""Creates uploads (extensions ``creation``, ``-defer-length`` and ``-with-upload``)."""

from __future__ import annotations

from flask import Response

from chunked_upload.records.repository import Record

from ...wire.body import Body
from . import answers
from .base import TusView
from .checksums import read_checksum
from .declared import Declared
from .headers import check_type, read_length, read_metadata


class TusCreationView(TusView):
    """The URL at which uploads are created."""

    def post(self) -> Response:
        """Create an upload; take the bytes that come with the request."""
        self.admit_client()
        body = Body.of(self.request.environ)
        brings_bytes = body.length != 0
        if brings_bytes:
            check_type(self.request)
        record = self._create()
        try:
            if brings_bytes or record.length == 0:
                record = self.append(record, offset=0, verify=read_checksum(self.request))
            self.complete_if_whole(record)
        except BaseException:
            # No client knows of it, so nobody could continue it.
            self.drop(record)
            raise
        where = {
            "Location": self.upload_set.url(
                "tus_upload", upload_id=record.upload_id, _external=True
            )
        }
        return answers.empty(201, where | answers.progress(record))

    def _create(self) -> Record:
        length, said = read_length(self.request), read_metadata(self.request)
        return self.start(
            filename=said.filename,
            metadata=said.fields,
            content_type=said.content_type,
            length=length,
            declared=Declared(metadata=said.raw).dump(),
        )
