"""The protocol as a client speaks it, over Flask's test client; and what the server stored."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse


class Protocol:
    """Requests of the django-chunked-upload protocol.

    :param prefix: where the service is mounted.
    """

    def __init__(self, client: FlaskClient, prefix: str = "/uploads") -> None:
        self.client = client
        self.prefix = prefix

    def chunk(
        self,
        data: bytes,
        start: int | None = None,
        total: int | None = None,
        *,
        upload_id: str | None = None,
        filename: str = "file.bin",
        field: str = "file",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> TestResponse:
        """Post a chunk as a form; without ``start``, without Content-Range."""
        sent = dict(headers or {})
        if start is not None:
            size = start + len(data) if total is None else total
            sent["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{size}"
        form: dict[str, Any] = {**fields, field: (io.BytesIO(data), filename)}
        if upload_id is not None:
            form = {"upload_id": upload_id, **form}
        return self.client.post(f"{self.prefix}/", data=form, headers=sent)

    def put(self, upload_id: str, data: bytes, start: int, total: int) -> TestResponse:
        """Put a raw chunk of a known upload."""
        content_range = f"bytes {start}-{start + len(data) - 1}/{total}"
        return self.client.put(
            f"{self.prefix}/{upload_id}", data=data, headers={"Content-Range": content_range}
        )

    def complete(self, upload_id: str, data_or_md5: bytes | str) -> TestResponse:
        """Post a completion with an MD5, or with the MD5 of data."""
        md5 = data_or_md5 if isinstance(data_or_md5, str) else md5_of(data_or_md5)
        return self.client.post(
            f"{self.prefix}/complete", data={"upload_id": upload_id, "md5": md5}
        )

    def upload(self, data: bytes, *, filename: str = "file.bin", **fields: Any) -> str:
        """Upload data whole, not completed; returns the upload's id."""
        response = self.chunk(data, filename=filename, **fields)
        assert response.status_code == 200, response.text
        return str(response.json["upload_id"])  # type: ignore[index]

    def completed(self, data: bytes, *, filename: str = "file.bin", **fields: Any) -> str:
        """Upload data and complete it; returns the upload's id."""
        upload_id = self.upload(data, filename=filename, **fields)
        response = self.complete(upload_id, data)
        assert response.status_code == 200, response.text
        return upload_id

    def state(self, upload_id: str) -> TestResponse:
        """Get where an upload stands."""
        return self.client.get(f"{self.prefix}/{upload_id}")


def md5_of(data: bytes) -> str:
    """Return the MD5 of data, in hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def records(app: Flask, name: str = "chunked_upload") -> list[Any]:
    """Return all records of an upload set's model, those marked for removal included."""
    upload_set = app.extensions["chunked_upload"][name]
    with app.app_context():
        found: list[Any] = upload_set.engine.records.all(
            select(upload_set.model).order_by(upload_set.model.id)
        )
        return found


def files(app: Flask) -> list[str]:
    """Return every file below the app's storage root, as paths relative to it, sorted."""
    root = Path(app.instance_path) / "uploads"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def nothing_left(app: Flask) -> bool:
    """Whether the app holds no record and no file."""
    return not records(app) and not files(app)
