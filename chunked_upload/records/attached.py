"""Uploads as parts of an app's own rows: deleting the row deletes the upload and its bytes.

    class Post(db.Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        picture_id, picture = attached_upload(db)

A row claims its upload in the app's own transaction (claims.py). A row that gives its upload up,
since it is deleted or gets another one, deletes the record through the app's session, and the
engine removes the bytes once that is committed (deletions.py).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, ForeignKey, event, inspect
from sqlalchemy.orm import MappedColumn, Mapper, Relationship, mapped_column, relationship
from sqlalchemy.orm.attributes import get_history

from .claims import BY_REQUEST, claim
from .model import default_model

#: Key in the ``info`` of a relationship that attaches uploads.
_ATTACHES = "chunked_upload_attaches"


class CannotAttach(ValueError):
    """A row refers to an upload that is not complete, or that something else uses."""


def attached_upload(
    uploads: Any, *, nullable: bool = True
) -> tuple[MappedColumn[Any], Relationship[Any]]:
    """Return a column and a relationship for a model's attribute that is a completed upload.

    Flushing a row raises :class:`CannotAttach` when its upload is not complete, or is attached
    elsewhere. Bulk statements pass by this check and by the deletion of the bytes.

    :param uploads: the app's Flask-SQLAlchemy object, for the built-in model; or a model of one's
        own with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param nullable: whether a row may be without an upload.
    """
    model = uploads if isinstance(uploads, type) else default_model(uploads)
    [key] = inspect(model).primary_key
    column: MappedColumn[Any] = mapped_column(ForeignKey(key), unique=True, nullable=nullable)
    relation: Relationship[Any] = relationship(
        model,
        foreign_keys=column,
        # The row owns the upload: what it lets go is deleted.
        cascade="save-update, merge, delete, delete-orphan",
        single_parent=True,
        info={_ATTACHES: True},
    )
    return column, relation


def _watch(mapper: Mapper[Any], row_class: type) -> None:
    """Have the rows of a newly configured model claim what they attach."""
    attaching = [each for each in mapper.relationships if _ATTACHES in each.info]
    if not attaching:
        return

    def claim_uploads(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
        for relation in attaching:
            [(column, _)] = relation.local_remote_pairs or []
            name = mapper.get_property_by_column(column).key
            for key in get_history(row, name).added:
                if key is not None:
                    _claim(connection, relation.mapper.class_, key, by=str(column))

    event.listen(row_class, "after_insert", claim_uploads)
    event.listen(row_class, "after_update", claim_uploads)


def _claim(connection: Connection, model: Any, key: Any, *, by: str) -> None:
    # A row of the same column may take it over: the column is unique.
    if not claim(connection, model, key, by=by[:255], over=(BY_REQUEST, by[:255])):
        raise CannotAttach(
            f"the upload with the id {key} cannot be attached to {by}: it is not complete, or is"
            " attached elsewhere"
        )


event.listen(Mapper, "mapper_configured", _watch)
