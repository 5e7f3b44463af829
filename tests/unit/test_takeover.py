"""Two requests for the same range: the newcomer takes over at once, the older one is out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import OffsetMismatch, UploadNotFound
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record
from tests.support.digests import digest_offset
from tests.support.protocol import md5_of


@pytest.fixture
def engine(app: Flask) -> Iterator[UploadEngine]:
    with app.app_context():
        yield app.extensions["chunked_upload"]["chunked_upload"].engine


def new_upload(engine: UploadEngine, length: int) -> Record:
    record: Record = engine.records.model(
        upload_set="chunked_upload", filename="f", length=length, reserved=0
    )
    engine.create(record)
    return record


def look_up(engine: UploadEngine, record: Record) -> Record:
    """Return the record as another request reads it."""
    return engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)


def begin(engine: UploadEngine, record: Record, start: int, stop: int, **options: Any) -> Chunk:
    return engine.begin(record, WritePlan(start=start, stop=stop, total=record.length, **options))


def store(chunk: Chunk, data: bytes) -> None:
    with chunk:
        chunk.write(data)
        chunk.finish_whole()
        chunk.commit()


def stored_bytes(engine: UploadEngine, record: Record) -> bytes:
    return b"".join(engine.storage.read_part(record, 0, look_up(engine, record).offset))


def test_a_stalled_writer_writes_nothing_after_a_newcomer_has_come(engine: UploadEngine) -> None:
    record = new_upload(engine, 8)
    store(begin(engine, record, 0, 4), b"head")
    old = begin(engine, look_up(engine, record), 4, 8)
    old.write(b"OL")

    store(begin(engine, look_up(engine, record), 4, 8), b"tail")
    with old, pytest.raises(OffsetMismatch) as refused:
        old.write(b"D!")
    assert refused.value.data["offset"] == 8
    assert stored_bytes(engine, record) == b"headtail"


def test_a_writer_with_all_its_bytes_on_disk_cannot_commit_after_a_newcomer(
    engine: UploadEngine,
) -> None:
    record = new_upload(engine, 8)
    store(begin(engine, record, 0, 4), b"head")
    with begin(engine, look_up(engine, record), 4, 8) as old:
        old.write(b"OLD!")
        old.finish_whole()
        newcomer = begin(engine, look_up(engine, record), 4, 8)
        with pytest.raises(OffsetMismatch):
            old.commit()
        assert look_up(engine, record).offset == 4
        store(newcomer, b"tail")
    assert stored_bytes(engine, record) == b"headtail"


def test_a_newcomer_that_read_the_record_before_a_commit_is_refused(engine: UploadEngine) -> None:
    record = new_upload(engine, 8)
    stale = look_up(engine, record)
    store(begin(engine, record, 0, 4), b"head")
    with pytest.raises(OffsetMismatch) as refused:
        begin(engine, stale, 0, 4)
    assert refused.value.data["offset"] == 4
    assert stored_bytes(engine, record) == b"head"


def test_a_wrong_offset_does_not_disturb_the_writer(engine: UploadEngine) -> None:
    record = new_upload(engine, 8)
    with begin(engine, record, 0, 8) as writer:
        writer.write(b"head")
        with pytest.raises(OffsetMismatch):
            begin(engine, look_up(engine, record), 4, 8)
        writer.write(b"tail")
        writer.finish_whole()
        writer.commit()
    assert stored_bytes(engine, record) == b"headtail"


def test_the_first_request_of_an_upload_does_not_remove_what_a_newcomer_took_over(
    engine: UploadEngine,
) -> None:
    record = new_upload(engine, 4)
    first = begin(engine, record, 0, 4, creates=True)
    newcomer = begin(engine, look_up(engine, record), 0, 4)
    with first, pytest.raises(OffsetMismatch):
        first.write(b"OLD!")
    store(newcomer, b"data")
    assert stored_bytes(engine, record) == b"data"


def test_a_dropped_first_request_removes_what_it_made(engine: UploadEngine) -> None:
    record = new_upload(engine, 4)
    with begin(engine, record, 0, 4, creates=True) as chunk:
        chunk.write(b"da")
    with pytest.raises(UploadNotFound):
        look_up(engine, record)
    assert not engine.storage.has_part(record)


def test_a_writer_whose_upload_is_removed_cannot_commit(engine: UploadEngine) -> None:
    record = new_upload(engine, 4)
    with begin(engine, record, 0, 4) as chunk:
        chunk.write(b"data")
        engine.abort(look_up(engine, record))
        chunk.finish_whole()
        with pytest.raises(UploadNotFound):
            chunk.commit()
    assert not engine.storage.has_part(record)


def test_parallel_ranges_commit_beside_each_other(engine: UploadEngine) -> None:
    data = bytes(range(12))
    record = new_upload(engine, 12)
    spans = [(8, 12), (4, 8), (0, 4)]
    chunks = [
        begin(engine, look_up(engine, record), start, stop, placement=Placement.ANYWHERE)
        for start, stop in spans
    ]
    for chunk, (start, stop) in zip(chunks, spans, strict=True):
        chunk.write(data[start:stop])
    seen = []
    for chunk in chunks:
        with chunk:
            chunk.finish_whole()
            chunk.commit()
        now = look_up(engine, record)
        seen.append((now.offset, now.received, engine.gaps(now)))
    assert seen == [
        (0, [[8, 12]], [[0, 8]]),
        (0, [[4, 12]], [[0, 4]]),
        (12, [], []),
    ]
    assert engine.completion.checksums(look_up(engine, record))["md5"] == md5_of(data)
    assert digest_offset(look_up(engine, record)) == 12
