"""Records that an app deletes through its own session: ``db.session.delete(upload)``.

The engine is told once the deletion is committed, so that no file outlives its record unseen.
Bulk statements (``delete(Upload)``) tell nobody; `flask chunked-upload delete-orphans` finds their
parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

from .model import ChunkedUploadMixin

#: Where a session notes what it has deleted and not committed yet.
_DELETED = "chunked_upload_deleted"

_WATCHED = "_chunked_upload_watched"


def watch_deletions(model: Any, deleted: Callable[[ChunkedUploadMixin], None]) -> None:
    """Call a function with each record that a session deletes, once that is committed.

    A model is watched once, by whoever asks first.
    """
    if vars(model).get(_WATCHED):
        return
    setattr(model, _WATCHED, True)

    def note(_mapper: Any, _connection: Any, record: ChunkedUploadMixin) -> None:
        session = object_session(record)
        if session is None:
            return
        if _DELETED not in session.info:
            session.info[_DELETED] = []
            event.listen(session, "after_commit", tell)
            event.listen(session, "after_rollback", forget)
        session.info[_DELETED].append(record)

    def tell(session: Session) -> None:
        records, session.info[_DELETED] = session.info[_DELETED], []
        for record in records:
            deleted(record)

    def forget(session: Session) -> None:
        session.info[_DELETED] = []

    event.listen(model, "after_delete", note)
