"""Requests byte by byte: multipart bodies as written, WSGI environments as servers make them."""

from __future__ import annotations

import io
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def field(name: str, value: str | bytes) -> bytes:
    """Return one form field as a part."""
    data = value if isinstance(value, bytes) else value.encode()
    return part(f'form-data; name="{name}"', data)


def file(data: bytes, name: str | bytes = "file.bin", *, field_name: str = "file") -> bytes:
    """Return a file part."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    head = f'form-data; name="{field_name}"; filename="'.encode() + raw + b'"'
    return part(head, data, b"Content-Type: application/octet-stream\r\n")


def part(disposition: str | bytes, data: bytes, more: bytes = b"") -> bytes:
    """Return a part with any Content-Disposition and more header lines."""
    raw = disposition if isinstance(disposition, bytes) else disposition.encode()
    return b"Content-Disposition: " + raw + b"\r\n" + more + b"\r\n" + data


def form(*parts: bytes, boundary: str = BOUNDARY, end: bytes = b"--\r\n") -> bytes:
    """Join parts into a body."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + one + b"\r\n" for one in parts) + delimiter + end


def content_range(start: int, data: bytes, total: int) -> str:
    """Return the Content-Range of data at ``start``."""
    return f"bytes {start}-{start + len(data) - 1}/{total}"


def post_form(
    client: FlaskClient,
    *parts: bytes,
    span: str | None = None,
    path: str = "/uploads/",
    method: str = "POST",
) -> TestResponse:
    """Send a form of the given parts."""
    headers = {} if span is None else {"Content-Range": span}
    return client.open(path, method=method, data=form(*parts), content_type=FORM, headers=headers)


def send(
    client: FlaskClient,
    method: str,
    path: str,
    body: bytes | io.RawIOBase = b"",
    *,
    length: str | None = None,
    headers: dict[str, str] | None = None,
    chunked: bool = False,
    **environ: Any,
) -> TestResponse:
    """Send a request with the WSGI environment of a server, not of a well-behaved client.

    :param length: CONTENT_LENGTH; by default the body's, none when chunked.
    :param chunked: as servers that decode chunked bodies present them.
    """
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    declared = "" if chunked or not isinstance(body, bytes) else str(len(body))
    overrides: dict[str, Any] = {
        "wsgi.input": stream,
        "CONTENT_LENGTH": declared if length is None else length,
        **environ,
    }
    if chunked:
        overrides |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return client.open(path, method=method, headers=headers, environ_overrides=overrides)


class Unreadable(io.RawIOBase):
    """A body that must not be touched."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")

    def readinto(self, buffer: Any) -> int:
        raise AssertionError("the body was read")
