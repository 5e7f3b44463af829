"""Uploads through an app's test client, for tests of apps. They need no pytest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any, BinaryIO

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class UploadRefused(AssertionError):
    """The app refused a request of an upload.

    :param response: its answer.
    """

    def __init__(self, response: TestResponse) -> None:
        request = response.request
        super().__init__(f"{request.method} {request.path}: {response.status}: {response.text}")
        self.response = response


def upload_file(
    client: FlaskClient,
    url: str,
    data: bytes | BinaryIO,
    *,
    filename: str = "test.bin",
    chunk_size: int = 1024 * 1024,
    complete: bool = True,
    fields: Mapping[str, str] | None = None,
    field_name: str = "file",
    checksum: str = "md5",
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Upload a file in chunks, as a browser's script does.

    :param url: the upload set's, as ``/uploads/``.
    :param data: the file: bytes, or an open file.
    :param chunk_size: bytes of one chunk.
    :param complete: False leaves the upload unfinished, although all of its bytes are there.
    :param fields: other form fields; they come with every chunk, before it.
    :param field_name: the form field of the chunk.
    :param checksum: what completes the upload: ``md5`` or ``sha256``.
    :param headers: headers of every request, as ``Authorization``.
    :return: the completed upload's state; without ``complete``, the answer to the last chunk.
    :raises UploadRefused: when a request is not answered with 200; its ``response`` says why.
    """
    content = data if isinstance(data, bytes) else data.read()
    base = url.rstrip("/")
    known: dict[str, str] = {}
    answer: dict[str, Any] = {}
    for start in range(0, max(len(content), 1), chunk_size):
        chunk = content[start : start + chunk_size]
        form = {**(fields or {}), **known, field_name: (io.BytesIO(chunk), filename)}
        sent = dict(headers or {})
        if content:  # a range cannot say that a file is empty
            sent["Content-Range"] = f"bytes {start}-{start + len(chunk) - 1}/{len(content)}"
        answer = _answer(client.post(f"{base}/", data=form, headers=sent))
        known = {"upload_id": answer["upload_id"]}
    if not complete:
        return answer
    digest = hashlib.new(checksum, content, usedforsecurity=False).hexdigest()
    return _answer(
        client.post(f"{base}/complete", data={**known, checksum: digest}, headers=headers)
    )


def _answer(response: TestResponse) -> dict[str, Any]:
    with response:
        if response.status_code != 200:
            raise UploadRefused(response)
        answer: dict[str, Any] = response.get_json()
    return answer
