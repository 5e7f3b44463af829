"""Claims: a completed upload is used once, by a form or by a row of the app's own.

A claim is one compare-and-swap on the column ``claimed_by``, so of two requests that submit the
same upload only one gets it. It also raises the record's fencing token. A removal or an expiry that
was decided from an earlier read of the record therefore finds another token, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, or_, update
from sqlalchemy.orm.attributes import set_committed_value

from .model import ChunkedUploadMixin, Status

#: Claimed by a request of the app; a row may take the upload over.
BY_REQUEST = "request"


class _Taken(Exception):
    """Another request or row has one of the uploads."""


def claim(
    connection: Connection, model: Any, key: Any, *, by: str, over: Collection[str] = ()
) -> bool:
    """Claim an upload in a connection's transaction; return False when it cannot be claimed.

    :param key: the record's primary key.
    :param by: who claims it.
    :param over: other claims that this one replaces.
    """
    free = or_(model.claimed_by.is_(None), model.claimed_by.in_([*over]))
    statement = update(model).where(model.id == key, model.status == int(Status.COMPLETE), free)
    raised = model.fencing_token + 1
    result: CursorResult[Any] = connection.execute(
        statement.values(claimed_by=by, fencing_token=raised)
    )
    return result.rowcount == 1


class Claims:
    """The claims on one model's records.

    :param bind: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind

    def take(self, records: Iterable[ChunkedUploadMixin]) -> bool:
        """Claim all of the uploads or none; return False when one of them cannot be claimed."""
        # In one order, so that two requests for the same uploads do not wait for each other.
        wanted = sorted(records, key=lambda record: record.id)
        try:
            with self._bind().begin() as connection:
                for record in wanted:
                    if not claim(connection, self._model, record.id, by=BY_REQUEST):
                        raise _Taken
        except _Taken:
            return False
        for record in wanted:
            set_committed_value(record, "claimed_by", BY_REQUEST)
        return True

    def release(self, records: Iterable[ChunkedUploadMixin]) -> None:
        """Give back uploads that a request has claimed, unless a row has them by now."""
        model, released = self._model, list(records)
        statement = update(model).where(
            model.id.in_([record.id for record in released]), model.claimed_by == BY_REQUEST
        )
        with self._bind().begin() as connection:
            connection.execute(statement.values(claimed_by=None))
        for record in released:
            if record.claimed_by == BY_REQUEST:
                set_committed_value(record, "claimed_by", None)
