"""Uploads as resources: state for resuming, the caller's list, abort, and the finished file.

The upload set's chunk view decides about callers (``check_permissions``, ``get_queryset``), so a
subclass that changes these rules changes them here too.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, BinaryIO

from flask import Response, request, send_file
from marshmallow import ValidationError
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from chunked_upload.engine.errors import NotComplete, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.http.errors import BadRequest, RangeNotSatisfiable
from chunked_upload.records.model import Status
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record
from chunked_upload.storage.powers import LocalPaths
from chunked_upload.support.clock import utcnow
from chunked_upload.support.filenames import clean_filename, portable_filename

from ..dialect import Dialect, Route
from ..schemas import ListSchema
from ..upload_set import BoundUploadSet
from ..wire.replies import add_progress
from .base import ChunkedUploadBaseView

#: Bytes of metadata in one answer.
_MAX_METADATA = 4 * 1024 * 1024

#: How many bytes a byte of text may become in JSON: control characters are six.
_JSON_GROWTH = 6


class ResourceView(ChunkedUploadBaseView):
    """Base of the views below; the upload set's chunk view decides who may see what."""

    def __init__(
        self, upload_set: BoundUploadSet | None = None, dialect: Dialect | None = None
    ) -> None:
        super().__init__(upload_set, dialect)
        self.rules: ChunkedUploadBaseView = self.upload_set.upload_view(self.upload_set)
        self.model = self.rules.model

    def get_queryset(self, request: Any) -> UploadQuery:
        return self.rules.get_queryset(request)

    def check_permissions(self, request: Any) -> None:
        self.rules.check_permissions(request)


class UploadListView(ResourceView):
    """The caller's own uploads, newest first; and jQuery-File-Upload's resume question."""

    def get(self) -> Response:
        """Answer ``?file=<name>`` with that unfinished upload, otherwise a page of all uploads."""
        self.check_permissions(request)
        if "file" in request.args:
            response = self.reply({"file": self._unfinished(request.args["file"], _size())})
        else:
            response = self._page()
        response.headers["Cache-Control"] = "no-store"
        return response

    def _own(self) -> UploadQuery | None:
        """Select the caller's own; None for an anonymous caller without a session yet."""
        statement = self.engine.records.queries.newest_first(self.get_queryset(request))
        known = self.upload_set.caller(request).owner is not None
        if known:
            return statement
        visitor = callers.visitor()
        if visitor is None:
            callers.ensure_visitor()  # now, so that uploads that follow at once are one visitor's
            return None
        return self.engine.records.queries.by_visitor(statement, visitor)

    def _unfinished(self, name: str, size: int | None) -> dict[str, Any] | None:
        own = self._own()
        if own is None:
            # Set the cookie now, so that the next upload is found even if its first answer is lost.
            callers.ensure_visitor()
            return None
        records = self.engine.records
        resumable = records.queries.resumable(own, clean_filename(name), length=size, now=utcnow())
        with translate_failures():
            record = records.first(resumable)
        if record is None:
            return None
        return {
            "name": record.filename,
            "size": record.offset,
            "upload_id": record.upload_id,
            "length": record.length,
        }

    @property
    def _most_with_metadata(self) -> int:
        """How many uploads fit on a page if the metadata of each takes all the room it may."""
        return max(1, _MAX_METADATA // (_JSON_GROWTH * self.settings.max_metadata_bytes))

    def _page(self) -> Response:
        try:
            query: dict[str, Any] = ListSchema().load(request.args)
        except ValidationError as error:
            problems = "; ".join(
                f"{key}: {' '.join(said)}" for key, said in dict(error.messages_dict).items()
            )
            raise BadRequest(f"Cannot list uploads: {problems}") from error
        page, size = query["page"], query["per_page"] or self.upload_set.settings.page_size
        own, total, records = self._own(), 0, []
        filters = {} if query["status"] is None else {"status": query["status"]}
        asked = {}
        if query["metadata"]:
            asked["metadata"] = 1
            size = min(size, self._most_with_metadata)
        if own is not None:
            table = self.engine.records
            if filters:
                own = table.queries.by_status(own, filters["status"])
            with translate_failures():
                total = table.count(own)
                cut = table.queries.page(own, page=page, size=size)
                records = table.all(cut if asked else table.queries.without_metadata(cut))
        following = None
        if page * size < total:
            following = self.upload_set.url(
                "uploads", page=page + 1, per_page=size, **filters, **asked
            )
        describe = self.upload_set.describe
        response = self.reply(
            {
                "uploads": [describe(record, metadata=bool(asked)) for record in records],
                "page": page,
                "per_page": size,
                "total": total,
                "next": following,
            }
        )
        if following:
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    head = get


class UploadView(ResourceView):
    """One upload: its state, or its removal."""

    def get(self, upload_id: str) -> Response:
        """Return the upload's state, for resuming."""
        self.check_permissions(request)
        record = self.find(upload_id)
        self.engine.check_unexpired(record)
        return add_progress(self.reply(self.upload_set.describe(record)), record)

    head = get

    def delete(self, upload_id: str) -> Response:
        """Abort the upload, or delete the completed file."""
        self.check_permissions(request)
        self.engine.abort(self.find(upload_id))
        return Response(status=204)


class UploadFileView(ResourceView):
    """The finished file, for download. Browsers never render it, since a stranger uploaded it."""

    def get(self, upload_id: str) -> Response:
        """Send the file: whole, a range, or 304 (RFC 9110 13 and 14)."""
        self.check_permissions(request)
        record = self.find(upload_id)
        if record.status != Status.COMPLETE or record.path is None:
            raise NotComplete(record.offset)
        _drop_long_suffix(record.offset)
        try:
            response = self._send(record, record.path)
        except FileNotFoundError as error:
            raise UploadNotFound from error
        except RequestedRangeNotSatisfiable as error:
            raise RangeNotSatisfiable(record.offset) from error
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    head = get

    def _send(self, record: Record, key: str) -> Response:
        storage = self.engine.storage
        content: str | BinaryIO
        if isinstance(storage, LocalPaths):
            # Unlike what follows, the storage does not go through a link put in the file's place.
            with translate_failures(), suppress(FileNotFoundError):
                storage.open(key).close()
            content = storage.path(key)
        else:
            with translate_failures():
                content = storage.open(key)  # the response closes it
        response = send_file(
            content,
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=portable_filename(record.filename, fallback=record.upload_id),
            conditional=isinstance(content, str),
            etag=record.md5 or record.upload_id,
            last_modified=record.completed_on,
            max_age=0,
        )
        if not isinstance(content, str):  # whose length is not visible
            response.content_length = record.offset
            response.make_conditional(request, accept_ranges=True, complete_length=record.offset)
        return response


def _size() -> int | None:
    """Return ``?size=``, the length of the file that is to be resumed."""
    text = request.args.get("size")
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) >= 2**63:
        raise BadRequest("'size' must be a whole number from 0 to 2^63-1")
    return int(text)


def _drop_long_suffix(length: int) -> None:
    """Serve the whole file for a suffix range longer than it (RFC 9110 14.1.2).

    Werkzeug answers 416 there, and readers of archives ask for the last 64 KiB of anything.
    """
    asked = request.range
    if asked is not None and len(asked.ranges) == 1 and asked.ranges[0][0] < -length:
        request.environ.pop("HTTP_RANGE", None)


#: The routes that every upload set has, whatever its dialects.
ROUTES = (
    Route("/", "uploads", {"GET": UploadListView}),
    Route("/<upload_id>", "upload", {"GET": UploadView, "DELETE": UploadView}),
    Route("/<upload_id>/file", "file", {"GET": UploadFileView}),
)
