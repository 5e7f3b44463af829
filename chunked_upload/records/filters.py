"""Selects uploads as an operator asks for them: by status, owner, expiry and name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .model import Status
from .queries import UploadQuery


@dataclass(frozen=True, kw_only=True)
class UploadFilter:
    """What the uploads must have in common; None for what does not matter.

    :param owner: an owner's id; empty for uploads without an owner.
    :param expired: unfinished and past their time. A complete upload never expires.
    :param name: part of the file's name, in any case.
    """

    status: Status | None = None
    owner: str | None = None
    expired: bool | None = None
    name: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self != UploadFilter()

    def narrow(self, query: UploadQuery, model: Any, *, now: datetime) -> UploadQuery:
        """Narrow a query of a model's records."""
        conditions = []
        if self.status is not None:
            conditions.append(model.status == int(self.status))
        if self.owner is not None:
            conditions.append(model.owner == (self.owner or None))
        if self.expired is not None:
            conditions.append(is_expired(model, now) if self.expired else ~is_expired(model, now))
        if self.name is not None:
            conditions.append(model.filename.icontains(self.name, autoescape=True))
        return query.where(*conditions)


def is_expired(model: Any, now: datetime) -> Any:
    """Return the condition of ``ChunkedUploadMixin.expired`` in SQL."""
    return (model.status == int(Status.UPLOADING)) & (model.expires_on <= now)
