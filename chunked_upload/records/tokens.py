"""API tokens in the database: what may be known of them, and when they stop to count.

A token itself is stored nowhere, only its SHA-256. A slow hash, as for passwords, would protect
nothing: a token has 256 random bits, so nobody finds it by trying, and every request would wait for
the hash. The row is found by an index on the digest. That tells a caller nothing by its time, since
nobody can choose the digest of a text that has not been tried yet.

Revoking keeps the row, so that operators see who had a token, and until when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Engine,
    Integer,
    String,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from .model import UTCDateTime
from .quota import one_at_a_time

#: Longest name; an owner's key is made of it.
MAX_NAME = 200


class TokenMixin:
    """One API token."""

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    #: Who it is for; uploads belong to the name, so a successor of the same name owns them too.
    name: Mapped[str] = mapped_column(String(MAX_NAME), index=True)
    #: SHA-256 of the token, in hex.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: What it may do, with spaces: ``upload read``.
    scopes: Mapped[str] = mapped_column(String(64))
    created_on: Mapped[datetime] = mapped_column(UTCDateTime)
    #: None: never.
    expires_on: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_on: Mapped[datetime | None] = mapped_column(UTCDateTime)


class NameInUse(Exception):
    """A token of that name counts already."""


#: The attribute of a Flask-SQLAlchemy object that keeps its models, by bind key (see model.py).
_ATTRIBUTE = "_chunked_upload_token_models"


def token_model(db: Any, bind_key: str | None = None) -> Any:
    """Return the model of tokens on ``db`` (table ``chunked_upload_token``), made at first.

    :param db: a Flask-SQLAlchemy object.
    :param bind_key: of the uploads' model.
    """
    made: dict[str | None, Any] = vars(db).setdefault(_ATTRIBUTE, {})
    if bind_key not in made:
        names = {
            "__tablename__": "chunked_upload_token",
            "__module__": __name__,
            "__bind_key__": bind_key,
        }
        kind = f"ChunkedUploadToken_{bind_key}" if bind_key else "ChunkedUploadToken"
        made[bind_key] = type(kind, (TokenMixin, db.Model), names)
    return made[bind_key]


def has_token_model(db: Any, bind_key: str | None = None) -> bool:
    """Return whether an app has the table of tokens."""
    return bind_key in vars(db).get(_ATTRIBUTE, {})


class TokenTable:
    """The tokens of one database.

    :param bind: returns the SQLAlchemy engine that holds the table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind

    def add(
        self,
        name: str,
        digest: str,
        *,
        scopes: Iterable[str],
        now: datetime,
        expires_on: datetime | None,
        beside: bool = False,
    ) -> TokenMixin:
        """Add a token.

        :param beside: another token of that name may count at the same time.
        :raises NameInUse:
        """
        model = self._model
        token: TokenMixin = model(
            name=name,
            digest=digest,
            scopes=" ".join(scopes),
            created_on=now,
            expires_on=expires_on,
        )
        with Session(self._bind(), expire_on_commit=False) as session:
            one_at_a_time(session.connection(), f"token:{name}")
            counts = or_(model.expires_on.is_(None), model.expires_on > now)
            others = select(func.count()).where(
                model.name == name, model.revoked_on.is_(None), counts
            )
            if not beside and session.scalar(others):
                raise NameInUse
            session.add(token)
            session.commit()
            session.expunge(token)
        return token

    def find(self, digest: str) -> TokenMixin | None:
        """Return the token with this digest, whether it counts or not."""
        with Session(self._bind()) as session:
            found: TokenMixin | None = session.scalars(
                select(self._model).where(self._model.digest == digest)
            ).first()
            return found

    def has(self, scope: str, *, now: datetime) -> bool:
        """Return whether a token counts that has a scope."""
        model = self._model
        counts = or_(model.expires_on.is_(None), model.expires_on > now)
        valid = select(model.scopes).where(model.revoked_on.is_(None), counts)
        with Session(self._bind()) as session:
            return any(scope in scopes.split() for scopes in session.scalars(valid))

    def all(self) -> list[TokenMixin]:
        """Return every token, revoked ones too, the oldest first."""
        with Session(self._bind()) as session:
            return list(session.scalars(select(self._model).order_by(self._model.id)))

    def revoke(self, name: str, *, now: datetime, token_id: int | None = None) -> int:
        """Revoke the tokens of a name; return how many counted until now.

        :param token_id: revoke only this one of them.
        """
        model = self._model
        statement = update(model).where(model.name == name, model.revoked_on.is_(None))
        if token_id is not None:
            statement = statement.where(model.id == token_id)
        with self._bind().begin() as connection:
            result: CursorResult[Any] = connection.execute(statement.values(revoked_on=now))
            return result.rowcount
