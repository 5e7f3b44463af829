"""A chunk's record is read again once its lease is taken, unless nobody can have moved it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import (
    AlreadyComplete,
    OffsetMismatch,
    ServiceUnavailable,
    UploadNotFound,
)
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record, Records
from chunked_upload.storage import LocalStorage, WriteLease
from chunked_upload.storage.local.files import closing
from chunked_upload.storage.local.lease_table import Entry


@pytest.fixture
def engine(app: Flask) -> Iterator[UploadEngine]:
    with app.app_context():
        yield app.extensions["chunked_upload"]["chunked_upload"].engine


@pytest.fixture
def record(engine: UploadEngine) -> Record:
    """An upload of eight bytes, the first four of which are there."""
    made: Record = engine.records.model(
        upload_set="chunked_upload", filename="f", length=8, reserved=0
    )
    engine.create(made)
    store(begin(engine, made, 0, creates=True), b"head")
    return made


@pytest.fixture
def looks(engine: UploadEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The upload of every second look."""
    made: list[str] = []

    def refresh(records: Records, record: Record) -> bool:
        made.append(record.upload_id)
        return really(records, record)

    really = Records.refresh
    monkeypatch.setattr(Records, "refresh", refresh)
    return made


def look_up(engine: UploadEngine, record: Record) -> Record:
    """Return the record as a request reads it that has a chunk of it."""
    return engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)


def another_process(engine: UploadEngine) -> UploadEngine:
    return UploadEngine(
        settings=engine.settings,
        storage=engine.storage,
        records=engine.records,
        emit=lambda name, record: None,
    )


def begin(engine: UploadEngine, record: Record, start: int, **options: Any) -> Chunk:
    return engine.begin(record, WritePlan(start=start, stop=start + 4, total=8, **options))


def store(chunk: Chunk, data: bytes) -> None:
    with chunk:
        chunk.write(data)
        chunk.finish_whole()
        chunk.commit()


def complete(engine: UploadEngine, record: Record) -> None:
    record.md5 = engine.completion.checksums(record)["md5"]
    engine.completion.mark(record)
    engine.completion.promote(record)
    engine.completion.commit(record)
    engine.completion.settle(record, lambda: None)


def test_a_chunk_after_this_process_committed_the_one_before(
    engine: UploadEngine, looks: list[str], record: Record
) -> None:
    """Nobody has come in between, so the record need not be read again."""
    looks.clear()
    store(begin(engine, look_up(engine, record), 4), b"tail")
    assert looks == []
    assert look_up(engine, record).offset == 8


def test_a_chunk_after_another_process_has_had_the_lease(
    engine: UploadEngine, looks: list[str], record: Record
) -> None:
    found = look_up(engine, record)
    assert isinstance(engine.storage, LocalStorage)
    engine.storage.open_writer(record, 4, 8, have=4).close()
    looks.clear()
    store(begin(engine, found, 4), b"tail")
    assert looks == [record.upload_id]


def test_a_chunk_after_a_parallel_one_of_another_process(engine: UploadEngine) -> None:
    """It took its lease before this process's last commit, and committed after the look-up."""
    made: Record = engine.records.model(
        upload_set="chunked_upload", filename="f", length=8, reserved=0
    )
    engine.create(made)
    others = another_process(engine)
    parallel = {"placement": Placement.ANYWHERE}
    theirs = begin(others, look_up(others, made), 4, **parallel)
    store(begin(engine, look_up(engine, made), 0, **parallel), b"head")
    found = look_up(engine, made)
    assert found.offset == 4
    store(theirs, b"tail")
    with pytest.raises(OffsetMismatch):
        begin(engine, found, 4)


def test_chunks_that_come_to_several_processes(
    engine: UploadEngine, looks: list[str], record: Record
) -> None:
    others = another_process(engine)
    looks.clear()
    store(begin(others, look_up(others, record), 4), b"tail")
    assert looks == []
    assert look_up(engine, record).offset == 8


def test_after_a_chunk_that_was_dropped(engine: UploadEngine, record: Record) -> None:
    found = look_up(engine, record)
    with begin(engine, look_up(engine, record), 4) as dropped:
        dropped.write(b"xxxx")
    store(begin(engine, found, 4), b"tail")
    assert look_up(engine, record).offset == 8


def test_beside_a_chunk_that_goes_on(engine: UploadEngine, record: Record) -> None:
    with begin(engine, look_up(engine, record), 4) as older:
        older.write(b"xx")
        newer = begin(engine, look_up(engine, record), 4)
        with pytest.raises(OffsetMismatch):
            older.write(b"xx")
        store(newer, b"tail")


def taken(engine: UploadEngine, record: Record) -> None:
    store(begin(engine, look_up(engine, record), 4), b"tail")


def completed(engine: UploadEngine, record: Record) -> None:
    taken(engine, record)
    complete(engine, look_up(engine, record))


def removed(engine: UploadEngine, record: Record) -> None:
    engine.abort(look_up(engine, record))


@pytest.mark.parametrize(
    ("meanwhile", "refusal"),
    [(taken, OffsetMismatch), (completed, AlreadyComplete), (removed, UploadNotFound)],
)
def test_what_came_in_between_is_seen_before_a_byte_is_written(
    engine: UploadEngine,
    record: Record,
    meanwhile: Callable[[UploadEngine, Record], None],
    refusal: type[Exception],
) -> None:
    found = look_up(engine, record)
    meanwhile(engine, record)
    with pytest.raises(refusal):
        begin(engine, found, 4)


def test_a_chunk_that_comes_right_after_the_look_up(
    engine: UploadEngine, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*args: Any, **options: Any) -> Record | None:
        found = really(*args, **options)
        with monkeypatch.context() as undone:
            undone.setattr(engine.records, "find", really)
            taken(engine, record)
        return found

    really = engine.records.find
    monkeypatch.setattr(engine.records, "find", find)
    found = look_up(engine, record)
    assert found.offset == 4
    with pytest.raises(OffsetMismatch):
        begin(engine, found, 4)


def test_a_commit_that_the_database_carries_out_after_all(
    engine: UploadEngine, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that breaks does not tell what becomes of its last statement."""
    under_way: list[Callable[[], bool]] = []

    def break_off(*args: Any, **options: Any) -> bool:
        under_way.append(lambda: swap(*args, **options))
        raise OperationalError("UPDATE", {}, Exception("the connection was cut"))

    with begin(engine, look_up(engine, record), 4) as cut:
        cut.write(b"xxxx")
        cut.finish_whole()
        with monkeypatch.context() as patched:
            swap = engine.records.swap
            patched.setattr(engine.records, "swap", break_off)
            with pytest.raises(ServiceUnavailable):
                cut.commit()
    with begin(engine, look_up(engine, record), 4) as again:
        again.write(b"ta")
        assert not under_way[0]()
        again.write(b"il")
        again.finish_whole()
        again.commit()
    assert b"".join(engine.storage.read_part(record, 0, 8)) == b"headtail"


def test_a_chunk_refused_by_the_second_look_gives_its_lease_back(
    engine: UploadEngine, record: Record
) -> None:
    stale = look_up(engine, record)
    store(begin(engine, record, 4), b"tail")
    with pytest.raises(OffsetMismatch):
        begin(engine, stale, 4)
    with engine.storage.open_writer(record, 4, 8, have=8) as lease:
        assert isinstance(lease, WriteLease)
        assert not lease.preempted


def test_a_request_that_comes_too_late_never_writes_to_the_finished_file(
    engine: UploadEngine, record: Record
) -> None:
    """It has opened the part and the table of leases, which have ended by now."""
    late = look_up(engine, record)
    storage = engine.storage
    assert isinstance(storage, LocalStorage)
    part, side = storage.open_part(late.upload_id, create=False), storage.open_side(late.upload_id)
    with closing(part), closing(side):
        others = another_process(engine)
        store(begin(others, look_up(others, record), 4), b"tail")
        complete(others, look_up(others, record))

        Entry(side, 4, 8)  # another late request's, of a third process
        assert not Entry(side, 4, 8).follows(late.offset, late.fencing_token)
