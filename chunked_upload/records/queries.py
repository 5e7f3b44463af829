"""Every SELECT of whole records, by name.

Views narrow a caller's query step by step (:meth:`Queries.by_id`, :meth:`Queries.newest_first`), so
that a ``get_queryset`` hook may return any query it likes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import aliased, defer

from .client_names import ClientName
from .model import ChunkedUploadMixin, Status

#: A query of upload records, such as a ``get_queryset`` hook returns.
UploadQuery: TypeAlias = Select[Any]


class Queries:
    """The queries of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    # What callers see

    def visible(self, upload_set: str) -> UploadQuery:
        """Select the uploads that an upload set may show: its own that are not being removed."""
        return self._of(upload_set).where(self._model.status != int(Status.DELETING))

    def owned_by(self, owner: str | None, *, upload_set: str) -> UploadQuery:
        """Select an owner's visible uploads; for None, those without an owner."""
        return self.visible(upload_set).where(self._model.owner == owner)

    def by_ticket(self, query: UploadQuery, ticket_id: str) -> UploadQuery:
        """Narrow a query to the uploads that a ticket has begun."""
        return query.where(self._model.ticket == ticket_id)

    def by_id(self, query: UploadQuery, upload_id: str) -> UploadQuery:
        """Narrow a query to one upload."""
        return query.where(self._model.upload_id == upload_id)

    def by_path(self, query: UploadQuery, path: str) -> UploadQuery:
        """Narrow a query to the completed upload whose file has this name in the storage."""
        return self.by_status(query, Status.COMPLETE).where(self._model.path == path)

    def by_visitor(self, query: UploadQuery, visitor: str) -> UploadQuery:
        """Narrow a query to the uploads that an anonymous browser started."""
        return query.where(self._model.visitor == visitor)

    def by_status(self, query: UploadQuery, status: int) -> UploadQuery:
        """Narrow a query to a status."""
        return query.where(self._model.status == int(status))

    def newest_first(self, query: UploadQuery) -> UploadQuery:
        """Order a query by creation time, newest first."""
        return query.order_by(self._model.id.desc())

    def resumable(
        self, query: UploadQuery, filename: str, *, length: int | None = None, now: datetime
    ) -> UploadQuery:
        """Narrow a query to the uploads of a file's name that still take chunks.

        :param length: the file's, in bytes; None for any.
        """
        query = self.by_status(query, Status.UPLOADING).where(
            self._model.filename == filename, self._model.expires_on > now
        )
        return query if length is None else query.where(self._model.length == length)

    def page(self, query: UploadQuery, *, page: int, size: int) -> UploadQuery:
        """Cut a query to one page, counted from 1."""
        return query.limit(size).offset((page - 1) * size)

    def without_metadata(self, query: UploadQuery) -> UploadQuery:
        """Leave the clients' fields out, which may be many times as long as the rest."""
        return query.options(defer(self._model.extra_fields, raiseload=True))

    # Clients' own names

    def any_of(self, upload_set: str) -> UploadQuery:
        """Select an upload set's uploads in any state."""
        return self._of(upload_set)

    def by_client_name(self, query: UploadQuery, name: ClientName) -> UploadQuery:
        """Narrow a query to a client's own name for an upload; put the surest match first."""
        model = self._model
        return query.where(name.matches(model)).order_by(name.order(model), model.id)

    def by_client_key(self, query: UploadQuery, key: str) -> UploadQuery:
        """Narrow a query to the upload with a ``client_key``."""
        return query.where(self._model.client_key == key)

    def named_as(self, record: ChunkedUploadMixin) -> UploadQuery:
        """Select the upload with a record's ``client_key``, removed or not."""
        model = self._model
        return self._of(record.upload_set).where(
            model.client_key == record.client_key, model.quota_key == record.quota_key
        )

    def to_be_continued(self, record: ChunkedUploadMixin, *, start: int, total: int) -> UploadQuery:
        """Select the open uploads of a staged chunk's owner that it could continue.

        Those with another staged chunk in their place (records/quota.py) are left out.

        :param start: the chunk's first byte in its file.
        :param total: the file's length in bytes.
        """
        model, staged = self._model, aliased(self._model)
        taken = select(staged.id).where(
            staged.client_key == model.upload_id, staged.quota_key == model.quota_key
        )
        return self.by_status(self._of(record.upload_set), Status.UPLOADING).where(
            model.quota_key == record.quota_key,
            model.offset == start,
            model.length == total,
            ~taken.correlate(model).exists(),
        )

    def removed_of(self, quota_key: str | None) -> UploadQuery:
        """Select one caller's removed uploads whose late chunks are still refused."""
        model = self._model
        return select(model).where(
            model.quota_key == quota_key, model.status == int(Status.DELETING)
        )

    # Maintenance

    def expired(
        self, upload_set: str, *, now: datetime, include_complete: bool = False
    ) -> UploadQuery:
        """Select expired uploads: unfinished ones, and unclaimed completed ones if asked for."""
        statuses = [int(Status.UPLOADING)] + ([int(Status.COMPLETE)] if include_complete else [])
        return self._of(upload_set).where(
            self._model.status.in_(statuses),
            self._model.expires_on <= now,
            self._model.claimed_by.is_(None),
        )

    def unclaimed(
        self, upload_set: str, *, completed_before: datetime, expires_after: datetime | None = None
    ) -> UploadQuery:
        """Select uploads that were completed before a time and that nothing has claimed.

        :param expires_after: leave out those that expired before; None leaves none out.
        """
        model = self._model
        query = self.by_status(self._of(upload_set), Status.COMPLETE).where(
            model.claimed_by.is_(None), model.completed_on <= completed_before
        )
        return query if expires_after is None else query.where(model.expires_on > expires_after)

    def being_removed(self, upload_set: str) -> UploadQuery:
        """Select uploads whose removal has started."""
        return self.by_status(self._of(upload_set), Status.DELETING)

    def pending_completions(
        self, upload_set: str, *, completed_before: datetime | None = None
    ) -> UploadQuery:
        """Select completed uploads whose hook has not returned yet."""
        query = self.by_status(self._of(upload_set), Status.COMPLETE)
        query = query.where(self._model.notified_on.is_(None))
        return (
            query
            if completed_before is None
            else query.where(self._model.completed_on < completed_before)
        )

    def with_bytes(self, upload_set: str, *, expires_before: datetime | None = None) -> UploadQuery:
        """Select unfinished uploads that have bytes."""
        query = self.by_status(self._of(upload_set), Status.UPLOADING)
        query = query.where(self._model.offset > 0)
        return (
            query
            if expires_before is None
            else query.where(self._model.expires_on < expires_before)
        )

    def kept_in(self, upload_set: str, storage: str, *, status: int) -> UploadQuery:
        """Select uploads of a status whose bytes a storage has that files are moved from.

        :param storage: its name; it also has the bytes of records without a storage's name.
        """
        model = self._model
        query = self.by_status(self._of(upload_set), status)
        return query.where(or_(model.stored_in == storage, model.stored_in.is_(None)))

    def with_old_copy(self, upload_set: str, storage: str) -> UploadQuery:
        """Select completed uploads that were moved to a storage and have a copy elsewhere.

        :param storage: its name.
        """
        query = self.by_status(self._of(upload_set), Status.COMPLETE)
        model = self._model
        return query.where(model.stored_in == storage, model.other_copy.is_not(None))

    def among(self, query: UploadQuery, upload_ids: Iterable[str]) -> UploadQuery:
        """Narrow a query to uploads with some ids."""
        return query.where(self._model.upload_id.in_(list(upload_ids)))

    def with_ids(self, upload_ids: Iterable[str]) -> UploadQuery:
        """Select uploads of any upload set and in any state by their ids."""
        return self.among(select(self._model), upload_ids)

    def with_file(self, path: str, *, but: ChunkedUploadMixin) -> UploadQuery:
        """Select another upload whose finished file has this name.

        One that is being removed had its file here earlier: a file never gets a taken name.
        """
        model = self._model
        return select(model).where(
            model.path == path,
            model.upload_id != but.upload_id,
            model.status != int(Status.DELETING),
        )

    def _of(self, upload_set: str) -> UploadQuery:
        return select(self._model).where(self._model.upload_set == upload_set)
