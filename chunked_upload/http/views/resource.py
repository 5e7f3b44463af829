"""The base of views that show uploads, or finish what other views received.

The upload set's chunk view decides about callers (``check_permissions``, ``get_queryset``), so a
subclass that changes these rules changes them here too.
"""

from __future__ import annotations

from typing import Any

from flask import Request, request

from chunked_upload.engine.plan import WritePlan
from chunked_upload.http.access import callers
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record

from ..dialect import Dialect
from ..upload_set import BoundUploadSet
from .base import ChunkedUploadBaseView


class ResourceView(ChunkedUploadBaseView):
    """Base of such views; the upload set's chunk view decides who may see what."""

    def __init__(
        self, upload_set: BoundUploadSet | None = None, dialect: Dialect | None = None
    ) -> None:
        super().__init__(upload_set, dialect)
        self.rules: ChunkedUploadBaseView = self.upload_set.upload_view(self.upload_set)
        self.model = self.rules.model

    def use_request(self, request: Request) -> None:
        super().use_request(request)
        self.rules.use_request(request)

    def get_queryset(self, request: Any) -> UploadQuery:
        return self.rules.get_queryset(request)

    def check_permissions(self, request: Any) -> None:
        self.rules.check_permissions(request)

    def find(self, upload_id: str) -> Record:
        # Its rules may be the usual ones, for which a prepared statement is there.
        return self.rules.find(upload_id)

    def find_to_write(self, upload_id: str, plan: WritePlan) -> Record:
        return self.rules.find_to_write(upload_id, plan)

    def own(self) -> UploadQuery | None:
        """Select the caller's own, newest first; None for an anonymous caller without a session."""
        queries, ticket = self.engine.records.queries, self.upload_set.caller(request).ticket
        statement = queries.newest_first(self.get_queryset(request))
        if ticket is not None:  # also where the app has a query of its own
            statement = queries.by_ticket(statement, ticket.key)
        known = self.upload_set.caller(request).owner is not None
        if known:
            return statement
        visitor = callers.visitor()
        if visitor is None:
            callers.ensure_visitor()  # now, so that uploads that follow at once are one visitor's
            return None
        return self.engine.records.queries.by_visitor(statement, visitor)
