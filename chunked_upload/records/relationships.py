"""Relationships of an app's own model, such as ``upload.user``, on records that it is given.

The engine's records belong to no session, so nothing could be loaded later. What a record refers to
(many-to-one) is loaded with it. After the fact, an app gets the record from its own session, where
every relationship works as on any ORM object.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import MANYTOONE, Session, scoped_session, selectinload
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.interfaces import ORMOption

from .model import ChunkedUploadMixin


def references(model: Any) -> list[ORMOption]:
    """Return the options that load what a model's records refer to."""
    mapper: Any = inspect(model)
    return [
        selectinload(getattr(model, relation.key))
        for relation in mapper.relationships
        if relation.direction is MANYTOONE
    ]


def load_references(record: ChunkedUploadMixin) -> None:
    """Load what a record in a session refers to."""
    mapper: Any = inspect(type(record))
    for relation in mapper.relationships:
        if relation.direction is MANYTOONE:
            getattr(record, relation.key)


def in_session(
    record: ChunkedUploadMixin, session: Session | scoped_session[Any]
) -> ChunkedUploadMixin:
    """Return a record for an app to work with, from its own session.

    :return: the same record when its model has no relationships, or its row is gone.
    """
    mapper: Any = inspect(type(record))
    if not mapper.relationships:
        return record
    found = session.get(type(record), record.id, populate_existing=True)
    return found if isinstance(found, ChunkedUploadMixin) else record


def copy_changes(changed: ChunkedUploadMixin, record: ChunkedUploadMixin) -> None:
    """Copy what an app has set, and not saved, on the record that :func:`in_session` returned."""
    if changed is record:
        return
    mapper: Any = inspect(type(record))
    for attribute in mapper.column_attrs:
        if get_history(changed, attribute.key).added:
            setattr(record, attribute.key, getattr(changed, attribute.key))
