"""Parts and objects that are sent while their bytes arrive: whole and right, or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import NoCredentialsError

from chunked_upload.storage.base import PartWriter, StorageBusy, merge
from chunked_upload.storage.s3 import ahead
from chunked_upload.storage.s3.stream import Streams
from chunked_upload.storage.s3.wires import _MOST, Wires
from chunked_upload.testing import AnUpload
from tests.support.s3 import MIB, PART, ClientStorage, Store
from tests.support.s3_faults import Calls, counted

#: A part and a half.
DATA = hashlib.shake_256(b"streams").digest(PART + 3 * MIB)


@pytest.fixture
def storage(versitygw: Store) -> ClientStorage:
    return versitygw.storage(multipart=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have bytes come quickly, however busy the machine is."""
    monkeypatch.setattr(ahead, "_QUICK", 0)


@pytest.fixture
def calls(storage: ClientStorage) -> Iterator[Calls]:
    with counted() as running:
        yield running


def write(storage: ClientStorage, upload: AnUpload, data: bytes, *, stop: int) -> PartWriter:
    """Write bytes from the start on, in pieces, and leave the writer open."""
    state = storage.reserve(upload, 0, stop, extends=False, token=0)
    upload.storage_state = merge(upload.storage_state, state)
    writer = storage.open_part_writer(upload, 0, stop, have=0)
    for at in range(0, len(data), MIB):
        writer.write(data[at : at + MIB], at)
    return writer


def put(storage: ClientStorage, upload: AnUpload, data: bytes = DATA) -> AnUpload:
    """Store the bytes of a file."""
    with write(storage, upload, data, stop=len(data)) as writer:
        upload.storage_state = merge(upload.storage_state, writer.sync())
    upload.offset = len(data)
    return upload


def file_of(storage: ClientStorage, upload: AnUpload) -> bytes:
    """Return the finished file."""
    with storage.open(storage.promote(upload, "done")) as file:
        return file.read()


def stored_parts(storage: ClientStorage) -> list[Any]:
    """Return the parts of the only multipart upload."""
    [(key, upload, _)] = storage._bucket.multiparts("")
    place = {"Bucket": storage.bucket, "Key": key, "UploadId": upload}
    return list(storage.store().list_parts(**place).get("Parts", ()))


def test_a_part_and_an_object_are_sent_while_they_arrive(
    storage: ClientStorage, calls: Calls
) -> None:
    upload = put(storage, AnUpload(length=len(DATA)))
    assert "UploadPart" not in calls.names
    assert len(stored_parts(storage)) == 1
    assert file_of(storage, upload) == DATA


def test_what_comes_slowly_is_sent_once_it_is_whole(
    storage: ClientStorage, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_QUICK", 10**15)
    put(storage, AnUpload(length=len(DATA)))
    assert "UploadPart" in calls.names


def test_of_a_client_that_breaks_off_the_store_keeps_nothing(storage: ClientStorage) -> None:
    write(storage, AnUpload(length=len(DATA)), DATA[: PART - MIB], stop=len(DATA)).close()
    assert stored_parts(storage) == []


def test_what_has_arrived_of_a_broken_part_is_an_object(storage: ClientStorage) -> None:
    upload = AnUpload(length=len(DATA))
    with write(storage, upload, DATA[: PART - MIB], stop=len(DATA)) as writer:
        upload.storage_state = merge(upload.storage_state, writer.sync())
    upload.offset = PART - MIB
    assert stored_parts(storage) == []
    assert b"".join(storage.read_part(upload, 0, upload.offset)) == DATA[: PART - MIB]


def test_the_store_refuses_damaged_bytes(storage: ClientStorage) -> None:
    stream = Streams(storage._bucket.connection, storage.bucket).open("a", PART)
    assert stream is not None
    stream.send(DATA[:PART])
    assert stream.finish(zlib.crc32(b"other bytes")) is None
    assert storage.all_keys() == []


@pytest.mark.parametrize("at", [0, 1, 3, 6])
def test_a_connection_that_breaks_costs_nothing_but_time(
    storage: ClientStorage, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    send, sent = HTTPConnection.send, list[int]()

    def break_off(wire: HTTPConnection, data: Any) -> None:
        if type(wire) is not HTTPConnection:  # boto3's
            return send(wire, data)
        sent.append(len(data))
        if len(sent) == at + 1:
            raise BrokenPipeError
        return send(wire, data)

    monkeypatch.setattr(HTTPConnection, "send", break_off)
    upload = put(storage, AnUpload(length=len(DATA)))
    assert len(sent) > at
    assert file_of(storage, upload) == DATA


def test_a_stream_that_gets_no_answer_counts_as_the_first_try(versitygw: Store) -> None:
    """So a store that hangs holds a request no longer than its tries take."""
    bucket = versitygw.bucket()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        storage = versitygw.storage(
            bucket, client={"endpoint_url": url}, multipart=True, timeout=1, attempts=2
        )
        with counted(), pytest.raises(StorageBusy):
            put(storage, AnUpload(length=MIB), DATA[:MIB])
        silent.setblocking(False)
        for _ in range(2):  # the stream's connection, and boto3's
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_without_credentials_for_a_stream_boto3_sends_the_bytes(
    storage: ClientStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are being renewed, and that fails; nothing of the attempt stays in use."""

    def fail(*_: object) -> None:
        raise NoCredentialsError

    for _ in range(2):
        upload = put(storage, AnUpload(length=len(DATA)))
        assert file_of(storage, upload) == DATA
        assert storage._streams.wires._free._value == _MOST
        monkeypatch.setattr(Streams, "_signed", fail)


def test_a_process_with_many_open_files_streams_as_well(storage: ClientStorage) -> None:
    with ExitStack() as stack:
        last = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, last)
        while last < 1024:  # FD_SETSIZE
            last = os.dup(last)
            stack.callback(os.close, last)
        place, wires = urlsplit(storage._streams._url.get()), Wires(timeout=5)
        wire = wires.take(place)
        assert wire is not None
        stack.callback(wire.close)
        wire.connect()
        assert wire.sock.fileno() >= 1024
        wires.keep(place, wire)
        assert wires.take(place) is wire


def test_a_store_that_confirms_nothing_gets_no_more_streams(rclone: Store, calls: Calls) -> None:
    storage = rclone.storage(multipart=False)
    for _ in range(4):
        upload = put(storage, AnUpload(length=PART), DATA[:PART])
        assert file_of(storage, upload) == DATA[:PART]
    streams = Streams(storage._bucket.connection, storage.bucket)
    for _ in range(3):
        stream = streams.open("a", 5)
        assert stream is not None
        stream.send(b"bytes")
        assert stream.finish(zlib.crc32(b"bytes")) is None
    assert streams.open("a", 5) is None
