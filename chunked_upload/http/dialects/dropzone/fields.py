"""Reads and checks what Dropzone (5.9, 6) says about a chunk, without the engine.

Dropzone cuts a file into ``dztotalchunkcount`` chunks of ``dzchunksize`` bytes; the last one has
the rest. With each chunk it sends five numbers and the file's ``dzuuid``. One number may be wrong:
``dztotalfilesize`` is the size of the file that the user picked, even if ``transformFile`` changes
the bytes (it may shrink an image). Then only the last chunk tells the length: the file ends where
that chunk ends. So the announced size counts as the file's length only while it agrees with the
number of chunks, and only until the last chunk has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Request
from marshmallow import ValidationError

from chunked_upload.checksum.registry import names
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.schemas import RequestSchema, WholeNumber, problems
from chunked_upload.http.wire.incoming import Incoming

_UUID = "dzuuid"

#: The numbers that are the same in all chunks of a file.
LAYOUT = ("dztotalfilesize", "dztotalchunkcount", "dzchunksize")
_NUMBERS = ("dzchunkindex", "dzchunkbyteoffset", *LAYOUT)


class NumbersSchema(RequestSchema):
    """The five numbers of a chunk."""

    dzchunkindex = WholeNumber()
    dzchunkbyteoffset = WholeNumber()
    dztotalfilesize = WholeNumber()
    dztotalchunkcount = WholeNumber()
    dzchunksize = WholeNumber()


_schema = NumbersSchema()

#: The form fields of a chunk, the same in the query or the headers of a raw body.
FIELDS = frozenset({_UUID, *_NUMBERS})

_MAX_UUID = 200
_LIMIT = 2**63


@dataclass(frozen=True)
class DropzoneChunk:
    """Where a chunk belongs.

    :param uuid: the client's name for the file; unique only for this client.
    :param start: first byte of the chunk.
    :param stop: its end, exclusive; an upper bound for the last chunk, None when unknown.
    :param last: whether the file ends where the chunk ends.
    :param length: the file's announced length; None when it cannot be right.
    :param layout: the three numbers that all chunks of a file must agree about; empty for a file
        that is sent whole.
    """

    uuid: str
    start: int
    stop: int | None
    last: bool
    length: int | None
    layout: Mapping[str, int]

    @property
    def size(self) -> int | None:
        """Bytes of the chunk; None for the last chunk, whose size is known only at its end."""
        return None if self.last or self.stop is None else self.stop - self.start

    @property
    def largest_size(self) -> int:
        """Bytes of the file's largest chunk, if known."""
        if self.layout.get("dztotalchunkcount", 1) > 1:
            return self.layout["dzchunksize"]
        return self.length or 0

    @property
    def may_be_empty(self) -> bool:
        """Whether the chunk may be empty, because the file may be."""
        return self.start == 0 and not self.length

    @property
    def least_length(self) -> int:
        """Bytes that the file has at least."""
        if not self.layout:
            return 0
        before_last = (self.layout["dztotalchunkcount"] - 1) * self.layout["dzchunksize"]
        return self.length or (before_last and before_last + 1)

    @property
    def most_length(self) -> int | None:
        """Bytes that the file can have at most, None when unknown."""
        if not self.layout:
            return None
        return self.length or self.layout["dztotalchunkcount"] * self.layout["dzchunksize"]


def read_uuid(value: str | None) -> str:
    """Check a ``dzuuid``.

    :raises BadRequest:
    """
    if not value or len(value) > _MAX_UUID:
        raise BadRequest(f"'{_UUID}' is required, with 1 to {_MAX_UUID} characters")
    return value


def said_by(request: Request, incoming: Incoming) -> Mapping[str, str]:
    """Return the fields before the file; for a raw body, those in the query and the headers."""
    if not incoming.raw:
        return incoming.fields
    own = FIELDS | names()
    return {name: request.headers[name] for name in own if name in request.headers} | {
        name: request.args[name] for name in own if name in request.args
    }


def read_chunk(values: Mapping[str, str]) -> DropzoneChunk:
    """Return the chunk that the fields describe.

    With ``dzuuid`` alone, it is a file smaller than one chunk, sent whole.

    :raises BadRequest: when fields are missing, are no numbers, or contradict each other.
    """
    uuid = read_uuid(values.get(_UUID))
    if FIELDS & values.keys() == {_UUID}:
        return DropzoneChunk(uuid, start=0, stop=None, last=True, length=None, layout={})
    missing = [name for name in _NUMBERS if name not in values]
    if missing:
        raise BadRequest(f"Dropzone's fields come together; {_listed(missing)} missing")
    try:
        numbers: dict[str, int] = _schema.load({name: values[name] for name in _NUMBERS})
    except ValidationError as error:
        raise BadRequest(problems(error)) from error
    return _check(uuid, *(numbers[name] for name in _NUMBERS))


def _check(uuid: str, index: int, start: int, total: int, count: int, size: int) -> DropzoneChunk:
    if count < 1 or size < 1:
        raise BadRequest("'dztotalchunkcount' and 'dzchunksize' must be at least 1")
    if count * size >= _LIMIT:
        raise BadRequest("'dztotalchunkcount' times 'dzchunksize' must be below 2^63")
    if index >= count:
        raise BadRequest(f"'dzchunkindex' is {index}, but there are {count} chunks, from 0 on")
    if start != index * size:
        raise BadRequest(
            f"'dzchunkbyteoffset' is {start}, but chunk {index} of {size} bytes each begins at"
            f" {index * size}"
        )
    return DropzoneChunk(
        uuid,
        start=start,
        stop=start + size,
        last=index == count - 1,
        length=total if total and _agree(total, count, size) else None,
        layout=dict(zip(LAYOUT, (total, count, size), strict=True)),
    )


def _agree(total: int, count: int, size: int) -> bool:
    return (count - 1) * size < total <= count * size


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names) + (" is" if len(names) == 1 else " are")
