"""The upload record: a mixin for a model of your own, and the default model made from it.

Plain SQLAlchemy 2 style. The mixin has the attributes of django-chunked-upload's model
(``upload_id, filename, offset, created_on, status, completed_on, expires_on, expired, md5``), and
adds the declared length, the owner, the checksums and the place of the finished file.
"""

from __future__ import annotations

import enum
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from chunked_upload.support.clock import utcnow

#: A server default, so that the columns can be added to a table that has rows.
_EMPTY = text("'{}'")


class Status(enum.IntEnum):
    """An upload's status. 1 and 2 are django-chunked-upload's; clients see only these two."""

    UPLOADING = 1
    COMPLETE = 2
    #: Marked for removal; its bytes may already be gone. Clients get 404. With a ``client_key`` the
    #: record stays until ``expires_on``, so that late chunks are refused.
    DELETING = 3


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time, also on SQLite, which stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    # Alembic writes this type into migrations by a name that it does not import. With this repr it
    # writes the plain SQLAlchemy type, so that any app's migrations work.
    __module__ = "sqlalchemy.types"

    def __repr__(self) -> str:
        return "DateTime(timezone=True)"

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


def new_upload_id() -> str:
    """Return an unguessable id: 32 hex digits with 122 random bits (UUID 4)."""
    return uuid.uuid4().hex


def is_upload_id(text: str) -> bool:
    """Return whether a text can be the id of an upload."""
    return _UPLOAD_ID.fullmatch(text) is not None


class ChunkedUploadMixin:
    """One upload, from its first chunk to its finished file."""

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, sort_order=-2
    )
    #: The upload's public name. For anonymous callers, knowing it is the permission.
    upload_id: Mapped[str] = mapped_column(
        String(32), unique=True, default=new_upload_id, sort_order=-1
    )
    #: The upload set that it belongs to; one upload set never sees another's uploads.
    upload_set: Mapped[str] = mapped_column(String(64), default="chunked_upload")
    #: The authenticated owner's key; None for an anonymous caller.
    owner: Mapped[str | None] = mapped_column(String(255))
    #: The anonymous browser (signed session cookie) that started it.
    visitor: Mapped[str | None] = mapped_column(String(32))
    #: Whose quota it counts against: the owner, or a keyed hash of an anonymous caller's address.
    quota_key: Mapped[str | None] = mapped_column(String(255))
    #: The ticket by which it was begun: its id, and how many uploads it may have (``<id>.<n>``).
    ticket: Mapped[str | None] = mapped_column(String(64))
    #: The client's name for the file, cleaned. Metadata, never a path.
    filename: Mapped[str] = mapped_column(String(255))
    #: The client's own name for the upload (in dialects that have one), hashed. It identifies the
    #: upload only together with ``quota_key`` or ``visitor``. For a staged chunk, the id of the
    #: upload in whose place it lies (records/quota.py).
    client_key: Mapped[str | None] = mapped_column(String(64))
    #: What the client declared under that name; later chunks must agree.
    declared: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: Other form fields that came with the first chunk.
    extra_fields: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    #: Bytes from the start of the file that are recorded and durable, without a gap.
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Ranges ``[start, stop)`` that are recorded and durable beyond the offset, sorted.
    received: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    #: Declared total in bytes; fixed by the first chunk.
    length: Mapped[int | None] = mapped_column(BigInteger)
    #: Bytes held against the owner's quota, if they are more than the length (records/quota.py).
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[int] = mapped_column(SmallInteger, default=Status.UPLOADING)
    #: Raised when a newcomer takes over from a writer that may still be alive, and by commits.
    fencing_token: Mapped[int] = mapped_column("turn", BigInteger, default=0)
    #: Checksums of the completed file: hex digits by name.
    checksums: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default=_EMPTY)
    #: States of an unfinished upload's checksums, by name: ``offset`` (bytes seen) and either
    #: ``state`` (frozen, in Base64) or, once all bytes are seen, ``hexdigest``.
    checksum_states: Mapped[dict[str, dict[str, Any]]] = mapped_column(
        JSON, default=dict, server_default=_EMPTY
    )
    #: Write leases, ``[fencing token, start, stop]``, for storages that have none.
    write_leases: Mapped[list[list[int | None]] | None] = mapped_column(JSON(none_as_null=True))
    #: The completion lease: its holder, and when it expires (seconds on the database's clock).
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    #: The storage's own state, committed with the offset.
    storage_state: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: The storage that has the bytes, by its name (storage/stores.py).
    stored_in: Mapped[str | None] = mapped_column(String(255))
    #: The copy in another storage, while the upload is moved (engine/other_copy.py).
    other_copy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: Where the completed file is to go, if that is not what the settings say: a relative path.
    target: Mapped[str | None] = mapped_column(String(1024))
    #: The storage's key of the completed file.
    path: Mapped[str | None] = mapped_column(String(1024))
    created_on: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_on: Mapped[datetime] = mapped_column(UTCDateTime)
    completed_on: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: When ``on_completion`` returned; None until it has.
    notified_on: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: What uses the completed upload: a request of the app, or a row by its table and column
    #: (records/claims.py). None while nothing does.
    claimed_by: Mapped[str | None] = mapped_column(String(255))

    #: No column: whether the look-up has also taken a write lease (records/leased_lookup.py).
    found_leased = False

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Indexes for the cleaner, callers' lists, the quota, and names of files and clients."""
        table: str = cls.__tablename__  # type: ignore[attr-defined]
        named = text("client_key IS NOT NULL")
        return (
            Index(f"ix_{table}_status_expires_on", "status", "expires_on"),
            Index(f"ix_{table}_owner", "owner", "id"),
            Index(f"ix_{table}_visitor", "visitor", "id"),
            Index(f"ix_{table}_quota_key_status", "quota_key", "status"),
            Index(f"ix_{table}_ticket", "ticket"),
            # Names may be longer than an entry of PostgreSQL's ordinary index.
            Index(f"ix_{table}_path", "path", postgresql_using="hash"),
            Index(
                f"ix_{table}_client_key",
                "client_key",
                "quota_key",
                "upload_set",
                unique=True,
                sqlite_where=named,
                postgresql_where=named,
            ),
        )

    @hybrid_property
    def md5(self) -> str | None:
        """MD5 of the completed file, 32 hex digits; None when it is not kept. Works in queries."""
        return (self.checksums or {}).get("md5")

    @md5.inplace.setter
    def _set_md5(self, value: str | None) -> None:
        others = {name: kept for name, kept in (self.checksums or {}).items() if name != "md5"}
        self.checksums = others if value is None else {**others, "md5": value}

    @md5.inplace.expression
    @classmethod
    def _select_md5(cls) -> ColumnElement[str | None]:
        selected: ColumnElement[str | None] = cls.checksums["md5"].as_string()
        return selected

    @property
    def wanted_key(self) -> None:
        """The storage chooses the name of the upload's file."""
        return None

    @property
    def expired(self) -> bool:
        """True for an unfinished upload past its time; a complete upload never expires."""
        return self.status == Status.UPLOADING and self.expires_on <= utcnow()

    def __repr__(self) -> str:
        return (
            f"<{self.filename!r} - upload_id: {self.upload_id}"
            f" - bytes: {self.offset} - status: {self.status}>"
        )


#: The attribute of a Flask-SQLAlchemy object that keeps its built-in model. A table in this module
#: would keep both alive forever, since the model refers to its ``db``.
_ATTRIBUTE = "_chunked_upload_model"


def default_model(db: SQLAlchemy) -> Any:
    """Return the built-in model on ``db`` (table ``chunked_upload``), making it at the first call.

    It is a model of that ``db``, so ``db.create_all()`` and the app's own migrations include it.
    """
    if not hasattr(db, _ATTRIBUTE):
        names = {"__tablename__": "chunked_upload", "__module__": __name__}
        model = type("ChunkedUploadRecord", (ChunkedUploadMixin, db.Model), names)
        setattr(db, _ATTRIBUTE, model)
    return getattr(db, _ATTRIBUTE)
