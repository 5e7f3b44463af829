"""Cancelling an upload by its client's name, for a client that does not know the id yet."""

from __future__ import annotations

from flask import Response, request

from chunked_upload.engine.errors import LimitReached, ServiceUnavailable, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.views.resource import ResourceView
from chunked_upload.records.repository import KeyTaken

from .fields import read_uuid
from .names import Names

#: Look-ups of a record that other requests keep creating and removing.
_TRIES = 20

#: Most uploads that one caller may cancel before their first chunk, while these are remembered.
_MAX_FORBIDDEN = 1000


class DropzoneCancelView(ResourceView):
    """Removes an upload by its client's name."""

    def delete(self) -> Response:
        """Remove the caller's upload ``?dzuuid=``; refuse chunks that arrive later."""
        self.check_permissions(request)
        names = Names(self, read_uuid(request.args.get("dzuuid")))
        for _ in range(_TRIES):
            try:
                record = names.find()
                if record is not None:
                    self.engine.abort(record)
                else:
                    self._forbid(names)
            except KeyTaken:
                names.free(names.reserved())
                continue
            except UploadNotFound:
                pass  # already removed
            return Response(status=204)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _forbid(self, names: Names) -> None:
        records = self.engine.records
        with translate_failures():
            if records.count(records.queries.removed_of(names.quota_key)) >= _MAX_FORBIDDEN:
                raise LimitReached("Too many uploads were canceled; this one was not started")
        self.engine.forbid(names.reserved(), unless=names.any_of_mine())
