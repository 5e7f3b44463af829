"""tus 1.0 as a client speaks it, over Flask's test client."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.forms import send

VERSION = "1.0.0"
BODY_TYPE = "application/offset+octet-stream"


class Tus:
    """A client of tus.

    :param prefix: where the service is mounted.
    """

    def __init__(self, client: FlaskClient, prefix: str = "/uploads") -> None:
        self.client = client
        self.url = f"{prefix}/tus/"

    def request(
        self, verb: str, url: str, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> TestResponse:
        """Send a request of this version; a header of None leaves it out."""
        given: dict[str, Any] = {"Tus-Resumable": VERSION, **(headers or {})}
        kept = {name: value for name, value in given.items() if value is not None}
        return self.client.open(url, method=verb, headers=kept, data=data)

    def create(
        self,
        length: int | None = None,
        headers: dict[str, Any] | None = None,
        data: bytes | None = None,
        **metadata: str | bytes,
    ) -> TestResponse:
        """Create an upload; without ``length``, deferring it."""
        sent = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        if metadata:
            sent["Upload-Metadata"] = encoded(**metadata)
        if data is not None:
            sent["Content-Type"] = BODY_TYPE
        return self.request("POST", self.url, {**sent, **(headers or {})}, data)

    def created(self, length: int | None = None, **more: Any) -> str:
        """Create an upload; return its URL."""
        response = self.create(length, **more)
        assert response.status_code == 201, response.text
        return response.headers["Location"]

    def patch(
        self, url: str, data: bytes, offset: int, headers: dict[str, Any] | None = None
    ) -> TestResponse:
        """Append bytes."""
        sent = {"Content-Type": BODY_TYPE, "Upload-Offset": str(offset), **(headers or {})}
        return self.request("PATCH", url, sent, data)

    def cut(self, url: str, data: bytes, offset: int, declared: int) -> TestResponse:
        """Append bytes by a request that breaks off after them."""
        return send(
            self.client,
            "PATCH",
            url,
            data,
            length=str(declared),
            CONTENT_TYPE=BODY_TYPE,
            HTTP_TUS_RESUMABLE=VERSION,
            HTTP_UPLOAD_OFFSET=str(offset),
        )

    def head(self, url: str, **headers: Any) -> TestResponse:
        """Ask where an upload stands."""
        return self.request("HEAD", url, headers)

    def offset(self, url: str) -> int:
        """Return an upload's offset."""
        return int(self.head(url).headers["Upload-Offset"])

    def delete(self, url: str) -> TestResponse:
        """End an upload."""
        return self.request("DELETE", url)

    def upload(self, data: bytes, *, step: int | None = None, **metadata: str) -> str:
        """Upload a file in requests of ``step`` bytes; return its URL."""
        url = self.created(len(data), **metadata)
        step = step or max(len(data), 1)
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            assert self.patch(url, piece, start).status_code == 204
        return url


def encoded(**metadata: str | bytes) -> str:
    """Return a value of Upload-Metadata."""
    raw = {k: v.encode() if isinstance(v, str) else v for k, v in metadata.items()}
    return ",".join(f"{key} {b64encode(value).decode()}" for key, value in raw.items())


def id_of(url: str) -> str:
    """Return the id of the upload at a URL."""
    return url.rpartition("/")[2]
