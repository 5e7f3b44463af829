"""The completion lease: one request at a time runs an upload's hook, also across hosts.

The lease is two columns of the upload's record: a token that identifies the holder, and the time at
which it expires, in seconds on the database's clock. No other clock is used. A request takes the
lease by compare-and-swap, and a thread renews it while the request works. When the process or its
host dies, the lease expires.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, CursorResult, Engine, Float, Update, cast, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

logger = logging.getLogger(__name__)

#: Seconds after which a lease that is not renewed expires.
EXPIRES_AFTER = 30

#: Seconds between two renewals: two may fail before the lease is lost.
RENEWED_EVERY = 10.0


class _Now(FunctionElement[float]):
    """The database's own clock, in seconds since 1970, with fractions."""

    type = Float()
    inherit_cache = True


@compiles(_Now)
def _epoch(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "EXTRACT(EPOCH FROM CURRENT_TIMESTAMP)"


@compiles(_Now, "sqlite")
def _sqlite_epoch(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "(julianday('now') - 2440587.5) * 86400.0"


@compiles(_Now, "mysql")
@compiles(_Now, "mariadb")
def _mysql_epoch(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "UNIX_TIMESTAMP(NOW(6))"


#: The same in whole seconds, as leases have it.
_SECONDS = cast(_Now(), BigInteger)


class CompletionLeases:
    """The completion leases of one model's records.

    :param connect: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, connect: Callable[[], Engine]) -> None:
        self._model = model
        self._connect = connect

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[bool]:
        """Hold an upload's lease; yield False when another request holds it."""
        token = uuid.uuid4().hex
        if not self._take(upload_id, token):
            yield False
            return
        done = threading.Event()
        renewing = threading.Thread(
            target=self._renew, args=(upload_id, token, done), name="completion-lease", daemon=True
        )
        renewing.start()
        try:
            yield True
        finally:
            done.set()
            renewing.join()
            self._run(self._held(upload_id, token).values(lease_token=None, lease_until=None))

    def now(self) -> float:
        """Return the database's time, in seconds since 1970."""
        with self._connect().connect() as connection:
            return float(connection.execute(select(_Now())).scalar_one())

    def _take(self, upload_id: str, token: str) -> bool:
        model = self._model
        free = update(model).where(
            model.upload_id == upload_id,
            or_(model.lease_token.is_(None), model.lease_until <= _SECONDS),
        )
        return self._run(free.values(lease_token=token, lease_until=_SECONDS + EXPIRES_AFTER))

    def _renew(self, upload_id: str, token: str, done: threading.Event) -> None:
        while not done.wait(RENEWED_EVERY):
            renewed = self._held(upload_id, token).values(lease_until=_SECONDS + EXPIRES_AFTER)
            try:
                if not self._run(renewed):
                    logger.error("the completion lease of upload %s was lost", upload_id)
                    return
            except SQLAlchemyError:
                logger.exception("the completion lease of upload %s was not renewed", upload_id)

    def _held(self, upload_id: str, token: str) -> Update:
        model = self._model
        return update(model).where(model.upload_id == upload_id, model.lease_token == token)

    def _run(self, statement: Update) -> bool:
        with self._connect().begin() as connection:
            result: CursorResult[Any] = connection.execute(
                statement, execution_options={"synchronize_session": False}
            )
            return result.rowcount == 1
