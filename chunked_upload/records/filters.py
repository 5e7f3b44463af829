"""Selects uploads as an operator asks for them: by status, owner, place, age, size and name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_

from .model import Status
from .queries import UploadQuery

#: Longer ago than any upload; further back, dates end.
_LONGEST = timedelta(days=365 * 100)


@dataclass(frozen=True, kw_only=True)
class UploadFilter:
    """What the uploads must have in common; None for what does not matter.

    :param owner: an owner's id; empty for uploads without an owner.
    :param expired: unfinished and past their time. A complete upload never expires.
    :param name: part of the file's name, in any case.
    :param search: part of the file's name in any case, or the beginning of the upload's id.
    :param storage: the name of the storage that has the bytes; empty for uploads that name none.
    :param older, newer: how long ago they were created, at least and at most.
    :param larger, smaller: their bytes, at least and at most: the declared length, or what has
        arrived where none is declared.
    """

    status: Status | None = None
    owner: str | None = None
    expired: bool | None = None
    name: str | None = None
    search: str | None = None
    storage: str | None = None
    older: timedelta | None = None
    newer: timedelta | None = None
    larger: int | None = None
    smaller: int | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self != UploadFilter()

    def narrow(self, query: UploadQuery, model: Any, *, now: datetime) -> UploadQuery:
        """Narrow a query of a model's records."""
        conditions = [*self._texts(model), *self._spans(model, now)]
        if self.status is not None:
            conditions.append(model.status == int(self.status))
        if self.expired is not None:
            conditions.append(is_expired(model, now) if self.expired else ~is_expired(model, now))
        return query.where(*conditions)

    def _texts(self, model: Any) -> list[Any]:
        conditions = []
        if self.owner is not None:
            conditions.append(model.owner == (self.owner or None))
        if self.storage is not None:
            conditions.append(model.stored_in == (self.storage or None))
        if self.name is not None:
            conditions.append(model.filename.icontains(self.name, autoescape=True))
        if self.search is not None:
            conditions.append(
                or_(
                    model.filename.icontains(self.search, autoescape=True),
                    model.upload_id.startswith(self.search.lower(), autoescape=True),
                )
            )
        return conditions

    def _spans(self, model: Any, now: datetime) -> list[Any]:
        size = func.coalesce(model.length, model.offset)
        limits = [
            None if self.older is None else model.created_on <= now - min(self.older, _LONGEST),
            None if self.newer is None else model.created_on >= now - min(self.newer, _LONGEST),
            None if self.larger is None else size >= self.larger,
            None if self.smaller is None else size <= self.smaller,
        ]
        return [limit for limit in limits if limit is not None]


def is_expired(model: Any, now: datetime) -> Any:
    """Return the condition of ``ChunkedUploadMixin.expired`` in SQL."""
    return (model.status == int(Status.UPLOADING)) & (model.expires_on <= now)
