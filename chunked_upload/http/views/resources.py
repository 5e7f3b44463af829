"""Uploads as resources: state for resuming, the caller's list, and abort."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import ValidationError

from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.http.errors import BadRequest
from chunked_upload.records.repository import Record
from chunked_upload.support.filenames import clean_filename

from ..dialect import Route
from ..schemas import PageSchema, ResumeReplySchema, ResumeSchema, problems
from ..wire.replies import add_progress
from . import resource_operations as told
from .account import AccountView
from .files import UploadFileView
from .quota import QuotaView
from .resource import ResourceView

#: Bytes of metadata in one answer.
_MAX_METADATA = 4 * 1024 * 1024

#: How many bytes a byte of text may become in JSON: control characters are six.
_JSON_GROWTH = 6


class UploadListView(ResourceView):
    """The caller's own uploads, newest first; and jQuery-File-Upload's resume question."""

    def get(self) -> Response:
        """Answer ``?file=<name>`` with that unfinished upload, otherwise a page of all uploads."""
        self.check_permissions(request)
        response = self._resumable() if "file" in request.args else self._page()
        response.headers["Cache-Control"] = "no-store"
        return response

    def _resumable(self) -> Response:
        try:
            asked: dict[str, Any] = ResumeSchema().load(request.args)
        except ValidationError as error:
            raise BadRequest(problems(error)) from error
        found = self._unfinished(asked["file"], asked["size"])
        return self.reply(ResumeReplySchema().dump({"file": found}))

    def _unfinished(self, name: str, size: int | None) -> Record | None:
        own = self.own()
        if own is None:
            # Set the cookie now, so that the next upload is found even if its first answer is lost.
            callers.ensure_visitor()
            return None
        records = self.engine.records
        resumable = records.queries.resumable(
            own, clean_filename(name), length=size, now=self.engine.now()
        )
        with translate_failures():
            return records.first(resumable)

    @property
    def _most_with_metadata(self) -> int:
        """How many uploads fit on a page if the metadata of each takes all the room it may."""
        return max(1, _MAX_METADATA // (_JSON_GROWTH * self.settings.max_metadata_bytes))

    def _page(self) -> Response:
        try:
            query: dict[str, Any] = self.upload_set.schemas.list_query.load(request.args)
        except ValidationError as error:
            raise BadRequest(f"Cannot list uploads: {problems(error)}") from error
        page, size = query["page"], query["per_page"] or self.upload_set.settings.page_size
        own, total, records = self.own(), 0, []
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
        described = {
            "uploads": [describe(record, metadata=bool(asked)) for record in records],
            "page": page,
            "per_page": size,
            "total": total,
            "next": following,
        }
        response = self.reply(PageSchema().dump(described))
        if following:
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    head = get


class UploadView(ResourceView):
    """One upload: its state, or its removal."""

    def get(self, upload_id: str) -> Response:
        """Return the upload's state, for resuming."""
        self.check_permissions(request)
        return self.show(self.find(upload_id))

    head = get

    def show(self, record: Record) -> Response:
        """Return the answer that tells an upload's state."""
        self.engine.check_unexpired(record)
        return add_progress(self.reply(self.upload_set.describe(record)), record)

    def delete(self, upload_id: str) -> Response:
        """Abort the upload, or delete the completed file."""
        self.check_permissions(request)
        self.engine.abort(self.find(upload_id))
        return Response(status=204)


#: The routes that every upload set has, whatever its dialects.
ROUTES = (
    Route("/", "uploads", {"GET": UploadListView}, operations=told.list_operations),
    Route("/quota", "quota", {"GET": QuotaView}, operations=told.quota_operations),
    Route("/account", "account", {"GET": AccountView}, operations=told.account_operations),
    Route(
        "/<upload_id>",
        "upload",
        {"GET": UploadView, "DELETE": UploadView},
        operations=told.upload_operations,
    ),
    Route("/<upload_id>/file", "file", {"GET": UploadFileView}, operations=told.file_operations),
)
