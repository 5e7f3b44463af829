"""Watches for records that an app deletes through its own session: ``db.session.delete(upload)``.

The engine is called once the deletion is committed, so that it removes the files too. Bulk
statements (``delete(Upload)``) cannot be watched; `flask chunked-upload delete-orphans` finds the
parts that they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import Session, object_session

from .model import ChunkedUploadMixin

#: Key in a session's ``info`` for the records that it has deleted and not committed yet.
_DELETED = "chunked_upload_deleted"

_WATCHED = "_chunked_upload_watched"


def watch_deletions(
    model: Any,
    deleted: Callable[[ChunkedUploadMixin], None],
    *,
    deleting: Callable[[Connection, ChunkedUploadMixin], None],
) -> None:
    """Call functions with each record that a session deletes.

    A model is watched only once: the first call wins.

    :param deleted: called once the deletion is committed.
    :param deleting: called in its transaction.
    """
    if vars(model).get(_WATCHED):
        return
    setattr(model, _WATCHED, True)

    def tell_before(_mapper: Any, connection: Connection, record: ChunkedUploadMixin) -> None:
        deleting(connection, record)  # while the row can still be read

    def note(_mapper: Any, _connection: Any, record: ChunkedUploadMixin) -> None:
        session = object_session(record)
        if session is None:
            return
        if _DELETED not in session.info:
            session.info[_DELETED] = []
            event.listen(session, "after_commit", tell)
            event.listen(session, "after_rollback", _forget)
        session.info[_DELETED].append(record)

    def tell(session: Session) -> None:
        if session.in_nested_transaction():
            return  # what a savepoint has deleted may still come back
        records, session.info[_DELETED] = session.info[_DELETED], []
        for record in records:
            if inspect(record).was_deleted:  # not in a savepoint that was rolled back
                deleted(record)

    event.listen(model, "before_delete", tell_before)
    event.listen(model, "after_delete", note)


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_DELETED] = []
