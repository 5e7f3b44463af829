"""Signals: one for each thing that happened, none for what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

import chunked_upload
from chunked_upload import ChunkedUpload, UploadedFile
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.http.expiry import expire
from tests.support.protocol import Protocol, md5_of, records

SIGNALS = {
    "created": chunked_upload.upload_created,
    "chunk_received": chunked_upload.chunk_received,
    "completed": chunked_upload.upload_completed,
    "expired": chunked_upload.upload_expired,
    "aborted": chunked_upload.upload_aborted,
}


@pytest.fixture
def heard(app: Flask) -> Iterator[list[tuple[str, str, int]]]:
    """Every signal of the app: its name, the upload's id, the offset told with it."""
    told: list[tuple[str, str, int]] = []
    receivers = []
    for name, signal in SIGNALS.items():

        def receive(sender: Flask, upload: Any, upload_set: str, name: str = name) -> None:
            assert sender is app
            assert upload_set == "chunked_upload"
            told.append((name, upload.upload_id, upload.offset))

        signal.connect(receive, sender=app)
        receivers.append((signal, receive))
    yield told
    for signal, receive in receivers:
        signal.disconnect(receive)


def test_an_uploads_life_is_told(
    app: Flask, protocol: Protocol, heard: list[tuple[str, str, int]]
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    protocol.complete(upload_id, b"hello world")
    protocol.complete(upload_id, b"hello world")
    protocol.client.delete(f"/uploads/{upload_id}")
    protocol.client.delete(f"/uploads/{upload_id}")
    assert heard == [
        ("created", upload_id, 6),
        ("chunk_received", upload_id, 6),
        ("chunk_received", upload_id, 11),
        ("completed", upload_id, 11),
        ("aborted", upload_id, 11),
    ]


def test_refused_requests_are_not_told(
    app: Flask, protocol: Protocol, heard: list[tuple[str, str, int]]
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    heard.clear()
    protocol.chunk(b"hello ", 0, 11, upload_id=upload_id)
    protocol.chunk(b"world!", 6, 12, upload_id=upload_id)
    protocol.chunk(b"x", 5, 11)
    protocol.chunk(b"x", 0, 11, field="nonsense")
    protocol.complete(upload_id, b"hello ")
    protocol.complete("0" * 32, b"hello ")
    protocol.client.delete("/uploads/" + "0" * 32)
    assert heard == []


def test_a_chunk_with_a_late_id_is_told_once(
    app: Flask, protocol: Protocol, heard: list[tuple[str, str, int]]
) -> None:
    """Its bytes are staged first under an id that nobody gets to see."""
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    heard.clear()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nworld\r\n'
        b'--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n'
        + upload_id.encode()
        + b"\r\n--b--\r\n"
    )
    response = protocol.client.post(
        "/uploads/",
        data=body,
        headers={"Content-Range": "bytes 6-10/11"},
        content_type="multipart/form-data; boundary=b",
    )
    assert answer(response)["offset"] == 11
    assert heard == [("chunk_received", upload_id, 11)]


def test_an_expired_upload_is_told_when_it_is_removed(
    app: Flask, protocol: Protocol, heard: list[tuple[str, str, int]]
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    expire(app, upload_id)
    heard.clear()
    runner = app.test_cli_runner()
    runner.invoke(args=["chunked-upload", "delete-expired-uploads", "--dry-run"])
    assert heard == []
    runner.invoke(args=["chunked-upload", "delete-expired-uploads"])
    runner.invoke(args=["chunked-upload", "delete-expired-uploads"])
    assert heard == [("expired", upload_id, 6)]


def test_completed_is_told_when_on_completion_has_returned(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    failures = [ZeroDivisionError()]
    order = []

    @uploads.on_completion
    def hook(file: UploadedFile, request: Any) -> None:
        order.append("on_completion")
        if failures:
            raise failures.pop()

    def receive(sender: Flask, **told: Any) -> None:
        order.append("completed")

    create_tables(app)
    protocol = Protocol(app.test_client())
    with chunked_upload.upload_completed.connected_to(receive, sender=app):
        upload_id = protocol.completed(b"data")
        assert order == ["on_completion"]
        protocol.complete(upload_id, b"data")
    assert order == ["on_completion", "on_completion", "completed"]


def test_the_record_is_committed_when_a_receiver_runs(app: Flask, protocol: Protocol) -> None:
    seen = []

    def receive(sender: Flask, upload: Any, upload_set: str) -> None:
        [record] = records(app)
        seen.append((record.offset, record.status))

    with (
        chunked_upload.chunk_received.connected_to(receive, sender=app),
        chunked_upload.upload_completed.connected_to(receive, sender=app),
    ):
        protocol.completed(b"data")
    assert seen == [(4, 1), (4, 2)]


def test_a_signal_names_the_upload_set_and_the_app(make_app: Callable[..., Flask]) -> None:
    """Receivers connected to one app hear nothing of another in the same process."""
    apps = [make_app(), make_app()]
    for app in apps:
        ChunkedUpload(app, name="photos")
        create_tables(app)
    heard = []

    def receive(sender: Flask, upload: Any, upload_set: str) -> None:
        heard.append((sender, upload_set, upload.md5))

    with chunked_upload.upload_completed.connected_to(receive, sender=apps[0]):
        for app in apps:
            Protocol(app.test_client()).completed(b"data")
    assert heard == [(apps[0], "photos", md5_of(b"data"))]
