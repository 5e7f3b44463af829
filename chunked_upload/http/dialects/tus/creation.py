"""Creates uploads (``creation``, ``-defer-length``, ``-with-upload`` and ``concatenation``)."""

from __future__ import annotations

from flask import Response

from chunked_upload.records.repository import Record

from ...views.offsets import outlives
from ...wire.body import Body
from ...wire.upload_metadata import read_metadata
from . import answers
from .base import TusView
from .concatenation import Concatenation, create_final
from .declared import Declared
from .headers import Concat, check_type, read_concat, read_length
from .partials import Partials
from .problems import FinalUpload
from .waiting import must_wait


class TusCreationView(TusView):
    """The URL at which uploads are created."""

    def post(self) -> Response:
        """Create an upload; take the bytes that come with the request, or those of others."""
        self.admit_client()
        concat = read_concat(self.request)
        brings_bytes = Body.of(self.request.environ).length != 0
        if concat is not None and concat.urls:
            if brings_bytes:
                raise FinalUpload
            record = self._concatenate(concat)
        else:
            record = self._create(concat, brings_bytes=brings_bytes)
        where = {
            "Location": self.upload_set.url(
                "tus_upload", upload_id=record.upload_id, _external=True
            )
        }
        return answers.empty(201, where | answers.progress(record))

    def _concatenate(self, concat: Concat) -> Record:
        partials = Partials(self, concat.urls)
        record = create_final(self, concat, read_metadata(self.request), partials)
        if must_wait(self, record, partials):
            return record
        return Concatenation(self, record, partials).run()

    def _create(self, concat: Concat | None, *, brings_bytes: bool) -> Record:
        if brings_bytes:
            check_type(self.request)
        checksum = self.read_checksum()
        length, said = read_length(self.request), read_metadata(self.request)
        record = self.start(
            filename=said.filename,
            metadata=said.fields,
            content_type=said.content_type,
            length=length,
            declared=Declared(metadata=said.raw, concat=concat.raw if concat else "").dump(),
            piece=concat is not None,
        )
        try:
            if brings_bytes or length == 0:
                record = self.append(record, offset=0, verify=checksum)
            self.complete_if_whole(record)
        except BaseException as error:
            if not outlives(record, error):  # then the caller's list shows what has arrived
                self.drop(record)
            raise
        return record
