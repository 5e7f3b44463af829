"""tus: what happens once the bytes are there, and DELETE, which ends an upload before or after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from flask import Flask, Request

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, ChunkedUploadError, hooks
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import Protocol, nothing_left
from tests.support.tus import VERSION, Tus, id_of

pytestmark = pytest.mark.one_database

DATA = b"hello world"


class Completing(ChunkedUploadCompleteView):
    """Refuses completions with a status, if it has one."""

    status: ClassVar[int | None] = None

    def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        if self.status is not None:
            raise ChunkedUploadError(self.status, detail="no viruses please")


@pytest.fixture(autouse=True)
def accepting() -> Iterator[None]:
    yield
    Completing.status = None


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An app of its own, for hooks."""
    return make_app()


@pytest.fixture
def uploads(app: Flask) -> ChunkedUpload:
    uploads = ChunkedUpload(app, complete_view=Completing)
    create_tables(app)
    return uploads


@pytest.fixture
def tus(app: Flask, uploads: ChunkedUpload) -> Tus:
    return Tus(app.test_client())


def test_the_last_byte_completes_the_upload(uploads: ChunkedUpload, tus: Tus) -> None:
    done: list[bytes] = []
    uploads.on_completion(lambda file, request: done.append(file.read()))
    url = tus.created(len(DATA))
    tus.patch(url, DATA[:5], 0)
    assert done == []
    tus.patch(url, DATA[5:], 5)
    assert done == [DATA]


@pytest.mark.parametrize(
    "again",
    [
        lambda tus, url: tus.head(url),
        lambda tus, url: tus.patch(url, DATA[5:], 5),
        lambda tus, url: tus.patch(url, b"", len(DATA)),
        lambda tus, url: Protocol(tus.client).complete(id_of(url), DATA),
    ],
)
def test_hooks_run_once(uploads: ChunkedUpload, tus: Tus, again: Callable[..., Any]) -> None:
    done: list[bytes] = []
    uploads.on_completion(lambda file, request: done.append(file.read()))
    url = tus.upload(DATA, step=5)
    assert again(tus, url).status_code in (200, 204)
    assert done == [DATA]


@pytest.mark.parametrize("status", [400, 422])
def test_a_hook_that_refuses_ends_the_upload(app: Flask, tus: Tus, status: int) -> None:
    """A client that asks after a lost answer must not take it for a success."""
    Completing.status = status
    url = tus.created(len(DATA))
    refused(tus.patch(url, DATA, 0), status, "no viruses please")
    response = tus.head(url)
    assert response.status_code == 410
    assert "Upload-Offset" not in response.headers
    assert tus.patch(url, DATA, 0).status_code == 410
    assert tus.delete(url).status_code == 204
    assert nothing_left(app)


def test_a_hook_that_refuses_a_creation_leaves_nothing(app: Flask, tus: Tus) -> None:
    Completing.status = 422
    refused(tus.create(len(DATA), data=DATA), 422)
    refused(tus.create(0), 422)
    assert nothing_left(app)


@pytest.mark.parametrize("status", [503, 401, 429])
def test_a_hook_that_fails_now_may_work_later(tus: Tus, status: int) -> None:
    Completing.status = status
    url = tus.created(len(DATA))
    refused(tus.patch(url, DATA, 0), status)
    assert tus.head(url).status_code == status
    Completing.status = None
    assert tus.offset(url) == len(DATA)
    assert tus.client.get(url, buffered=True).data == DATA


# DELETE


@pytest.mark.parametrize("sent", [0, 5, len(DATA)])
def test_delete_frees_everything(app: Flask, tus: Tus, sent: int) -> None:
    url = tus.created(len(DATA))
    tus.patch(url, DATA[:sent], 0)
    response = tus.delete(url)
    assert (response.status_code, response.data) == (204, b"")
    assert nothing_left(app)
    for verb in ("HEAD", "DELETE"):
        assert tus.request(verb, url).status_code == 404
    assert tus.patch(url, DATA, 0).status_code == 404


def test_delete_is_told_to_the_app(app: Flask, tus: Tus) -> None:
    url = tus.created(len(DATA))
    with hooks.upload_aborted.connected_to(
        lambda app, upload, **_: gone.append(upload.upload_id), sender=app
    ):
        gone: list[str] = []
        tus.delete(url)
    assert gone == [id_of(url)]


# GET


def test_get_is_the_finished_file(tus: Tus) -> None:
    url = tus.upload(DATA, filename="a.txt")
    response = tus.client.get(url, buffered=True)  # a browser says no version
    assert (response.status_code, response.data) == (200, DATA)
    assert "attachment" in response.headers["Content-Disposition"]
    assert "a.txt" in response.headers["Content-Disposition"]
    ranged = tus.client.get(url, headers={"Range": "bytes=6-"}, buffered=True)
    assert (ranged.status_code, ranged.data) == (206, b"world")


def test_get_of_an_unfinished_upload_is_refused(tus: Tus) -> None:
    refused(tus.client.get(tus.created(5)), 400, "Upload is not complete", offset=0)


def test_get_holds_a_client_to_the_version_that_it_says(tus: Tus) -> None:
    url = tus.upload(DATA)
    headers = {"Tus-Resumable": VERSION}
    assert tus.client.get(url, headers=headers, buffered=True).status_code == 200
    refused(tus.request("GET", url, {"Tus-Resumable": "0.2.2"}), 412)


def test_who_comes_second_with_the_last_byte_is_told_where_the_upload_stands(
    uploads: ChunkedUpload, tus: Tus
) -> None:
    url = tus.created(len(DATA))
    first: list[int] = []

    @uploads.validate
    def be_overtaken(request: Request) -> None:
        if not first:
            first.append(0)
            first.append(tus.patch(url, DATA, 0).status_code)

    second = tus.patch(url, DATA, 0)
    assert first == [0, 204]
    refused(second, 409)
    assert second.headers["Upload-Offset"] == str(len(DATA))
