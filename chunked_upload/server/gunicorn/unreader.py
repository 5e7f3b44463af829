"""What gunicorn's parser reads a request from."""

from __future__ import annotations

from gunicorn.http.unreader import Unreader

from .connection import Connection


class ConnectionUnreader(Unreader):  # type: ignore[misc]
    """A connection: first what has been taken from it ahead, then what still comes."""

    #: Bytes to ask for, at least and at most: parts of a body with a transfer coding.
    _LEAST, _MOST = 8 * 1024, 1024 * 1024

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.unread(connection.take_ahead())

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return what comes next; none when the client has closed."""
        return self._connection.receive(max(self._LEAST, min(size_hint or 0, self._MOST)))
