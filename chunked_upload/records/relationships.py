"""Loads relationships of an app's own model, such as ``upload.user``, on records passed to it.

The engine's records belong to no session, so they cannot load anything later. Their many-to-one
relationships are therefore loaded with the record. Once an event is over, an app gets the record
from its own session, where every relationship works as on any ORM object.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import MANYTOONE, Session, object_session, scoped_session, selectinload
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.interfaces import ORMOption

from .model import ChunkedUploadMixin


def references(model: Any) -> list[ORMOption]:
    """Return the options that load the many-to-one relationships of a model's records."""
    mapper: Any = inspect(model)
    return [
        selectinload(getattr(model, relation.key))
        for relation in mapper.relationships
        if relation.direction is MANYTOONE
    ]


def load_references(record: ChunkedUploadMixin) -> None:
    """Load the many-to-one relationships of a record in a session."""
    mapper: Any = inspect(type(record))
    for relation in mapper.relationships:
        if relation.direction is MANYTOONE:
            getattr(record, relation.key)


def in_session(
    record: ChunkedUploadMixin, session: Session | scoped_session[Any]
) -> ChunkedUploadMixin:
    """Return a record from the app's own session, for the app to work with.

    :return: the given record when its model has no relationships, or its row is gone.
    """
    mapper: Any = inspect(type(record))
    return from_session(record, session) if mapper.relationships else record


def from_session(
    record: ChunkedUploadMixin, session: Session | scoped_session[Any]
) -> ChunkedUploadMixin:
    """Return a record from a session, read again; the given record when its row is gone."""
    found = session.get(type(record), record.id, populate_existing=True)
    return found if isinstance(found, ChunkedUploadMixin) else record


def leave_session(record: ChunkedUploadMixin) -> None:
    """Take a record whose row is gone out of its session, which would fail to change it."""
    session = object_session(record)
    if session is not None:
        session.expunge(record)


def copy_changes(changed: ChunkedUploadMixin, record: ChunkedUploadMixin) -> None:
    """Copy an app's unsaved changes from the record that :func:`in_session` returned."""
    if changed is record:
        return
    mapper: Any = inspect(type(record))
    for attribute in mapper.column_attrs:
        if get_history(changed, attribute.key).added:
            setattr(record, attribute.key, getattr(changed, attribute.key))
