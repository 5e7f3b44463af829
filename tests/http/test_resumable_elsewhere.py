"""IETF resumable uploads: pages of other sites, hooks, and requests of other dialects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError
from chunked_upload.http.dialects.resumable import ResumableDialect, interim
from chunked_upload.testing.dialects import DialectConformance
from chunked_upload.views import ChunkedUploadCompleteView, ChunkedUploadView
from tests.conftest import create_tables
from tests.http.draft import DATA, append, begun, create, id_of, problem, told
from tests.support.protocol import nothing_left

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


@pytest.mark.usefixtures("shared")
class TestConformance(DialectConformance):
    """What holds for every dialect."""

    dialect = ResumableDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        headers = {"Content-Disposition": f'inline; filename="{filename}"'}
        url = begun(client, data[:100], headers=headers)
        at = len(data[:100])
        assert append(client, url, data[at:], offset=at, complete="?1").status_code == 200
        return id_of(url)


def test_its_headers_are_as_good_as_a_csrf_token(make_app: MakeApp) -> None:
    """A page of another site cannot send them without asking first."""
    app = make_app()
    ChunkedUpload(app, csrf=True)
    create_tables(app)
    client = app.test_client()
    url = begun(client, DATA[:5])
    assert append(client, url, DATA[5:], offset=5, complete="?1").status_code == 200
    assert client.delete(url).status_code == 400
    interop = {"Upload-Draft-Interop-Version": "8"}
    assert client.delete(url, headers=interop).status_code == 204


ORIGIN = "https://app.example"


def test_pages_of_named_origins(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, cors_origins=(ORIGIN,))
    create_tables(app)
    client = app.test_client()
    url = begun(client, headers={"Origin": ORIGIN})
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    preflight = client.options(url, headers=asked)
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    for name in ("Upload-Complete", "Upload-Offset", "Upload-Length", "Content-Digest"):
        assert name in preflight.headers["Access-Control-Allow-Headers"]
    answer = append(client, url, DATA, headers={"Origin": ORIGIN})
    for name in ("Location", "Upload-Complete", "Upload-Limit", "Upload-Offset", "Repr-Digest"):
        assert name in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("status", [400, 422, 401, 429, 503])
def test_a_hook_that_refuses_the_completion(make_app: MakeApp, status: int) -> None:
    """A client that did not get the answer must not take the upload for complete."""
    refuses = [True]

    class Complete(ChunkedUploadCompleteView):
        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            if refuses:
                raise ChunkedUploadError(status, detail="not now")

    app = make_app()
    ChunkedUpload(app, complete_view=Complete)
    create_tables(app)
    client = app.test_client()
    url = begun(client, DATA[:5])
    response = append(client, url, DATA[5:], offset=5, complete="?1")
    assert problem(response, status)["detail"] == "not now"
    if status in (400, 422):
        assert response.headers["Upload-Complete"] == "?1"
        assert client.head(url).status_code == 410
    else:
        assert response.headers["Upload-Complete"] == "?0"
        assert told(client.head(url)) == (200, "11", "?0", "11")
        refuses.clear()
        assert append(client, url, offset=11, complete="?1").status_code == 200


def test_a_hook_that_refuses_bytes(make_app: MakeApp) -> None:
    class Chunks(ChunkedUploadView):
        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            if not new:
                raise ChunkedUploadError(422, detail="no")

    app = make_app()
    ChunkedUpload(app, upload_view=Chunks)
    create_tables(app)
    client = app.test_client()
    problem(create(client, DATA), 422)
    assert nothing_left(app)
    url = begun(client)
    problem(append(client, url, DATA), 422)
    assert told(client.head(url))[1] == "0"


def test_a_view_with_a_limit_of_its_own(make_app: MakeApp) -> None:
    class Chunks(ChunkedUploadView):
        def get_max_bytes(self, request: Any) -> int | None:
            raise ChunkedUploadError(400, detail="whose limit?")

    app = make_app()
    ChunkedUpload(app, upload_view=Chunks)
    create_tables(app)
    client = app.test_client()
    assert problem(create(client, DATA), 400)["detail"] == "whose limit?"
    assert client.options("/uploads/").headers["Upload-Limit"] == "min-size=0"


@pytest.mark.parametrize(
    ("setting", "proxied", "told"),
    [
        (None, False, True),
        (None, True, False),
        (True, False, True),
        (True, True, True),
        (False, False, False),
        (False, True, False),
    ],
)
def test_who_gets_interim_responses(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, setting: Any, proxied: bool, told: bool
) -> None:
    sent: list[dict[str, str]] = []

    def send(environ: Any, status: int, reason: str, headers: dict[str, str]) -> bool:
        sent.append(headers)
        return True

    monkeypatch.setattr(interim, "send_interim", send)
    app = make_app()
    ChunkedUpload(app, resumable_interim_responses=setting)
    create_tables(app)
    headers = {"Upload-Draft-Interop-Version": "8"}
    if proxied:
        headers["X-Forwarded-For"] = "192.0.2.1"
    answer = create(app.test_client(), DATA, headers=headers)
    assert [one["Location"] for one in sent] == [answer.headers["Location"]] * told


def test_an_upload_set_with_a_place_of_its_own(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, url_prefix="/files", max_bytes=20)
    create_tables(app)
    client = app.test_client()
    url = begun(client, DATA[:5], path="/files/")
    assert url.startswith("http://localhost/files/")
    assert append(client, url, DATA[5:], offset=5, complete="?1").status_code == 200
    assert client.options("/files/").headers["Upload-Limit"] == "max-size=20"


def test_without_the_dialect(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, dialects=["django"])
    create_tables(app)
    client = app.test_client()
    assert "Upload-Limit" not in client.options("/uploads/").headers
    response = create(client, DATA, complete="?1", path="/uploads/?filename=a", content_type="a/b")
    assert "Upload-Complete" not in response.headers
    assert append(client, f"/uploads/{'0' * 32}", DATA).status_code == 405
