"""The look-up that every request starts with: one upload of one owner, by its id.

SQLAlchemy's session spends more time on a row than the database does. But most models are plain
columns of one table. For these, this module builds the statement once and makes the record from a
row directly; the record is then like one that a session has read and expunged. Other models
(relationships, inheritance, computed columns, load listeners) go through the session.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Select, bindparam, inspect, select
from sqlalchemy.orm import Session, make_transient_to_detached

from .model import ChunkedUploadMixin, Status
from .prepared import Statement
from .relationships import references


class Lookup:
    """Finds records of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    """

    def __init__(self, model: Any) -> None:
        mapper: Any = inspect(model)
        self._model = model
        self._manager = mapper.class_manager
        self._plain = is_plain(mapper)
        self._names = [attribute.key for attribute in mapper.column_attrs]
        #: What a row must consist of for :meth:`record`.
        self.columns = [getattr(model, name) for name in self._names]
        self._rows = [Statement(statement) for statement in self._statements(self.columns)]
        self._records = [
            statement.options(*references(model)) for statement in self._statements([model])
        ]

    def _statements(self, what: list[Any]) -> tuple[Select[Any], Select[Any]]:
        """Build two statements: for an upload without an owner, and for one with an owner."""
        model = self._model
        statement = select(*what).where(
            model.upload_id == bindparam("upload_id"),
            model.upload_set == bindparam("upload_set"),
            model.status != int(Status.DELETING),
        )
        return (
            statement.where(model.owner.is_(None)),
            statement.where(model.owner == bindparam("owner")),
        )

    def find(
        self, engine: Engine, upload_id: str, *, upload_set: str, owner: str | None
    ) -> ChunkedUploadMixin | None:
        """Return the record, detached from any session, or None when there is none.

        :param owner: the owner it must have; None for an upload without one.
        """
        values = {"upload_id": upload_id, "upload_set": upload_set}
        if owner is not None:
            values["owner"] = owner
        owned = owner is not None
        if not self.is_plain:
            with Session(engine, expire_on_commit=False) as session:
                found: ChunkedUploadMixin | None = session.scalars(
                    self._records[owned], values
                ).first()
                return found
        row = self._rows[owned].first(engine, values)
        return None if row is None else self.record(row)

    @property
    def is_plain(self) -> bool:
        """Whether a row of the columns is all that a record consists of."""
        return self._plain and not self._manager.dispatch.load

    def record(self, row: Any) -> ChunkedUploadMixin:
        """Make a record of a row, detached from any session."""
        record: ChunkedUploadMixin = self._manager.new_instance()
        vars(record).update(zip(self._names, row, strict=True))
        make_transient_to_detached(record)
        return record


def is_plain(mapper: Any) -> bool:
    """Return whether a record consists of a row of the mapper's own table, and nothing else."""
    more = mapper.inherits or mapper.polymorphic_on is not None
    if more or mapper.relationships or mapper.composites:
        return False
    return all(
        not attribute.deferred and list(attribute.columns) == [mapper.local_table.c.get(name)]
        for attribute in mapper.column_attrs
        for name in [attribute.columns[0].key]
    )
