"""How long a PostgreSQL server may be silent before requests stop waiting for it.

By themselves, libpq and the kernel wait for minutes when a server's host has lost its power or its
network: nothing comes back, not even a refusal. Requests must be answered 503 in seconds instead,
and find the server, or the one that took over, as soon as it is there.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

#: Drivers on libpq, which know these parameters.
_LIBPQ = frozenset({"psycopg", "psycopg2"})

#: libpq's connection parameters, by which an unreachable host is noticed:
#: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_CONNECT = {
    "connect_timeout": 5,  # seconds, for each host
    "tcp_user_timeout": 10_000,  # milliseconds until a statement that was sent must have arrived
    "keepalives_idle": 5,  # seconds; while the server computes, keepalives ask whether it is there
    "keepalives_interval": 2,
    "keepalives_count": 3,
}

#: Seconds in which a statement must be answered, a commit included.
_ANSWER = 30.0

#: Seconds that a request waits for a connection of the pool while all of them are in use.
_POOL_TIMEOUT = 10


def engine_options(uri: str) -> dict[str, Any]:
    """Return options for the SQLAlchemy engine of a database; what the URI sets itself wins."""
    try:
        url = make_url(uri)
    except ArgumentError:  # reported when the engine is made
        return {}
    if url.get_backend_name() != "postgresql" or url.get_driver_name() not in _LIBPQ:
        return {}
    arguments = {name: value for name, value in _CONNECT.items() if name not in url.query}
    return {"connect_args": arguments, "pool_timeout": _POOL_TIMEOUT}


def limit_answers(connection: Any, seconds: float = _ANSWER) -> None:
    """Have a connection of psycopg 3 break off when a statement gets no answer in time.

    Those of other drivers are left as they are, and of psycopg before 3.3.6.

    A server may be reachable and silent: it is stopped, or a commit waits for a standby that is
    gone. It is not asked to cancel the statement, since it would then confirm a commit that the
    standby lacks. Whether the statement took effect, the next request finds out.

    :raises psycopg.OperationalError: from the statement.
    """
    wait = getattr(connection, "wait", None)  # which psycopg calls for every answer
    if wait is None or "timeout" not in signature(wait).parameters:
        return

    def wait_at_most(*arguments: Any, **options: Any) -> Any:
        from psycopg import OperationalError
        from psycopg.pq import TransactionStatus

        try:
            return wait(*arguments, **{"timeout": seconds} | options)
        except OperationalError as error:
            if connection.info.transaction_status != TransactionStatus.ACTIVE:
                raise
            connection.close()
            raise OperationalError(f"no answer in {seconds:g} seconds") from error

    connection.wait = wait_at_most


def wait_for_ever(connection: Any) -> None:
    """Undo :func:`limit_answers`."""
    getattr(connection, "__dict__", {}).pop("wait", None)
