"""multipart/form-data (RFC 7578) as a decoder without I/O: bytes in, parts and their bytes out.

Written here because both libraries fell short on bytes: ``multipart`` does not take an empty part
whose blank line is also the delimiter's line break (RFC 2046 5.1.1 allows it, Werkzeug's client
sends it), and Werkzeug's decoder can add a byte to a part when the network splits the delimiter in
an unlucky place. The tests feed every form in arbitrary pieces.

The grammar, strictly: delimiters are CRLF, two hyphens, the boundary; the CRLF of the first may be
left out where nothing comes before it. What does (a preamble) and what follows the last one (an
epilogue) is ignored (RFC 2046 5.1.1)::

    START (-> PREAMBLE) -> HEADERS -> CONTENT -> HEADERS ... -> END

Content is handed out as it comes. Only what could be the beginning of a delimiter is held back, so
memory stays at one buffer whatever the size of a part.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from .parameters import filename_in, parse_header, unescape_form_name

#: Headers of one part in bytes: RFC 7578 knows three short ones.
MAX_HEADERS = 8 * 1024

#: What may come before the first delimiter, in bytes: "This is a multipart message" and the like.
MAX_PREAMBLE = 8 * 1024

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
    #: The media type that the part names, without parameters; empty for none.
    content_type: str = ""


class _End(Enum):
    PART = auto()


#: Follows the last bytes of a part.
PART_END = _End.PART

Event = Part | bytes | _End

#: Functions, not bound methods, which would make a cycle that keeps buffers.
_Step = Callable[["FormDecoder"], Event | None]


class FormDecoder:
    """Decodes one form.

    :param boundary: from the request's Content-Type.
    :param max_parts: how many parts it may have.
    :raises MalformedForm: for a boundary that cannot be one.
    """

    def __init__(self, boundary: str, *, max_parts: int) -> None:
        if not 0 < len(boundary) <= _MAX_BOUNDARY or "\r" in boundary or "\n" in boundary:
            raise MalformedForm("the boundary must have 1 to 70 characters")
        try:
            self._delimiter = b"\r\n--" + boundary.encode("latin-1")  # as WSGI has decoded it
        except UnicodeEncodeError as error:
            raise MalformedForm("the boundary must be of ASCII characters") from error
        self._buffer = b""
        #: How much of the buffer has been dealt with; to cut it off each time would copy the rest.
        self._at = 0
        #: What comes next in the grammar; None after its end.
        self._step: _Step | None = FormDecoder._start
        self._parts_left = max_parts
        #: Bytes skipped before the first delimiter.
        self._skipped = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take in the next bytes; yield what they complete. Exhaust it before the next call.

        :raises MalformedForm, FormTooLarge:
        """
        self._buffer = self._buffer + data if self._buffer else data
        step = self._step
        while step is not None:
            at = self._at
            event = step(self)
            if event is not None:
                yield event
            elif self._step is step and self._at == at:
                break
            step = self._step
        self._buffer = b"" if step is None else self._buffer[self._at :]
        self._at = 0

    def close(self) -> None:
        """Say that no bytes follow.

        :raises MalformedForm: when the last delimiter has not come.
        """
        if self._step in (FormDecoder._start, FormDecoder._skip_preamble):
            raise MalformedForm("the boundary does not occur in it")
        if self._step is not None:
            raise MalformedForm("it ends before its last delimiter")

    # Each step takes what it can from the buffer, says what comes next, and returns what it found.

    def _start(self) -> None:
        """Tell a first delimiter, which needs no line break before it, from a preamble."""
        first = self._delimiter[2:]
        if self._buffer.startswith(first):
            self._at = len(first)
            self._step = FormDecoder._after_delimiter
        elif not first.startswith(self._buffer):
            self._step = FormDecoder._skip_preamble

    def _skip_preamble(self) -> None:
        buffer, delimiter, at = self._buffer, self._delimiter, self._at
        end = buffer.find(delimiter, at)
        # What could be the beginning of a delimiter stays for the next look.
        self._at = end if end >= 0 else max(at, len(buffer) - len(delimiter) + 1)
        self._skipped += self._at - at
        if self._skipped > MAX_PREAMBLE:
            raise MalformedForm(f"no boundary in its first {MAX_PREAMBLE} bytes")
        if end >= 0:
            self._at += len(delimiter)
            self._step = FormDecoder._after_delimiter

    def _after_delimiter(self) -> None:
        """Read the rest of a delimiter's line: two hyphens end the form."""
        buffer = self._buffer
        if buffer.startswith(b"--", self._at):
            self._step = None
            return
        end = _PADDING.match(buffer, self._at).end()  # type: ignore[union-attr]
        if end - self._at > MAX_HEADERS:
            raise FormTooLarge("a line of the form is too long")
        if buffer.startswith(b"\r\n", end):
            # The line break stays: with no headers at all it is the first half of the blank line.
            self._at = end
            self._step = FormDecoder._headers
        elif len(buffer) >= end + 2:
            raise MalformedForm("unexpected bytes after a boundary")

    def _headers(self) -> Part | None:
        at = self._at
        end = self._buffer.find(b"\r\n\r\n", at, at + MAX_HEADERS + 4)
        if end < 0 and len(self._buffer) - at > MAX_HEADERS + 3:
            raise FormTooLarge("the headers of a part are too long")
        if end < 0:
            return None
        if self._parts_left == 0:
            raise FormTooLarge("the form has too many parts")
        self._parts_left -= 1
        self._at = end + 2
        self._step = FormDecoder._content_start
        return _parse_head(self._buffer[at:end])

    def _content_start(self) -> _End | None:
        """Tell the blank line after the headers from a delimiter that shares it."""
        at, delimiter = self._at, self._delimiter
        begun = self._buffer[at : at + len(delimiter)]
        if begun == delimiter:
            self._at += len(delimiter)
            return self._end_part()
        if not delimiter.startswith(begun):
            self._at += 2
            self._step = FormDecoder._content
        return None

    def _content(self) -> bytes | _End | None:
        at, buffer, delimiter = self._at, self._buffer, self._delimiter
        end = buffer.find(delimiter, at)
        if end >= 0:
            self._at = end + len(delimiter)
            if end == at:
                return self._end_part()
            self._step = FormDecoder._end_part
            return buffer[at:end]
        # Only the last CR can begin a delimiter: there is no second one in it.
        held = buffer.rfind(b"\r", max(at, len(buffer) - len(delimiter) + 1))
        if held < 0 or not delimiter.startswith(buffer[held:]):
            held = len(buffer)
        self._at = held
        return buffer[at:held] or None

    def _end_part(self) -> _End:
        self._step = FormDecoder._after_delimiter
        return PART_END


#: What a delimiter's line may end with (RFC 2046 5.1.1).
_PADDING = re.compile(rb"[ \t]*")

#: Continues a header on the next line (RFC 5322 2.2.3).
_FOLD = re.compile(r"\r\n(?=[ \t])")


@functools.lru_cache(maxsize=256)
def _parse_head(head: bytes) -> Part:
    """Read a part's headers: what it is called, and what it is.

    Remembered, since those of an upload's chunks are all the same.
    """
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", head.decode(errors="replace")).split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon and line:
            raise MalformedForm("a part has a header without a colon")
        headers.setdefault(name.strip().lower(), value.strip())
    if "content-disposition" not in headers:
        raise MalformedForm("a part has no Content-Disposition")
    content_type = parse_header(headers.get("content-type", ""))[0]
    return replace(_parse_disposition(headers["content-disposition"]), content_type=content_type)


def _parse_disposition(value: str) -> Part:
    kind, parameters = parse_header(value)
    if kind != "form-data":
        raise MalformedForm("Content-Disposition of a part must be form-data (RFC 7578 4.2)")
    filename = filename_in(parameters)
    return Part(
        unescape_form_name(parameters.get("name", "")),
        None if filename is None else unescape_form_name(filename),
    )
