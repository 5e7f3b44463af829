"""Runs an app's checks: what they see, and what they may return and raise.

A check refuses by raising :class:`~chunked_upload.ChunkedUploadError`, by ``abort()``, or by
returning ``"PNG only!", 400`` as a Flask view does. A redirect that it returns is the answer. It
accepts by returning None. Any other value is a mistake and stores no byte, since a check must not
fail open; a client would take an answer of 200 for a stored chunk.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import Request, Response, current_app
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from chunked_upload.errors import ChunkedUploadError


@dataclass(frozen=True)
class UploadToBe:
    """The upload that a request is about to start or continue, as its client describes it.

    For a later chunk, name, length and metadata are those of the upload, and the media type is
    that of the chunk alone.

    :param filename: the client's name for the file, cleaned.
    :param length: the file's length in bytes; None when the request does not say.
    :param metadata: the form fields that are kept with the upload and came before the file.
    :param content_type: the file part's media type according to the client; empty if not sent.
    :param upload_id: the upload's id; None for a new one.
    """

    filename: str
    length: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    upload_id: str | None = None


def run_checks(checks: Iterable[Callable[..., Any]], request: Request, upload: Any) -> None:
    """Call each check with the request and, when it takes a second argument, the upload.

    :param upload: an :class:`UploadToBe`, or the record of an upload that is to be completed.
    :raises ChunkedUploadError: when a check refuses.
    :raises HTTPException: when a check answers with a redirect.
    :raises TypeError: when a check returns a value that cannot be a refusal.
    """
    for check in checks:
        returned = check(request, upload) if _takes_upload(check) else check(request)
        if returned is not None:
            raise _refusal(check, returned)


def error_of(error: HTTPException) -> ChunkedUploadError:
    """Return an exception of ``abort()`` or Werkzeug as an error of the contract.

    :raises HTTPException: the given exception, if it is a redirect or another answer that is no
        refusal.
    """
    if error.response is not None:
        response = current_app.make_response(error.response)
        if response.status_code < 400:
            raise error
        return _from_response(response)
    if error.code is None or error.code < 400:
        raise error
    refusal = ChunkedUploadError(error.code, detail=error.description or error.name)
    # The answer's own type and length follow from its body.
    extra = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    refusal.headers.update(extra)
    return refusal


@lru_cache(maxsize=256)
def _takes_upload(check: Callable[..., Any]) -> bool:
    """Return whether a check can be called with two arguments."""
    try:
        inspect.signature(check).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def _refusal(check: Callable[..., Any], returned: Any) -> Exception:
    name = getattr(check, "__qualname__", repr(check))
    problem = TypeError(
        f"{name} returned {returned!r}; a check returns None, or a refusal such as"
        " ('PNG only!', 400) or a redirect, or raises ChunkedUploadError"
    )
    if not isinstance(returned, (BaseResponse, tuple)):
        return problem
    response = current_app.make_response(returned)
    if 300 <= response.status_code < 400:
        return HTTPException(response=response)
    return problem if response.status_code < 400 else _from_response(response)


def _from_response(response: Response) -> ChunkedUploadError:
    said = response.get_json(silent=True)
    if isinstance(said, dict) and "detail" in said:
        return ChunkedUploadError(response.status_code, **said)
    detail = response.get_data(as_text=True).strip() or response.status
    return ChunkedUploadError(response.status_code, detail=detail)
