"""Finds uploads by their clients' own names (``dzuuid``).

A name that a client made is neither secret nor proof. So the record is found by the name's hash
together with the caller. The caller is the owner; for anonymous callers it is the visitor in the
session's cookie, or the network address that started the upload. The address is needed when a
browser sends its first chunks at once and has no cookie yet. The cookie is needed when the address
changes. If several chunks arrive first at the same time, a unique index lets only one create the
record.
"""

from __future__ import annotations

import hashlib

from flask import request

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record


class Names:
    """The caller's own names for uploads.

    :param view: the view whose model, upload set and queryset are used.
    """

    def __init__(self, view: ChunkedUploadBaseView, uuid: str) -> None:
        self._view = view
        self._caller = view.upload_set.caller(request)
        self.key = hashlib.sha256(f"dropzone:{uuid}".encode(errors="replace")).hexdigest()
        self.quota_key = callers.quota_key(request, self._caller)
        self.visitor = None if self._caller.owner else callers.visitor()

    def find(self) -> Record | None:
        """Return the upload of that name; None when there has been none.

        :raises UploadNotFound: when the upload of that name has been removed.
        """
        view = self._view
        visible = view.get_queryset(request)
        any_of_mine = view.engine.records.queries.any_of(view.upload_set.name)
        with translate_failures():
            record = self._first(visible)
            if record is None and self._first(any_of_mine) is not None:
                record = self._first(visible)  # it may have been created in between
                if record is None:
                    raise UploadNotFound
        return record

    def _first(self, statement: UploadQuery) -> Record | None:
        records = self._view.engine.records
        return records.first(
            records.queries.by_client_key(
                statement, self.key, quota_key=self.quota_key, visitor=self.visitor
            )
        )

    def record(self) -> Record:
        """Make a record that reserves the name, without a file."""
        record: Record = self._view.model(
            upload_set=self._view.upload_set.name,
            owner=self._caller.owner,
            visitor=self.visitor,
            quota_key=self.quota_key,
            client_key=self.key,
            filename="",
        )
        return record
