"""A chunk as it comes over the wire: some fields, a name, and bytes that are streamed through.

Two forms, one face. :class:`FormChunk` is multipart/form-data (RFC 7578), parsed as it arrives so
that the file part goes straight to its place; :class:`RawChunk` is a body that is nothing but the
bytes. Use::

    chunk = open_incoming(request, limits)   # reads up to the first byte of the file
    chunk.fields, chunk.filename             # what is known by then
    for data in chunk: ...                   # the file's bytes
    chunk.fields                             # with the fields that came after the file
    while chunk.next_file(): ...             # where limits.max_files allows more than one
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote

from flask import Request

from chunked_upload.engine.errors import SizeMismatch
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import (
    BadRequest,
    BadRequestHeaders,
    LimitExceeded,
    NoChunkSubmitted,
    NoFileSelected,
    UnsupportedBody,
)

from .body import BUFFER_SIZE, Body
from .fields import Fields, FormLimits
from .multipart import Event, FormDecoder, FormTooLarge, MalformedForm, Part
from .parameters import filename_in, parse_header
from .read_before import READ_BEFORE

#: Used when a client gives a file no name at all.
UNNAMED = "upload"


class Incoming(Protocol):
    """One chunk on the wire."""

    filename: str
    fields: dict[str, str]
    #: The body's declared length, an upper bound of the chunk's; None when unknown.
    declared: int | None
    #: True when the whole body is the file, without the form around it.
    raw: bool
    #: The form field of the file; empty for a raw body.
    field_name: str
    #: The file's media type as its client says; empty for none.
    content_type: str

    def __iter__(self) -> Iterator[bytes]: ...

    def next_file(self) -> bool:
        """Go on to the request's next file, once the one before has been read; False: no more."""
        ...


def open_incoming(request: Request, limits: FormLimits) -> Incoming:
    """Read the request up to the first byte of its file.

    :raises NoChunkSubmitted: when there is no file in it.
    :raises UnsupportedBody: for a body that is neither a form nor plain bytes.
    """
    mimetype, options = parse_header(request.environ.get("CONTENT_TYPE", ""))
    if mimetype.startswith("multipart/"):
        if mimetype != "multipart/form-data":
            raise UnsupportedBody(f"{mimetype} is not supported; send multipart/form-data")
        if "form" in request.__dict__:
            return ParsedFormChunk(request, limits)
        return FormChunk(Body(request.environ), options.get("boundary", ""), limits)
    if mimetype == "application/x-www-form-urlencoded":
        raise NoChunkSubmitted(
            "a urlencoded form cannot carry a file; send multipart/form-data,"
            " or raw bytes as application/octet-stream"
        )
    return RawChunk(request)


class RawChunk:
    """A body that is the chunk (``curl -T``, jQuery-File-Upload with ``multipart: false``).

    :param name: the file's name, when the URL has it: the body is a whole file then.
    :param checked: the client sends a checksum of the file, which shows that it is whole.
    """

    raw = True
    field_name = ""

    def __init__(self, request: Request, *, name: str = "", checked: bool = False) -> None:
        self.body = Body(request.environ)
        self.fields: dict[str, str] = {}
        self.declared = self.body.length
        self.content_type = request.mimetype
        named = name or header_filename(request) or request.args.get("filename", "")
        self.filename = named or UNNAMED
        ranged = "Content-Range" in request.headers
        if self.body.length == 0 and not (named or ranged or request.mimetype):
            raise NoChunkSubmitted("the request has no body")
        whole = bool(name) and (checked or self.body.tells_truncation)
        self.body.require_end(framed=ranged or whole)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def next_file(self) -> bool:
        return False


class FormChunk:
    """A multipart form, parsed while it arrives."""

    raw = False

    def __init__(self, body: Body, boundary: str, limits: FormLimits) -> None:
        try:
            decoder = FormDecoder(boundary, max_parts=limits.max_parts)
        except MalformedForm as error:
            raise BadRequestHeaders(f"Content-Type: {error}") from error
        body.require_end(framed=True)
        self._collected = Fields(limits)
        self.fields = self._collected.kept
        self.filename = self.field_name = self.content_type = ""
        self.declared = body.length
        self._body = body
        self._limits = limits
        self._events = self._parse(decoder)
        self._files_left = limits.max_files
        self._next: Part | None = None
        self._nothing_chosen = False
        self._read_head()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file part's bytes, then take in what follows it, up to the next file."""
        yield from self._content()
        self._next = self._read_fields()

    def next_file(self) -> bool:
        if self._next is None:
            return False
        self._open(self._next)
        if self._body.length is not None:  # less what has been read, which is a buffer ahead
            self.declared = self._body.length - max(0, self._body.received - BUFFER_SIZE)
        return True

    def _parse(self, decoder: FormDecoder) -> Iterator[Event]:
        """Yield the form's parts and their bytes as the body arrives."""
        try:
            for data in self._body:
                yield from decoder.feed(data)
                del data  # see Body
            decoder.close()
        except FormTooLarge as error:
            raise LimitExceeded(f"The form is too large: {error}") from error
        except MalformedForm as error:
            raise self._broken(str(error)) from error

    def _broken(self, problem: str) -> ChunkedUploadError:
        reason = f"the multipart body is malformed or cut short: {problem}"
        return SizeMismatch(reason) if self.filename else NoChunkSubmitted(reason)

    def _read_head(self) -> None:
        part = self._read_fields()
        if part is None and self._nothing_chosen:
            raise NoFileSelected(self.fields)
        if part is None:
            names = " or ".join(map(repr, self._limits.field_names))
            reason = f"the form has no file part; expected one named {names}"
            raise NoChunkSubmitted(reason, self.fields)
        self._open(part)

    def _open(self, part: Part) -> None:
        self.filename, self.field_name = part.filename or "", part.name
        self.content_type = part.content_type

    def _read_fields(self) -> Part | None:
        """Take in fields up to a file part, which is returned, or to the end of the form."""
        for part in self._events:
            if not isinstance(part, Part):  # pragma: no cover - the decoder's grammar
                raise TypeError("content outside of a part")
            if part.filename is None:
                self._read_field(part.name)
            elif not part.filename:  # a file input in which nothing was chosen
                self._skip_empty()
            elif self._files_left == 0:
                raise too_many_files(self._limits.max_files)
            elif not self._limits.accepts(part.name):
                raise _wrong_field(self._limits)
            else:
                self._files_left -= 1
                return part
        return None

    def _content(self) -> Iterator[bytes]:
        """Yield the bytes of the current part."""
        for event in self._events:
            if not isinstance(event, bytes):
                return
            yield event
            del event  # see Body

    def _read_field(self, name: str) -> None:
        value = bytearray()
        self._collected.count(name, len(name.encode(errors="replace")))
        for data in self._content():
            value += data
            self._collected.count(name, len(data), so_far=len(value))
        self._collected.add(name, value.decode(errors="replace"))

    def _skip_empty(self) -> None:
        self._nothing_chosen = True
        for data in self._content():
            self._collected.count("", len(data))


class ParsedFormChunk:
    """A form that something in the app (a CSRF check, say) has already had Flask parse.

    Its file lies in Flask's temporary file, so it costs a copy; upload set the upload endpoints
    outside of such checks to avoid that.
    """

    raw = False

    def __init__(self, request: Request, limits: FormLimits) -> None:
        parts = [(name, part) for name, part in request.files.items(multi=True) if part.filename]
        self._files = [(name, part) for name, part in parts if limits.accepts(name)]
        if not self._files and request.files:
            raise NoFileSelected(request.form)
        if not self._files:
            reason = f"the form has no file part, or its body was cut short{READ_BEFORE}"
            raise NoChunkSubmitted(reason, request.form)
        if len(parts) > limits.max_files:
            raise too_many_files(limits.max_files)
        if len(self._files) < len(parts):
            raise _wrong_field(limits)
        self.next_file()
        self.declared = request.content_length
        collected = Fields(limits)
        for name, value in request.form.items(multi=True):
            size = len(value.encode(errors="replace"))
            collected.count(name, size + len(name.encode(errors="replace")), so_far=size)
            collected.add(name, value)
        self.fields = collected.kept

    def __iter__(self) -> Iterator[bytes]:
        while data := self._file.stream.read(BUFFER_SIZE):
            yield data

    def next_file(self) -> bool:
        if not self._files:
            return False
        self.field_name, self._file = self._files.pop(0)
        self.filename = self._file.filename or ""
        self.content_type = self._file.mimetype
        return True


def _wrong_field(limits: FormLimits) -> NoChunkSubmitted:
    expected = " or ".join(map(repr, limits.field_names))
    return NoChunkSubmitted(f"the file must be in the form field {expected}")


def too_many_files(limit: int) -> BadRequest:
    """Return the refusal of more files than one request may have."""
    many = "one file" if limit == 1 else f"{limit} files"
    return BadRequest(f"Only {many} can be submitted in one request")


def header_filename(request: Request) -> str:
    """Return the name in Content-Disposition (RFC 6266), or an empty string.

    jQuery-File-Upload percent-encodes it (``encodeURI``) without saying so, and scripts put UTF-8
    there as it is; WSGI hands headers over as Latin-1.
    """
    header = request.headers.get("Content-Disposition", "")
    header = header.encode("latin-1", errors="replace").decode(errors="replace")
    _, parameters = parse_header(header)
    name = filename_in(parameters) or ""
    return name if "filename*" in parameters else unquote(name, errors="replace")
