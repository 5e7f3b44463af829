"""Finds uploads by their clients' own names (``dzuuid``), and gives new uploads their keys.

records/client_names.py says which upload a name means. If several chunks arrive first at the same
time, only one of them creates the record.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from flask import Response, request

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.records.client_names import ClientName, SameFile
from chunked_upload.records.model import Status
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record

from .upload_cookie import UploadCookie


class Names:
    """One of the caller's own names for an upload.

    :param view: the view whose model, upload set and queryset are used.
    :param file: the file of the request, for a browser that has no cookie yet.
    """

    def __init__(
        self, view: ChunkedUploadBaseView, uuid: str, *, file: SameFile | None = None
    ) -> None:
        self._view = view
        self._records = view.engine.records
        self._uuid = uuid
        caller = view.upload_set.caller(request)
        self._owner = caller.owner
        self.quota_key = callers.quota_key(view.upload_set.app, request, caller)
        #: The anonymous browser that sent a cookie.
        self.visitor = None if caller.owner else callers.visitor()
        self._name = ClientName(
            key=self._key(None),
            quota_key=self.quota_key,
            by_address=caller.owner is None,
            other_family=callers.other_family(self.quota_key),
            visitor=self.visitor,
            visitor_key=self._key(self.visitor),
            file=file,
        )
        self._cookie = UploadCookie(self._name.key)
        #: The upload was found by its address, with the cookie of another upload.
        self._lent = False

    def find(self) -> Record | None:
        """Return the upload of that name; None when there has been none.

        :raises UploadNotFound: when the upload of that name has been removed.
        """
        record = self._by_cookie()
        if record is not None:
            return record
        visible = self._narrowed(self._view.get_queryset(request))
        with translate_failures():
            record = self._records.first(visible)
            if record is None and self._records.first(self.any_of_mine()) is not None:
                record = self._records.first(visible)  # it may have been created in between
                if record is None:
                    raise UploadNotFound
        return record

    def any_of_mine(self) -> UploadQuery:
        """Select the uploads of that name, in any state."""
        return self._narrowed(self._records.queries.any_of(self._view.upload_set.name))

    def claim(self, record: Record) -> bool:
        """Make the upload that was found the visitor's, if the request has a visitor's cookie.

        Once the visitor's own cookie has come, only that one leads to the upload. The first cookie
        that comes may be of another upload that the browser started (see upload_cookie.py).

        :return: False when another request has changed the record's key.
        """
        if self.visitor is None or record.client_key == self._name.visitor_key:
            return True
        own = record.visitor == self.visitor or self._cookie.upload_id == record.upload_id
        self._lent = not own
        key = self._name.visitor_key if own else record.client_key
        with translate_failures():
            return self._records.rename(record, key, visitor=self.visitor)

    def give(self, record: Record) -> None:
        """Give a new record its key; only its visitor's cookie leads to it, if that was sent."""
        record.client_key = self._name.visitor_key if self.visitor else self._name.key

    def set_cookie(self, response: Response, record: Record, *, new: bool) -> None:
        """Give the browser the upload's own cookie, if its session cookie may change.

        :param new: this request has created the upload.
        """
        if self._owner is None and (self._lent or (new and self.visitor is None)):
            self._cookie.set(response, record.upload_id)

    def free(self, record: Record) -> None:
        """Take a new record's key from a completed upload, to which only a cookie leads now."""
        with translate_failures():
            other = self._records.first(self._records.queries.named_as(record))
            if other is not None and other.status == Status.COMPLETE and not self._owner:
                key = self._key(other.visitor) if other.visitor else None
                self._records.rename(other, key, visitor=other.visitor)

    def part_from(self, record: Record) -> bool:
        """Leave a completed upload to its visitor, if only the address has led to it.

        :return: whether that was so. Then the name leads to no upload, and is free for a new one.
        """
        by_address = self._owner is None and self.visitor is None
        if (
            not by_address
            or record.status != Status.COMPLETE
            or record.client_key != self._name.key
        ):
            return False
        self.free(record)
        return True

    def reserved(self) -> Record:
        """Return a record that reserves the name, without a file."""
        record: Record = self._view.model(
            upload_set=self._view.upload_set.name,
            owner=self._owner,
            visitor=self.visitor,
            quota_key=self.quota_key,
            client_key=self._name.key,
            filename="",
        )
        return record

    def _by_cookie(self) -> Record | None:
        upload_id = self._cookie.upload_id
        if upload_id is None or self._owner is not None:
            return None
        with suppress(UploadNotFound):
            record = self._view.find(upload_id)
            if record.client_key in (self._name.key, self._key(record.visitor)):
                return record
        return None

    def _narrowed(self, query: UploadQuery) -> UploadQuery:
        return self._records.queries.by_client_name(query, self._name)

    def _key(self, visitor: str | None) -> str:
        name = f"dropzone:{self._uuid}" if visitor is None else f"dropzone@{visitor}:{self._uuid}"
        return hashlib.sha256(name.encode(errors="replace")).hexdigest()
