"""The request body as bytes that are counted, never trusted.

On Granian and gunicorn a connection cut in mid-body reads as a clean end of input, and so does a
broken chunked encoding on Granian. So a body ends well only when something other than the end of
input says so: Content-Length here, or the dialect's own framing (Content-Range, the closing
multipart boundary) when the transfer is chunked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from chunked_upload.engine.errors import SizeMismatch
from chunked_upload.http.errors import (
    BadRequestHeaders,
    LengthRequired,
    UnsupportedBody,
    request_too_large,
)

from .arrived import LITTLE, MUCH, prompt_read
from .read_before import READ_BEFORE, is_touched, unread

#: Most bytes asked of the server at a time.
BUFFER_SIZE = 1024 * 1024

#: Asked for first, and of a client that has turned out to be slow. A server may keep what has come
#: until that many bytes have, and a thousand slow clients must not keep a thousand large buffers.
_FIRST_SIZE = 16 * 1024

#: A body up to this size is asked for at once: a second time costs more than the buffer.
_SMALL_BODY = 96 * 1024

#: Seconds in which a quick client's bytes come, and after which it is a slow one.
_QUICK, _SLOW = 0.01, 0.1

#: Where the environment of a request keeps a function to call before bytes are waited for.
BEFORE_WAITING = "chunked_upload.before_waiting"

#: Where the environment of a request keeps the most bytes that its body may have.
LIMIT_KEY = "chunked_upload.max_content_length"

#: Servers that raise when a chunked transfer breaks off. At others (Granian) it looks complete.
_TELL_TRUNCATION = ("gunicorn/", "Werkzeug/", "waitress")

#: Where the environment of a request keeps the body once reading has started.
BODY_KEY = "chunked_upload.body"


class Body:
    """The body of one request, read once.

    :param environ: the WSGI environment.
    :raises BadRequestHeaders: for headers that frame the body twice or not readably.
    :raises UnsupportedBody: for a compressed body.
    """

    def __init__(self, environ: MutableMapping[str, Any]) -> None:
        self._environ, self._stream = environ, unread(environ)
        self._read_stream: Callable[[int], bytes] = self._stream.read
        #: What is asked for first and of a slow client, and at most.
        self._least, self._most = _FIRST_SIZE, BUFFER_SIZE
        self._before_waiting: Callable[[], None] = environ.get(BEFORE_WAITING, _nothing)
        self._limit: int | None = environ.get(LIMIT_KEY)
        #: Declared bytes; None when the transfer is chunked.
        self.length = _content_length(environ)
        #: Bytes read so far.
        self.received = 0
        #: False for a chunked body on a server that does not mark its end: reading could hang.
        self._readable = self.length is not None or bool(environ.get("wsgi.input_terminated"))
        environ[BODY_KEY] = self  # from here on it can be read, if only to be thrown away
        #: Whether a chunked transfer that breaks off is noticed.
        self.tells_truncation = environ.get("SERVER_SOFTWARE", "").startswith(_TELL_TRUNCATION)
        self._hint = READ_BEFORE if is_touched(environ) else ""
        encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise UnsupportedBody(f"Content-Encoding {encoding!r} is not supported; send it plain")

    @classmethod
    def of(cls, environ: MutableMapping[str, Any]) -> Body:
        """Return the request's body, as far as it has been read."""
        existing: Body | None = environ.get(BODY_KEY)
        return existing or cls(environ)

    def prompt(self) -> Body:
        """Have iterating yield what has arrived, instead of waiting for a full buffer.

        It costs more calls where a client is slow. Offset dialects need it: a request that stalls
        has its bytes stored until then.
        """
        read = prompt_read(self._environ, self._stream, is_plain=self.length is not None)
        if read is not None:
            self._read_stream = read
        else:
            self._least, self._most = LITTLE, MUCH
        return self

    def require_end(self, framed: bool) -> None:
        """Check that the end of the body will be recognised.

        :param framed: whether the dialect has its own way of telling.
        :raises LengthRequired: when nothing tells.
        """
        if not self._readable or (self.length is None and not framed):
            raise LengthRequired

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in buffers.

        :raises SizeMismatch: when the connection ends before Content-Length bytes came.
        :raises LimitExceeded: when a chunked transfer has more than ``MAX_CONTENT_LENGTH`` bytes.
        """
        size = self._least
        if self.length is not None and self.length <= _SMALL_BODY and size != LITTLE:
            size = _SMALL_BODY
        while self.length is None or self.received < self.length:
            left = size if self.length is None else self.length - self.received
            started = time.monotonic()
            data = self._read(min(size, left))
            if not data:
                if self.length is None:
                    return
                raise SizeMismatch(
                    f"Content-Length said {self.length} bytes, {self.received} arrived{self._hint}"
                )
            size = self._next_size(size, time.monotonic() - started)
            self.received += len(data)
            self._check_limit()
            yield data
            # Otherwise it is kept until the next one arrives, perhaps for hours.
            del data

    def _check_limit(self) -> None:
        if self._limit is not None and self.received > self._limit:
            # Once: what follows is read all the same, to be thrown away.
            limit, self._limit = self._limit, None
            raise request_too_large(limit)

    def _read(self, size: int) -> bytes:
        self._before_waiting()
        try:
            return self._read_stream(size)
        except Exception as error:  # each server has its own for a connection that broke
            raise SizeMismatch("the connection broke while the body was sent") from error

    def _next_size(self, size: int, seconds: float) -> int:
        """Return how many bytes to ask for after ``size`` bytes arrived in so many seconds."""
        if seconds > _SLOW:
            return self._least
        return min(4 * size, self._most) if seconds < _QUICK else size

    def read_all(self, limit: int) -> bytes | None:
        """Return a small body whole, or None when it is longer than ``limit`` bytes."""
        if self.length is not None and self.length > limit:
            return None
        self.require_end(framed=True)
        parts, size = [], 0
        for data in self:
            size += len(data)
            if size > limit:
                return None
            parts.append(data)
        return b"".join(parts)


def _nothing() -> None:
    """Do nothing."""


def _content_length(environ: Mapping[str, Any]) -> int | None:
    """Return the declared length; 0 when there is no body, None when the transfer is chunked."""
    declared = environ.get("CONTENT_LENGTH") or ""
    transfer = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if transfer and declared:
        # RFC 9112 6.3: a sign of request smuggling; Granian lets it through.
        raise BadRequestHeaders("Content-Length and Transfer-Encoding exclude each other")
    if transfer:
        if transfer != "chunked":
            raise BadRequestHeaders("the only Transfer-Encoding supported is chunked")
        return None
    if not declared:
        return 0
    plain = declared.isascii() and declared.isdigit() and len(declared) <= 19
    if not plain or int(declared) >= 2**63:
        raise BadRequestHeaders("Content-Length must be a plain number below 2^63")
    return int(declared)
