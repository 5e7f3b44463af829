"""multipart/form-data (RFC 7578) as a decoder without I/O: bytes in, parts and their bytes out.

Written here because both libraries fell short on bytes: ``multipart`` does not take an empty part
whose blank line is also the delimiter's line break (RFC 2046 5.1.1 allows it, Werkzeug's client
sends it), and Werkzeug's decoder can add a byte to a part when the network splits the delimiter in
an unlucky place. The tests feed every form in arbitrary pieces.

The grammar, strictly: delimiters are CRLF, two hyphens, the boundary; nothing but a first delimiter
begins a form (its CRLF may be left out), and what follows the last one is ignored::

    START -> HEADERS -> CONTENT -> HEADERS ... -> END

Content is handed out as it comes. Only what could be the beginning of a delimiter is held back, so
memory stays at one buffer whatever the size of a part.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from werkzeug.http import parse_options_header

#: Headers of one part in bytes: RFC 7578 knows three short ones.
MAX_HEADERS = 8 * 1024

#: Longest boundary; RFC 2046 allows 70 characters.
_MAX_BOUNDARY = 200


class MalformedForm(Exception):
    """The bytes are not a multipart form."""


class FormTooLarge(Exception):
    """The form has more parts, or a part longer headers, than allowed."""


@dataclass(frozen=True)
class Part:
    """The head of a part: a field, or a file when it has a file name (which may be empty)."""

    name: str
    filename: str | None


class _End(Enum):
    PART = auto()


#: Follows the last bytes of a part.
PART_END = _End.PART

Event = Part | bytes | _End


class _State(Enum):
    START = auto()
    AFTER_DELIMITER = auto()
    HEADERS = auto()
    CONTENT_START = auto()
    CONTENT = auto()
    END = auto()


class FormDecoder:
    """Decodes one form.

    :param boundary: from the request's Content-Type.
    :param max_parts: how many parts it may have.
    :raises MalformedForm: for a boundary that cannot be one.
    """

    def __init__(self, boundary: str, *, max_parts: int) -> None:
        if not 0 < len(boundary) <= _MAX_BOUNDARY or "\r" in boundary or "\n" in boundary:
            raise MalformedForm("the boundary must have 1 to 70 characters")
        self._delimiter = b"\r\n--" + boundary.encode()
        self._buffer = b""
        self._state = _State.START
        self._parts_left = max_parts
        self._steps = {
            _State.START: self._start,
            _State.AFTER_DELIMITER: self._after_delimiter,
            _State.HEADERS: self._headers,
            _State.CONTENT_START: self._content_start,
            _State.CONTENT: self._content,
        }

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take in the next bytes; yield what they complete. Exhaust it before the next call.

        :raises MalformedForm, FormTooLarge:
        """
        if self._state is _State.END:
            return
        self._buffer = self._buffer + data if self._buffer else data
        before = None
        while self._state in self._steps and before != (self._state, len(self._buffer)):
            before = self._state, len(self._buffer)
            yield from self._steps[self._state]()

    def close(self) -> None:
        """Say that no bytes follow.

        :raises MalformedForm: when the last delimiter has not come.
        """
        if self._state is not _State.END:
            raise MalformedForm("it ends before its last delimiter")

    def _start(self) -> Iterator[Event]:
        if not self._buffer.startswith(b"\r"[: len(self._buffer)]):
            self._buffer = b"\r\n" + self._buffer
        if self._take_delimiter():
            self._state = _State.AFTER_DELIMITER
        elif not self._delimiter.startswith(self._buffer):
            raise MalformedForm("it does not begin with the boundary")
        yield from ()

    def _after_delimiter(self) -> Iterator[Event]:
        """Read the rest of a delimiter's line: two hyphens end the form."""
        if self._buffer.startswith(b"--"):
            self._state, self._buffer = _State.END, b""
            return
        padding = len(self._buffer) - len(self._buffer.lstrip(b" \t"))
        if padding > MAX_HEADERS:
            raise FormTooLarge("a line of the form is too long")
        if self._buffer[padding : padding + 2] == b"\r\n":
            # The line break stays: with no headers at all it is the first half of the blank line.
            self._buffer = self._buffer[padding:]
            self._state = _State.HEADERS
        elif len(self._buffer) >= padding + 2:
            raise MalformedForm("unexpected bytes after a boundary")
        yield from ()

    def _headers(self) -> Iterator[Event]:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEADERS or (end < 0 and len(self._buffer) > MAX_HEADERS):
            raise FormTooLarge("the headers of a part are too long")
        if end < 0:
            return
        if self._parts_left == 0:
            raise FormTooLarge("the form has too many parts")
        self._parts_left -= 1
        head, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        self._state = _State.CONTENT_START
        yield _parse_head(head)

    def _content_start(self) -> Iterator[Event]:
        """Tell the blank line after the headers from a delimiter that shares it."""
        if self._take_delimiter():
            self._state = _State.AFTER_DELIMITER
            yield PART_END
        elif not self._delimiter.startswith(self._buffer):
            self._state, self._buffer = _State.CONTENT, self._buffer[2:]

    def _content(self) -> Iterator[Event]:
        buffer, delimiter = self._buffer, self._delimiter
        end = buffer.find(delimiter)
        if end >= 0:
            self._state, self._buffer = _State.AFTER_DELIMITER, buffer[end + len(delimiter) :]
            if end:
                yield buffer[:end]
            yield PART_END
            return
        # Only the last CR can begin a delimiter: there is no second one in it.
        held = buffer.rfind(b"\r", max(0, len(buffer) - len(delimiter) + 1))
        if held < 0 or not delimiter.startswith(buffer[held:]):
            held = len(buffer)
        self._buffer = buffer[held:]
        if held:
            yield buffer[:held] if self._buffer else buffer

    def _take_delimiter(self) -> bool:
        if not self._buffer.startswith(self._delimiter):
            return False
        self._buffer = self._buffer[len(self._delimiter) :]
        return True


@functools.lru_cache(maxsize=256)
def _parse_head(head: bytes) -> Part:
    """Read a part's headers; only Content-Disposition says anything to us.

    Remembered, since those of an upload's chunks are all the same.
    """
    for line in head.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon and line:
            raise MalformedForm("a part has a header without a colon")
        if name.strip().lower() == "content-disposition":
            return _parse_disposition(value.strip())
    raise MalformedForm("a part has no Content-Disposition")


def _parse_disposition(value: str) -> Part:
    kind, options = parse_options_header(value)
    if kind != "form-data":
        raise MalformedForm("Content-Disposition of a part must be form-data (RFC 7578 4.2)")
    return Part(options.get("name", ""), options.get("filename"))
