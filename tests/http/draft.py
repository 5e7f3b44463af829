"""The IETF draft as its clients speak it, over Flask's test client."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.expiry import expire

PARTIAL = "application/partial-upload"
DATA = b"hello world"
PROBLEMS = "https://iana.org/assignments/http-problem-types#"
MISMATCH = f"{PROBLEMS}mismatching-upload-offset"
INCONSISTENT = f"{PROBLEMS}inconsistent-upload-length"


def create(
    client: FlaskClient,
    data: bytes = b"",
    *,
    complete: str | None = "?0",
    length: int | str | None = None,
    path: str = "/uploads/",
    method: str = "POST",
    headers: dict[str, str] | None = None,
    **options: Any,
) -> TestResponse:
    """Create an upload."""
    return client.open(
        path, method=method, data=data, headers=head(complete, length, headers), **options
    )


def append(
    client: FlaskClient,
    url: str,
    data: bytes = b"",
    *,
    offset: int | str | None = 0,
    complete: str | None = "?0",
    length: int | str | None = None,
    kind: str | None = PARTIAL,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> TestResponse:
    """Append bytes to an upload."""
    sent = head(complete, length, headers)
    if offset is not None:
        sent["Upload-Offset"] = str(offset)
    return client.patch(url, data=data, headers=sent, content_type=kind, **options)


def head(
    complete: str | None, length: int | str | None, headers: dict[str, str] | None
) -> dict[str, str]:
    """Return the headers of a creation or an append."""
    sent = dict(headers or {})
    if complete is not None:
        sent["Upload-Complete"] = complete
    if length is not None:
        sent["Upload-Length"] = str(length)
    return sent


def begun(client: FlaskClient, data: bytes = b"", **options: Any) -> str:
    """Create an upload that is not complete; returns its URL."""
    response = create(client, data, **options)
    assert response.status_code == 201, response.text
    assert response.headers["Upload-Offset"] == str(len(data))
    return response.headers["Location"]


def id_of(url: str) -> str:
    """Return the upload's id in its URL."""
    return url.rpartition("/")[2]


def told(response: TestResponse) -> tuple[int, str | None, str | None, str | None]:
    """Return an answer's status and state: offset, completeness, length."""
    names = ("Upload-Offset", "Upload-Complete", "Upload-Length")
    offset, complete, length = (response.headers.get(name) for name in names)
    return response.status_code, offset, complete, length


def problem(response: TestResponse, status: int, kind: str = "about:blank", **members: Any) -> Any:
    """Check a refusal: problem details (RFC 9457) with the contract's fields; returns its JSON."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    content = json.loads(response.text)
    assert (content["type"], content["status"]) == (kind, status)
    assert content["title"]
    assert content["detail"] == content["error"]
    for name, value in members.items():
        assert content[name.replace("_", "-")] == value
    return content


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    """Return a digest field of data (RFC 9530)."""
    value = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{base64.b64encode(value).decode()}:"


def cut(data: bytes, declared: int) -> dict[str, Any]:
    """Return options of a request whose connection ends before all declared bytes came."""
    return {"data": data, "environ_overrides": {"CONTENT_LENGTH": str(declared)}}


def chunked(data: bytes, server: str = "gunicorn/27") -> dict[str, Any]:
    """Return options of a request without Content-Length."""
    return {
        "input_stream": io.BytesIO(data),
        "environ_overrides": {
            "CONTENT_LENGTH": "",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": server,
        },
    }


def expired(app: Flask, url: str) -> str:
    """Have an upload expire; returns its URL."""
    expire(app, id_of(url))
    return url
