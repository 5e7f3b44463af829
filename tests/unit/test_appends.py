"""Appends of offset dialects: what arrives counts, and a newcomer keeps it when it takes over."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import (
    BeyondLength,
    OffsetMismatch,
    ServiceUnavailable,
    TotalMismatch,
    UploadExpired,
)
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record
from chunked_upload.storage.local import append_marks, files
from tests.conftest import create_tables
from tests.support.memory_storage import MemoryStorage
from tests.support.protocol import md5_of

WHOLE = b"hello world"


@pytest.fixture
def local(make_app: Callable[..., Flask]) -> Iterator[UploadEngine]:
    """A storage with write leases of its own: a newcomer keeps what an append has written."""
    yield from started(make_app())


@pytest.fixture(params=["local", "memory"])
def engine(
    request: pytest.FixtureRequest, make_app: Callable[..., Flask]
) -> Iterator[UploadEngine]:
    memory = request.param == "memory"
    yield from started(
        make_app(**({"CHUNKED_UPLOAD_STORAGE_CLASS": MemoryStorage} if memory else {}))
    )


def started(app: Flask) -> Iterator[UploadEngine]:
    uploads = ChunkedUpload(app)
    create_tables(app)
    with app.app_context():
        yield uploads.engine


def new(engine: UploadEngine, length: int | None = len(WHOLE)) -> Record:
    record: Record = engine.records.model(
        upload_set="chunked_upload", filename="f.bin", length=length, reserved=0
    )
    engine.create(record)
    return record


def again(engine: UploadEngine, record: Record) -> Record:
    return engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)


def begin(engine: UploadEngine, record: Record, **plan: object) -> Chunk:
    values = {"start": record.offset, "stop": None, **plan}
    return engine.begin(record, WritePlan(appends=True, **values))  # type: ignore[arg-type]


def finish(chunk: Chunk) -> None:
    chunk.finish_prefix()
    chunk.commit()


def write_and_finish(chunk: Chunk, data: bytes) -> None:
    chunk.write(data)
    finish(chunk)


def stored(engine: UploadEngine, record: Record) -> bytes:
    return b"".join(engine.storage.read_part(record, 0, record.offset))


def test_what_arrived_counts_though_more_was_declared(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record, stop=len(WHOLE)) as chunk:
        chunk.write(WHOLE[:4])
        finish(chunk)
    assert again(engine, record).offset == 4
    with begin(engine, record, stop=len(WHOLE)) as chunk:
        chunk.write(WHOLE[4:])
        finish(chunk)
    assert engine.completion.checksums(record)["md5"] == md5_of(WHOLE)


def test_progress_is_recorded_on_the_way(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record) as chunk:
        for position in range(0, len(WHOLE), 3):
            chunk.write(WHOLE[position : position + 3])
            chunk.commit_progress()
            found = again(engine, record)
            assert found.offset == chunk.position
            assert stored(engine, found) == WHOLE[: chunk.position]
    found = again(engine, record)  # the request ended without a commit of its own
    assert found.offset == len(WHOLE)
    assert engine.completion.checksums(found)["md5"] == md5_of(WHOLE)


def test_an_append_goes_on_over_bytes_that_others_have_stored(engine: UploadEngine) -> None:
    """Parallel chunks of another dialect lie in its way, and more of them come meanwhile."""
    record = new(engine)
    store_at(engine, record, 4)
    with begin(engine, again(engine, record), stop=8) as chunk:
        chunk.write(WHOLE[:4])
        chunk.commit_progress()
        assert again(engine, record).offset == 6
        store_at(engine, record, 8)
        chunk.write(WHOLE[4:8])
        finish(chunk)
    found = again(engine, record)
    assert (found.offset, found.received) == (10, [])
    assert stored(engine, found) == WHOLE[:10]


def store_at(engine: UploadEngine, record: Record, start: int) -> None:
    """Store two bytes as a parallel chunk."""
    plan = WritePlan(start=start, stop=start + 2, placement=Placement.ANYWHERE)
    with engine.begin(again(engine, record), plan) as chunk:
        chunk.write(WHOLE[start : start + 2])
        chunk.finish_whole()
        chunk.commit()


def test_a_length_that_is_not_known_yet_stays_open(engine: UploadEngine) -> None:
    record = new(engine, None)
    with begin(engine, record) as chunk:
        chunk.write(WHOLE[:5])
        chunk.commit_progress()
        finish(chunk)
    assert (record.offset, again(engine, record).length) == (5, None)
    with begin(engine, record, total=len(WHOLE)) as chunk:
        chunk.write(WHOLE[5:])
        finish(chunk)
    assert again(engine, record).length == len(WHOLE)
    with pytest.raises(TotalMismatch):
        begin(engine, record, total=len(WHOLE) + 1)


def test_nothing_goes_beyond_the_length(engine: UploadEngine) -> None:
    record = new(engine, 5)
    with pytest.raises(BeyondLength) as refused:
        begin(engine, record, stop=6)
    assert refused.value.length == 5
    with begin(engine, record) as chunk, pytest.raises(BeyondLength):
        chunk.write(WHOLE)
    assert again(engine, record).offset == 0


def test_a_declared_length_is_not_below_what_there_is(engine: UploadEngine) -> None:
    record = new(engine, None)
    with begin(engine, record) as chunk:
        chunk.write(WHOLE)
        finish(chunk)
    with pytest.raises(BeyondLength):
        begin(engine, record, total=5)


def test_a_question_for_the_offset_keeps_what_a_hanging_append_wrote(local: UploadEngine) -> None:
    record = new(local)
    with begin(local, record) as hanging:
        hanging.write(WHOLE[:4])
        found = again(local, record)
        local.interrupt(found)
        assert (found.offset, stored(local, found)) == (4, WHOLE[:4])
        with pytest.raises(OffsetMismatch):
            hanging.write(WHOLE[4:])
    with begin(local, found) as chunk:
        chunk.write(WHOLE[4:])
        finish(chunk)
    assert local.completion.checksums(found)["md5"] == md5_of(WHOLE)


def test_the_next_append_keeps_it_too_and_is_told_where_to_go_on(local: UploadEngine) -> None:
    record = new(local)
    with begin(local, record) as hanging:
        hanging.write(WHOLE[:4])
        found = again(local, record)
        with pytest.raises(OffsetMismatch) as refused:
            begin(local, found)
        assert refused.value.data["offset"] == 4
        with pytest.raises(OffsetMismatch):
            finish(hanging)
    assert again(local, record).offset == 4


def test_one_that_has_all_its_bytes_on_disk_cannot_commit_after_it(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record) as late:
        late.write(WHOLE)
        late.finish_prefix()
        found = again(engine, record)
        engine.interrupt(found)
        with pytest.raises(OffsetMismatch):
            late.commit()
    assert again(engine, record).offset == found.offset


def test_an_append_with_a_checksum_keeps_nothing(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record, keeps_prefix=False) as hanging:
        hanging.write(WHOLE[:4])
        found = again(engine, record)
        engine.interrupt(found)
        assert found.offset == 0
        with pytest.raises(OffsetMismatch):
            write_and_finish(hanging, WHOLE[4:])


def test_a_chunk_of_a_chunk_dialect_goes_on(engine: UploadEngine) -> None:
    record = new(engine)
    plan = WritePlan(start=0, stop=len(WHOLE), total=len(WHOLE))
    with engine.begin(record, plan) as chunk:
        chunk.write(WHOLE[:4])
        found = again(engine, record)
        engine.interrupt(found)
        assert found.offset == 0
        chunk.write(WHOLE[4:])
        chunk.finish_whole()
        chunk.commit()
    assert again(engine, record).offset == len(WHOLE)


def test_a_slot_of_an_append_is_a_chunks_afterwards(local: UploadEngine) -> None:
    record = new(local)
    with begin(local, record) as chunk:
        chunk.write(WHOLE[:4])
        finish(chunk)
    plan = WritePlan(start=4, stop=len(WHOLE), total=len(WHOLE))
    with local.begin(record, plan) as chunk:
        local.interrupt(again(local, record))
        chunk.write(WHOLE[4:])
        chunk.finish_whole()
        chunk.commit()


def test_a_dead_processs_mark_is_not_believed(
    local: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new(local)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    stamp = append_marks._stamp(dead.pid)
    dead.wait()
    assert stamp
    monkeypatch.setattr(os, "getpid", lambda: dead.pid)
    monkeypatch.setattr(append_marks, "_own_stamp", (dead.pid, stamp))
    with begin(local, record) as left:
        left.write(WHOLE[:4])
        found = again(local, record)
        local.interrupt(found)
        assert found.offset == 0  # a power cut may have taken the bytes, and left the mark
    with begin(local, found) as chunk:
        chunk.write(WHOLE)
        finish(chunk)
    assert stored(local, found) == WHOLE


def test_what_a_failed_sync_was_to_store_is_not_kept(
    local: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new(local)
    asked, answered = threading.Event(), threading.Event()

    def fail(tree: files.Tree, descriptor: int) -> None:
        asked.set()
        answered.wait(10)
        raise OSError(errno.EIO, "I/O error")

    found = again(local, record)
    with begin(local, record) as failing:
        failing.write(WHOLE[:4])
        with monkeypatch.context() as patch:
            patch.setattr(files.Tree, "sync_data", fail)
            syncing = threading.Thread(target=_refused, args=(failing,))
            syncing.start()
            assert asked.wait(10)
        threading.Timer(0.05, answered.set).start()
        local.interrupt(found)
        syncing.join()
    assert found.offset == again(local, record).offset == 0


def _refused(chunk: Chunk) -> None:
    with chunk, pytest.raises(ServiceUnavailable):
        chunk.finish_prefix()


def test_an_invalid_upload_takes_no_more_bytes(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record) as chunk:
        chunk.write(WHOLE)
        engine.invalidate(again(engine, record))
        with pytest.raises((UploadExpired, OffsetMismatch)):
            finish(chunk)
    with pytest.raises(UploadExpired):
        begin(engine, again(engine, record))


def test_what_a_hanging_append_wrote_does_not_revive_an_invalid_upload(
    local: UploadEngine,
) -> None:
    record = new(local)
    with begin(local, record) as hanging:
        hanging.write(WHOLE[:4])
        asking = again(local, record)
        local.invalidate(again(local, record))
        with pytest.raises(UploadExpired):
            local.interrupt(asking)
    with pytest.raises(UploadExpired):
        local.check_open(again(local, record))
