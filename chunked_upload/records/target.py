"""Settles where the file of an upload is to go: the first request that completes it decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm.attributes import set_committed_value

from .model import ChunkedUploadMixin


class Targets:
    """The targets of one model's records.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param bind: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind

    def settle(self, record: ChunkedUploadMixin, target: str) -> None:
        """Write a record's target, unless another request has; then take that one.

        Nothing else of the record is written or read: a completion has set more on it already.
        """
        model = self._model
        this = model.upload_id == record.upload_id
        with self._bind().begin() as connection:
            connection.execute(
                update(model).where(this, model.target.is_(None)).values(target=target)
            )
            settled = connection.execute(select(model.target).where(this)).scalar()
        set_committed_value(record, "target", settled or target)
