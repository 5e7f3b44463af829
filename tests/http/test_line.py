"""The thinnest line through the house."""

from __future__ import annotations

from flask import Flask

from tests.support.protocol import Protocol, files, nothing_left


def test_chunks_become_a_file(app: Flask, protocol: Protocol) -> None:
    first = protocol.chunk(b"hello ", 0, 11)
    upload_id = first.get_json()["upload_id"]
    assert first.get_json()["offset"] == 6

    second = protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    assert second.get_json()["offset"] == 11

    done = protocol.complete(upload_id, b"hello world")
    assert done.status_code == 200
    assert done.get_json()["status"] == 2
    [name] = files(app)
    assert name.endswith("/file.bin")


def test_a_refused_first_chunk_leaves_nothing(app: Flask, protocol: Protocol) -> None:
    response = protocol.chunk(b"hello", 3, 11)
    assert response.status_code == 400
    assert response.get_json() == {
        "detail": "Offsets do not match",
        "error": "Offsets do not match",
        "offset": 0,
    }
    assert nothing_left(app)
