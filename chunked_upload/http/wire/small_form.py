"""A form without files that fits into memory, as fields."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from chunked_upload.http.errors import BadRequest, LimitExceeded

from .multipart import PART_END, FormDecoder, FormTooLarge, MalformedForm, Part
from .parameters import parse_header

#: Fields that such a form may have.
_MAX_FIELDS = 100


def parse_form(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return a form's fields in the order in which they were sent, without its files.

    :param content_type: the request's; anything but a multipart form's is read as urlencoded.
    :raises BadRequest: for a form that is malformed or cut short.
    :raises LimitExceeded: for one with too many fields.
    """
    kind, parameters = parse_header(content_type)
    try:
        if kind == "multipart/form-data":
            return list(_multipart(body, parameters.get("boundary", "")))
        return parse_qsl(
            body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except (FormTooLarge, ValueError) as error:
        raise LimitExceeded(f"The form has more than {_MAX_FIELDS} fields") from error
    except MalformedForm as error:
        raise BadRequest(f"The form is malformed or cut short: {error}") from error


def _multipart(body: bytes, boundary: str) -> Iterator[tuple[str, str]]:
    decoder = FormDecoder(boundary, max_parts=_MAX_FIELDS)
    part, value = Part("", None), b""
    for event in decoder.feed(body):
        if isinstance(event, Part):
            part, value = event, b""
        elif event is PART_END:
            if part.filename is None:
                yield part.name, value.decode(errors="replace")
        elif isinstance(event, bytes):
            value += event
    decoder.close()
