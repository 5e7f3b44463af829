"""A conformance suite for dialects of the wire.

Every dialect must do the following, whatever its requests look like. Each error has a status and
words. Other dialects see its uploads. Its own form fields are not kept as metadata. A refusal
leaves nothing behind. It does not take requests of other dialects.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError
from chunked_upload.engine import errors
from chunked_upload.http.dialect import Dialect, Recognition, registered

_DATA = bytes(range(256)) * 5


class DialectConformance:
    """Tests of a dialect. Subclass it, set ``dialect``, and define :meth:`send`; pytest runs it."""

    #: The dialect's class.
    dialect: type[Dialect]

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        """Send a whole file as the dialect's clients do, in as many requests as they need.

        :return: the upload's id.
        """
        raise NotImplementedError

    @pytest.fixture
    def upload_options(self) -> dict[str, Any]:
        """Return keywords for ``ChunkedUpload``; override it to add settings."""
        return {}

    @pytest.fixture
    def app(self, tmp_path: Path, upload_options: dict[str, Any]) -> Flask:
        """Make an app that speaks the dialect and all others."""
        app = Flask("conformance", instance_path=str(tmp_path))
        app.config.update(TESTING=True, SECRET_KEY="conformance")
        spoken = {**registered(), self.dialect.name: self.dialect}
        uploads = ChunkedUpload(app, **{"dialects": list(spoken.values()), **upload_options})
        with app.app_context():
            uploads.db.create_all()
        return app

    @pytest.fixture
    def client(self, app: Flask) -> FlaskClient:
        """Return a client of the app."""
        return app.test_client()

    def test_it_says_what_it_is(self) -> None:
        """Its name chooses it, its title names it to people."""
        assert self.dialect.name.isidentifier()
        assert self.dialect.title
        assert self.dialect.recognised_by in Recognition
        assert not isinstance(self.dialect.fields, str)

    @pytest.mark.parametrize(
        "error",
        [
            errors.UploadNotFound(),
            errors.UploadExpired(),
            errors.AlreadyComplete(),
            errors.NotComplete(1),
            errors.OffsetMismatch(1),
            errors.BytesDiffer(1),
            errors.SizeMismatch("too short"),
            errors.TotalMismatch(1),
            errors.FileTooLarge(1),
            errors.ChecksumMismatch(),
            errors.LimitReached("too many"),
            errors.TooManyRequests(limit=1, retry_after=1),
            errors.ServiceUnavailable("busy"),
            errors.StorageFull(),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_every_error_of_the_engine_has_a_status(
        self, app: Flask, error: errors.UploadError
    ) -> None:
        """The client's fault is 4xx, the server's 503 or 507."""
        dialect = self.dialect()
        settings = app.extensions["chunked_upload"]["chunked_upload"].settings
        with app.test_request_context():
            status = dialect.render(settings, dialect.refusal(error)).status_code
        servers = isinstance(error, (errors.ServiceUnavailable, errors.StorageFull))
        assert status in (503, 507) if servers else 400 <= status < 500

    @pytest.mark.parametrize("size", [1, 1000, len(_DATA)])
    def test_other_dialects_see_its_uploads(self, client: FlaskClient, size: int) -> None:
        """``/uploads/<id>`` shows an upload of any dialect, whole."""
        upload_id = self.send(client, _DATA[:size], "photo.jpg")
        state = client.get(f"/uploads/{upload_id}").get_json()
        assert (state["offset"], state["filename"]) == (size, "photo.jpg")

    def test_its_uploads_are_completed_with_their_bytes(self, client: FlaskClient) -> None:
        """A complete request, or the dialect itself, makes it a file with the bytes sent."""
        upload_id = self.send(client, _DATA, "photo.jpg")
        md5 = client.get(f"/uploads/{upload_id}").get_json()["md5"]
        if md5 is None:
            form = {"upload_id": upload_id, "md5": _md5(_DATA)}
            assert client.post("/uploads/complete", data=form).status_code == 200
        assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == _DATA

    def test_its_own_fields_are_not_kept_as_metadata(self, client: FlaskClient) -> None:
        """Metadata is what the page adds."""
        upload_id = self.send(client, _DATA, "photo.jpg")
        metadata = client.get(f"/uploads/{upload_id}").get_json()["metadata"]
        assert not self.dialect.fields & metadata.keys()

    def test_an_upload_can_be_deleted(self, client: FlaskClient) -> None:
        """Afterwards it is gone."""
        upload_id = self.send(client, _DATA, "photo.jpg")
        assert client.delete(f"/uploads/{upload_id}").status_code == 204
        assert client.get(f"/uploads/{upload_id}").status_code in (404, 410)

    def test_requests_of_other_dialects_are_left_alone(self, client: FlaskClient) -> None:
        """A chunk with Content-Range is django-chunked-upload's."""
        form = {"file": (BytesIO(b"hello"), "a.txt")}
        headers = {"Content-Range": "bytes 0-4/10"}
        reply = client.post("/uploads/", data=form, headers=headers)
        assert reply.status_code == 200
        assert reply.get_json()["offset"] == 5

    def test_a_refused_file_leaves_nothing(self, app: Flask, tmp_path: Path) -> None:
        """Neither a record nor a file, whatever the status."""
        upload_set = app.extensions["chunked_upload"]["chunked_upload"]
        upload_set.hooks.validators.append(_refuse)
        with pytest.raises(Exception):  # noqa: B017, PT011 - however send() reports a refusal
            self.send(app.test_client(), _DATA, "photo.jpg")
        with app.app_context():
            assert upload_set.db.session.query(upload_set.model).count() == 0
        assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]


def _refuse(request: Any) -> None:
    raise ChunkedUploadError(status=400, detail="refused")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
