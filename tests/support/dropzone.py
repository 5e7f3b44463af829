"""Dropzone's requests as Dropzone sends them, over Flask's test client."""

from __future__ import annotations

import io
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

#: What Dropzone 5.9 and 6 send with every request.
HEADERS = {
    "Accept": "application/json",
    "Cache-Control": "no-cache",
    "X-Requested-With": "XMLHttpRequest",
}


@dataclass
class DropzoneFile:
    """A file as Dropzone cuts and sends it.

    :param size: ``chunkSize``.
    :param announced: ``dztotalfilesize``, where ``transformFile`` made other bytes of the file.
    :param params: fields that the page adds (``params``, or appended in ``sending``).
    """

    client: FlaskClient
    data: bytes
    size: int = 5
    name: str = "file.bin"
    announced: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    prefix: str = "/uploads"

    @property
    def count(self) -> int:
        """How many chunks there are; an empty file, which Dropzone never cuts, counts as one."""
        return max(1, math.ceil(len(self.data) / self.size))

    def part(self, index: int) -> bytes:
        """Return the bytes of one chunk."""
        return self.data[index * self.size : (index + 1) * self.size]

    def fields(self, index: int, **others: Any) -> dict[str, str]:
        """Return a chunk's fields; keywords replace them, None leaves one out."""
        total = len(self.data) if self.announced is None else self.announced
        sent = {
            "dzuuid": self.uuid,
            "dzchunkindex": index,
            "dztotalfilesize": total,
            "dzchunksize": self.size,
            "dztotalchunkcount": self.count,
            "dzchunkbyteoffset": index * self.size,
            **self.params,
            **others,
        }
        return {name: str(value) for name, value in sent.items() if value is not None}

    def send(self, index: int, data: bytes | None = None, **others: Any) -> TestResponse:
        """Send one chunk as a form."""
        content = self.part(index) if data is None else data
        form: dict[str, Any] = {**self.fields(index, **others)}
        form["file"] = (io.BytesIO(content), self.name)
        return self.client.post(f"{self.prefix}/", data=form, headers=HEADERS)

    def send_raw(self, index: int, *, where: str = "query", **others: Any) -> TestResponse:
        """Send one chunk as ``binaryBody`` does, its fields in the ``query`` or in ``headers``."""
        given = {**self.fields(index, **others)}
        query = {"filename": self.name, **(given if where == "query" else {})}
        headers = {**HEADERS, **(given if where == "headers" else {})}
        return self.client.post(
            f"{self.prefix}/",
            query_string=query,
            data=self.part(index),
            headers=headers,
            content_type="application/octet-stream",
        )

    def upload(self, order: Sequence[int] | None = None) -> TestResponse:
        """Send all chunks; returns the answer to the last one."""
        answers = [self.send(index) for index in (order or range(self.count))]
        for answer in answers:
            assert answer.status_code == 200, answer.text
        return answers[-1]

    def cancel(self) -> TestResponse:
        """Cancel before an answer has told the upload's id."""
        return self.client.delete(f"{self.prefix}/", query_string={"dzuuid": self.uuid})


def send_whole(client: FlaskClient, *files: tuple[str, bytes, str], **fields: str) -> TestResponse:
    """Send files that are not cut; each is its form field, its bytes and its name."""
    form: dict[str, Any] = dict(fields)
    for name, data, filename in files:
        form.setdefault(name, []).append((io.BytesIO(data), filename))
    return client.post("/uploads/", data=form, headers=HEADERS)
