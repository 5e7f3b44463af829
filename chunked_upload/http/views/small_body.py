"""The fields of a request that brings no file: a form or a JSON object."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from chunked_upload.http.errors import BadRequest, LimitExceeded, UnsupportedBody

from ..wire.body import Body
from ..wire.fields import add_field, decisive_fields
from ..wire.parameters import media_type
from ..wire.small_form import parse_form
from .base import ChunkedUploadBaseView

#: Short fields; JSON around them may be padded.
_MAX_BODY = 64 * 1024

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "")


def read_fields(view: ChunkedUploadBaseView, *, expected: str) -> dict[str, Any]:
    """Return the fields of the current request's body, and pass them to the view.

    :param expected: names of the fields, for the message about JSON that is no object.
    :raises UnsupportedBody: for another type of body.
    :raises BadRequest, LimitExceeded: for one that cannot be read.
    """
    mimetype = media_type(request.environ)
    if mimetype in _FORMS:
        return _form_fields(view)
    if mimetype == "application/json" or mimetype.endswith("+json"):
        return _json_fields(view, expected)
    raise UnsupportedBody(f"{mimetype} is not supported; send a form or JSON")


def _form_fields(view: ChunkedUploadBaseView) -> dict[str, Any]:
    if "form" in request.__dict__:
        given = list(request.form.items(multi=True))
    else:
        given = parse_form(request.environ.get("CONTENT_TYPE", ""), _body())
    fields: dict[str, str] = {}
    for name, value in given:
        add_field(fields, name, value, decisive=decisive_fields())
    view.take_fields(fields)
    return fields


def _json_fields(view: ChunkedUploadBaseView, expected: str) -> dict[str, Any]:
    try:
        given = json.loads(_body(), object_pairs_hook=_json_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON") from error
    if not isinstance(given, dict):
        raise BadRequest(f"The JSON body must be an object with {expected}")
    view.take_fields({k: v for k, v in given.items() if isinstance(v, str)})
    return given


def _body() -> bytes:
    body = Body(request.environ).read_all(_MAX_BODY)
    if body is None:
        raise LimitExceeded(f"Request exceeds the limit ({_MAX_BODY} bytes)")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; the rule for repeated fields is the same as for a form."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        add_field(fields, name, value, decisive=decisive_fields())
    return fields
