"""Shares: the links by which others may download a completed file, until they expire.

A link is valid while its row exists, so revoking a link removes the row, and removing an upload
removes its rows. The table lies in the database of the uploads, and says nothing that would let its
reader use a link: that takes the signature (sharing/links.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    Engine,
    Integer,
    String,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from .model import UTCDateTime
from .quota import one_at_a_time


class ShareMixin:
    """One link to a completed file."""

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    #: The public part of the link: 22 characters, 128 random bits.
    share_id: Mapped[str] = mapped_column(String(32), unique=True)
    upload_id: Mapped[str] = mapped_column(String(32), index=True)
    created_on: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_on: Mapped[datetime] = mapped_column(UTCDateTime)


class TooManyShares(Exception):
    """The upload has as many links as it may have."""


#: The attribute of a Flask-SQLAlchemy object that keeps its models, by bind key (see model.py).
_ATTRIBUTE = "_chunked_upload_share_models"


def share_model(db: Any, bind_key: str | None = None) -> Any:
    """Return the model of links on ``db`` (table ``chunked_upload_share``), made at the first call.

    :param db: a Flask-SQLAlchemy object.
    :param bind_key: of the uploads' model.
    """
    made: dict[str | None, Any] = vars(db).setdefault(_ATTRIBUTE, {})
    if bind_key not in made:
        names = {
            "__tablename__": "chunked_upload_share",
            "__module__": __name__,
            "__bind_key__": bind_key,
        }
        kind = f"ChunkedUploadShare_{bind_key}" if bind_key else "ChunkedUploadShare"
        made[bind_key] = type(kind, (ShareMixin, db.Model), names)
    return made[bind_key]


class Shares:
    """The links to the completed files of one model's uploads.

    :param bind: returns the SQLAlchemy engine that holds the table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind

    def add(self, upload_id: str, *, now: datetime, expires_on: datetime, most: int) -> ShareMixin:
        """Add a link to an upload's file.

        :param most: how many an upload may have.
        :raises TooManyShares:
        """
        model = self._model
        share: ShareMixin = model(
            share_id=secrets.token_urlsafe(16),
            upload_id=upload_id,
            created_on=now,
            expires_on=expires_on,
        )
        with Session(self._bind(), expire_on_commit=False) as session:
            one_at_a_time(session.connection(), upload_id)
            valid = select(func.count()).where(model.upload_id == upload_id, model.expires_on > now)
            if (session.scalar(valid) or 0) >= most:
                raise TooManyShares
            session.add(share)
            session.commit()
            session.expunge(share)
        return share

    def of(self, upload_id: str, *, now: datetime) -> list[ShareMixin]:
        """Return an upload's valid links, the newest first."""
        model = self._model
        found = select(model).where(model.upload_id == upload_id, model.expires_on > now)
        with Session(self._bind()) as session:
            return list(session.scalars(found.order_by(model.id.desc())))

    def find(self, share_id: str) -> ShareMixin | None:
        """Return a link that has not been revoked, expired or not."""
        with Session(self._bind()) as session:
            found: ShareMixin | None = session.scalars(
                select(self._model).where(self._model.share_id == share_id)
            ).first()
            return found

    def revoke(self, share_id: str, *, upload_id: str) -> bool:
        """Remove a link of an upload; return False when there is none."""
        model = self._model
        found = delete(model).where(model.share_id == share_id, model.upload_id == upload_id)
        with self._bind().begin() as connection:
            result: CursorResult[Any] = connection.execute(found)
            return result.rowcount == 1

    def remove_of(self, upload_id: str, connection: Connection | None = None) -> None:
        """Remove an upload's links.

        :param connection: whose transaction does it; None for one of its own.
        """
        if connection is None:
            with self._bind().begin() as own:
                self.remove_of(upload_id, own)
            return
        connection.execute(delete(self._model).where(self._model.upload_id == upload_id))

    def remove_expired(self, now: datetime) -> int:
        """Remove the links that have expired; return how many there were."""
        with self._bind().begin() as connection:
            expired = delete(self._model).where(self._model.expires_on <= now)
            result: CursorResult[Any] = connection.execute(expired)
            return result.rowcount
