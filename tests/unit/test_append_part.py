"""Joining uploads: bytes come from other uploads' parts, by the storage itself where it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import OffsetMismatch, SizeMismatch, UploadExpired, UploadNotFound
from chunked_upload.engine.plan import WritePlan
from chunked_upload.records.repository import Record
from tests.conftest import create_tables
from tests.support.memory_storage import MemoryStorage
from tests.support.protocol import md5_of

pytestmark = pytest.mark.one_database

PIECES = [b"hello ", b"", b"wor", b"ld"]
WHOLE = b"".join(PIECES)


@pytest.fixture(params=["local", "without copy_file_range", "memory"])
def engine(
    request: pytest.FixtureRequest, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[UploadEngine]:
    memory = request.param == "memory"
    if request.param == "without copy_file_range":
        monkeypatch.delattr("os.copy_file_range")
    app = make_app(**({"CHUNKED_UPLOAD_STORAGE_CLASS": MemoryStorage} if memory else {}))
    uploads = ChunkedUpload(app)
    create_tables(app)
    with app.app_context():
        yield uploads.engine


def new(engine: UploadEngine, length: int) -> Record:
    record: Record = engine.records.model(
        upload_set="chunked_upload", filename="f.bin", length=length, reserved=0
    )
    engine.create(record)
    return record


def partial(engine: UploadEngine, data: bytes) -> Record:
    record = new(engine, len(data))
    with engine.begin(record, WritePlan(start=0, stop=len(data))) as chunk:
        if data:
            chunk.write(data)
        chunk.finish_whole()
        chunk.commit()
    return record


def whole(length: int) -> WritePlan:
    return WritePlan(start=0, stop=length, total=length)


def append(chunk: Chunk, source: Record) -> None:
    chunk.append_part(source)
    chunk.finish_whole()
    chunk.commit()


@pytest.mark.both_databases
def test_parts_become_one_upload(engine: UploadEngine) -> None:
    sources = [partial(engine, piece) for piece in PIECES]
    record = new(engine, len(WHOLE))
    with engine.begin(record, whole(len(WHOLE))) as chunk:
        for source in sources:
            chunk.append_part(source)
        chunk.finish_whole()
        chunk.commit()
    for source in sources:
        engine.abort(source)
    assert record.offset == len(WHOLE)
    assert b"".join(engine.storage.read_part(record, 0, record.offset)) == WHOLE
    assert engine.completion.checksums(record)["md5"] == md5_of(WHOLE)


def test_bytes_and_parts_may_follow_each_other(engine: UploadEngine) -> None:
    source, record = partial(engine, b"lo wor"), new(engine, len(WHOLE))
    with engine.begin(record, whole(len(WHOLE))) as chunk:
        chunk.write(b"hel")
        chunk.append_part(source)
        chunk.write(b"ld")
        chunk.finish_whole()
        chunk.commit()
    assert engine.completion.checksums(record)["md5"] == md5_of(WHOLE)


def test_nothing_counts_until_it_is_committed(engine: UploadEngine) -> None:
    source, record = partial(engine, WHOLE), new(engine, len(WHOLE))
    with engine.begin(record, whole(len(WHOLE))) as dropped:
        dropped.append_part(source)
        dropped.finish_whole()
    found = engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)
    assert found.offset == 0
    with engine.begin(found, whole(len(WHOLE))) as again:
        again.append_part(source)
        again.finish_whole()
        again.commit()
    assert engine.completion.checksums(found)["md5"] == md5_of(WHOLE)


@pytest.mark.both_databases
def test_a_newcomer_takes_over(engine: UploadEngine) -> None:
    source, record = partial(engine, WHOLE), new(engine, len(WHOLE))
    old = engine.begin(record, whole(len(WHOLE)))
    found = engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)
    with engine.begin(found, whole(len(WHOLE))) as newcomer:
        with old, pytest.raises(OffsetMismatch):
            append(old, source)
        newcomer.append_part(source)
        newcomer.finish_whole()
        newcomer.commit()
    assert found.offset == len(WHOLE)


def test_more_than_was_declared_is_refused(engine: UploadEngine) -> None:
    source, record = partial(engine, WHOLE), new(engine, 5)
    with engine.begin(record, whole(5)) as chunk, pytest.raises(SizeMismatch):
        chunk.append_part(source)


def test_a_source_that_has_lost_its_bytes_is_told(engine: UploadEngine) -> None:
    source, record = partial(engine, WHOLE), new(engine, len(WHOLE))
    engine.storage.discard_part(source)
    with engine.begin(record, whole(len(WHOLE))) as chunk, pytest.raises(UploadExpired):
        chunk.append_part(source)


@pytest.mark.both_databases
def test_a_source_that_is_removed_meanwhile_has_not_lost_its_bytes(
    engine: UploadEngine, caplog: pytest.LogCaptureFixture
) -> None:
    source, record = partial(engine, WHOLE), new(engine, len(WHOLE))
    with engine.begin(record, whole(len(WHOLE))) as chunk:
        engine.abort(engine.find_own(source.upload_id, upload_set="chunked_upload", owner=None))
        with pytest.raises(UploadNotFound):
            chunk.append_part(source)
    assert not caplog.records


def test_a_part_may_be_appended_in_pieces(engine: UploadEngine) -> None:
    source, other, record = partial(engine, WHOLE), partial(engine, b"!!"), new(engine, 13)
    with engine.begin(record, whole(13)) as chunk:
        chunk.append_part(source, start=0, stop=4)
        chunk.commit_progress()
        chunk.append_part(source, start=4)
        chunk.append_part(other)
        chunk.finish_whole()
        chunk.commit()
    assert b"".join(engine.storage.read_part(record, 0, 13)) == WHOLE + b"!!"
    assert engine.completion.checksums(record)["md5"] == md5_of(WHOLE + b"!!")


def test_checksums_of_other_bytes_are_not_taken_over(engine: UploadEngine) -> None:
    """The second part begins where the first ends, with other bytes before that."""
    source, other, record = partial(engine, WHOLE), partial(engine, b"xx"), new(engine, 11)
    with engine.begin(record, whole(11)) as chunk:
        chunk.append_part(other)
        chunk.append_part(source, start=2)
        chunk.finish_whole()
        chunk.commit()
    assert engine.completion.checksums(record)["md5"] == md5_of(b"xx" + WHOLE[2:])
