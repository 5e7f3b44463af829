"""The engine with real storage and database: digests follow, commits compare, prefixes stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chunked_upload.checksum import libcrypto
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import (
    AlreadyComplete,
    BytesDiffer,
    FileTooLarge,
    NotComplete,
    OffsetMismatch,
    SizeMismatch,
    TotalMismatch,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from tests.support.digests import digest_offset, digest_state, states
from tests.support.examples import examples
from tests.support.protocol import files, md5_of, nothing_left

DATA = b"hello world"


@pytest.fixture
def engine(app: Flask) -> Iterator[UploadEngine]:
    with app.app_context():
        yield app.extensions["chunked_upload"]["chunked_upload"].engine


def new(engine: UploadEngine, length: int | None = 11) -> Record:
    record: Record = engine.records.model(
        upload_set="chunked_upload", filename="f.bin", length=length, reserved=0
    )
    engine.create(record)
    return record


def look_up(engine: UploadEngine, record: Record) -> Record:
    return engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)


def begin(
    engine: UploadEngine, record: Record, start: int, stop: int | None, **options: Any
) -> Chunk:
    options.setdefault("total", record.length)
    return engine.begin(record, WritePlan(start=start, stop=stop, **options))


def store(engine: UploadEngine, record: Record, start: int, data: bytes, **options: Any) -> Record:
    """Store a chunk as a request of its own does."""
    record = look_up(engine, record)
    with begin(engine, record, start, start + len(data), **options) as chunk:
        chunk.write(data)
        chunk.finish_whole()
        chunk.commit()
    return look_up(engine, record)


def complete(engine: UploadEngine, record: Record) -> Record:
    record = look_up(engine, record)
    record.md5 = engine.completion.checksums(record)["md5"]
    engine.completion.mark(record)
    engine.completion.promote(record)
    engine.completion.commit(record)
    engine.completion.settle(record, lambda: None)
    return look_up(engine, record)


def restarted(engine: UploadEngine) -> UploadEngine:
    """Return the engine of a new process, which knows only what is stored."""
    return UploadEngine(
        settings=engine.settings,
        storage=engine.storage,
        records=engine.records,
        emit=lambda event, record: None,
    )


def content(engine: UploadEngine, record: Record) -> bytes:
    record = look_up(engine, record)
    return b"".join(engine.storage.read_part(record, 0, record.offset))


# The count


@pytest.mark.parametrize(
    ("first", "more"), [(b"hello", b" world!"), (DATA, b"!"), (b"", b"x" * 12)]
)
def test_more_bytes_than_declared_are_not_written(
    engine: UploadEngine, first: bytes, more: bytes
) -> None:
    record = new(engine)
    with begin(engine, record, 0, 11) as chunk:
        chunk.write(first)
        with pytest.raises(SizeMismatch):
            chunk.write(more)
    assert look_up(engine, record).offset == 0


def test_a_whole_chunk_that_broke_off_is_dropped(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"he")
    with begin(engine, record, 2, 11) as chunk:
        chunk.write(b"llo")
        with pytest.raises(SizeMismatch):
            chunk.finish_whole()
    assert content(engine, record) == b"he"
    store(engine, record, 2, b"LLO world")
    assert content(engine, record) == b"heLLO world"


def test_an_offset_dialect_keeps_the_prefix_that_arrived(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"he")
    with begin(engine, record, 2, 11) as chunk:
        chunk.write(b"llo")
        chunk.finish_prefix()
        chunk.commit()
    assert content(engine, record) == b"hello"
    store(engine, record, 5, b" world")
    assert complete(engine, record).md5 == md5_of(DATA)


def test_a_limit_holds_for_the_file_not_the_chunk(engine: UploadEngine) -> None:
    record = store(engine, new(engine, length=None), 0, b"hello", total=None, max_bytes=8)
    assert record.length == 5
    record = store(engine, new(engine, 100), 0, b"hello", max_bytes=8)
    with begin(engine, record, 5, 100, max_bytes=8) as chunk:
        chunk.write(b"xyz")
        with pytest.raises(FileTooLarge):
            chunk.write(b"!")
    assert content(engine, record) == b"hello"


def test_the_length_of_an_unknown_one_is_what_came(engine: UploadEngine) -> None:
    record = new(engine, length=None)
    with begin(engine, record, 0, None) as chunk:
        chunk.write(DATA)
        chunk.finish_whole()
        chunk.commit()
    assert look_up(engine, record).length == 11


# Commits compare


def test_a_commit_of_a_record_that_moved_is_refused(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"hello")
    stale = look_up(engine, record)
    store(engine, record, 5, b" wor")
    with pytest.raises(OffsetMismatch) as caught:
        begin(engine, stale, 5, 11)
    assert caught.value.data["offset"] == 9
    assert content(engine, record) == b"hello wor"


def test_two_chunks_at_once_one_commits(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"hello")
    one, two = (begin(engine, look_up(engine, record), 5, 11) for _ in range(2))
    with one, pytest.raises(OffsetMismatch):
        one.write(b" WORLD")
    with two:
        two.write(b" world")
        two.finish_whole()
        two.commit()
    assert content(engine, record) == DATA


def test_a_chunk_beyond_a_length_that_came_meanwhile_is_not_stored(engine: UploadEngine) -> None:
    record = new(engine, None)
    with begin(engine, record, 5, 10, placement=Placement.ANYWHERE) as late:
        late.write(b"world")
        store(engine, record, 0, b"abc", total=3)
        late.finish_whole()
        with pytest.raises(SizeMismatch):
            late.commit()
    stored = look_up(engine, record)
    assert (stored.offset, stored.length, stored.received) == (3, 3, [])


def test_the_order_of_checks(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"hello")
    with pytest.raises(TotalMismatch):
        begin(engine, look_up(engine, record), 0, 5, total=99)
    with pytest.raises(OffsetMismatch):
        begin(engine, look_up(engine, record), 0, 5)
    store(engine, record, 5, b" world")
    complete(engine, record)
    with pytest.raises(AlreadyComplete):
        begin(engine, look_up(engine, record), 0, 5, total=99)


def test_what_a_hook_changes_goes_into_the_same_commit(engine: UploadEngine) -> None:
    record = new(engine)
    with begin(engine, record, 0, 11) as chunk:
        chunk.write(DATA)
        chunk.finish_whole()
        record.filename = "renamed.bin"
        chunk.commit()
    assert look_up(engine, record).filename == "renamed.bin"


# The digest


def test_the_md5_is_ready_without_reading_the_file(
    engine: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new(engine)
    for n in range(11):
        record = store(engine, record, n, DATA[n : n + 1])

    def read_part(upload_id: str, start: int, stop: int) -> Iterator[bytes]:
        assert start == stop, "the file was read"
        return iter(())

    monkeypatch.setattr(engine.storage, "read_part", read_part)
    assert engine.completion.checksums(record)["md5"] == md5_of(DATA)


@pytest.mark.parametrize("lost_after", [0, 5, 11])
@pytest.mark.parametrize("state", [None, b"", b"of another version"])
def test_a_digest_that_is_lost_catches_up(
    engine: UploadEngine, lost_after: int, state: bytes | None
) -> None:
    record = new(engine)
    for start, stop in ((0, 5), (5, 11)):
        if lost_after == start:
            engine.records.swap(record, {"checksum_states": states(digest_offset(record), state)})
        record = store(restarted(engine), record, start, DATA[start:stop])
    if lost_after == 11:
        engine.records.swap(record, {"checksum_states": states(digest_offset(record), state)})
    assert restarted(engine).completion.checksums(look_up(engine, record))["md5"] == md5_of(DATA)


def test_a_digest_that_is_behind_catches_up(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"he")
    behind = {"checksum_states": record.checksum_states}
    record = store(engine, record, 2, b"llo ")
    engine.records.swap(record, behind)
    record = store(restarted(engine), record, 6, b"world")
    assert restarted(engine).completion.checksums(look_up(engine, record))["md5"] == md5_of(DATA)


def test_without_a_storable_digest_the_file_is_read_once(
    engine: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libcrypto, "find_functions", lambda *_: None)
    record = new(engine)
    for start, stop in ((0, 5), (5, 11)):
        record = store(engine, record, start, DATA[start:stop])
    assert digest_state(record) is None
    assert engine.completion.checksums(record)["md5"] == md5_of(DATA)


# Ranges in any order


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_ranges_in_any_order_and_overlapping(engine: UploadEngine, data: st.DataObject) -> None:
    whole = bytes(n % 251 for n in range(40))
    record = new(engine, 40)
    have: set[int] = set()
    span = st.tuples(st.integers(0, 39), st.integers(1, 20))
    for start, size in data.draw(st.lists(span, max_size=6)):
        stop = min(start + size, 40)
        record = store(engine, record, start, whole[start:stop], placement=Placement.ANYWHERE)
        have |= set(range(start, stop))
        prefix = next(n for n in range(41) if n not in have)
        assert record.offset == prefix
        missing = {n for low, high in engine.gaps(record) for n in range(low, high)}
        assert missing == set(range(40)) - have
        if prefix < 40:
            with pytest.raises(NotComplete):
                engine.completion.checksums(record)["md5"]
    for start, stop in engine.gaps(record):
        record = store(engine, record, start, whole[start:stop], placement=Placement.ANYWHERE)
    assert content(engine, record) == whole
    assert complete(engine, record).md5 == md5_of(whole)


def test_other_bytes_for_a_stored_range_are_refused(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 4, b"o wo", placement=Placement.ANYWHERE)
    for start, data in ((4, b"X wo"), (0, b"hellX"), (6, b"WOr")):
        with pytest.raises(BytesDiffer):
            store(engine, record, start, data, placement=Placement.ANYWHERE)
    record = store(engine, record, 0, b"hello", placement=Placement.ANYWHERE)
    record = store(engine, record, 6, b"world", placement=Placement.ANYWHERE)
    assert content(engine, record) == DATA


# Complete, expire, remove


def test_completing_is_recorded_once(engine: UploadEngine, app: Flask) -> None:
    record = store(engine, new(engine), 0, DATA)
    one, two = look_up(engine, record), look_up(engine, record)
    told: list[str] = []
    for each in (one, two):
        each.md5 = engine.completion.checksums(each)["md5"]
        engine.completion.mark(each)
    for each in (one, two):
        engine.completion.promote(each)
    assert one.path == two.path
    assert [engine.completion.commit(each) for each in (one, two)] == [True, False]
    for each in (one, two):
        engine.completion.settle(each, lambda: told.append("done"))
    assert told == ["done"]
    assert len(files(app)) == 1


def test_a_late_chunk_beside_the_hook_does_not_make_it_run_again(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, DATA)
    record.md5 = engine.completion.checksums(record)["md5"]
    engine.completion.promote(record)
    engine.completion.commit(record)
    told: list[str] = []

    def hook() -> None:
        told.append("done")
        engine.records.raise_fencing_token(
            record
        )  # as a chunk does that takes over from another one

    for _ in range(2):
        engine.completion.settle(look_up(engine, record), hook)
    assert told == ["done"]


def test_an_expired_upload_takes_nothing(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 0, b"hello")
    engine.records.swap(record, {"expires_on": datetime.now(UTC) - timedelta(seconds=1)})
    with pytest.raises(UploadExpired):
        begin(engine, look_up(engine, record), 5, 11)
    assert engine.expire(look_up(engine, record))
    with pytest.raises(UploadNotFound):
        look_up(engine, record)


def test_an_upload_that_got_a_chunk_does_not_expire(engine: UploadEngine, app: Flask) -> None:
    record = store(engine, new(engine), 0, b"hello")
    engine.records.swap(record, {"expires_on": datetime.now(UTC) - timedelta(seconds=1)})
    seen = look_up(engine, record)
    engine.records.swap(look_up(engine, record), {"expires_on": datetime.now(UTC) + timedelta(1)})
    assert not engine.expire(seen)
    assert content(engine, record) == b"hello"


def test_removing_leaves_nothing(engine: UploadEngine, app: Flask) -> None:
    unfinished = store(engine, new(engine), 0, b"hello")
    finished = complete(engine, store(engine, new(engine), 0, DATA))
    assert finished.status == Status.COMPLETE
    for record in (unfinished, finished):
        stale = look_up(engine, record)
        engine.abort(look_up(engine, record))
        with pytest.raises(UploadNotFound):
            engine.abort(stale)
    assert nothing_left(app)


def test_a_chunk_whose_upload_is_removed_meanwhile_is_of_none(
    engine: UploadEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when it has to read back what lies behind it; no bytes are missed in the log."""
    record = store(engine, new(engine), 5, b" world", placement=Placement.ANYWHERE)
    with begin(engine, record, 0, 5, placement=Placement.ANYWHERE) as chunk:
        chunk.write(b"hello")
        engine.abort(look_up(engine, record))
        with pytest.raises(UploadNotFound):
            chunk.finish_whole()
    assert not caplog.records


def test_a_chunk_that_cannot_read_back_what_was_stored_says_so(engine: UploadEngine) -> None:
    record = store(engine, new(engine), 5, b" world", placement=Placement.ANYWHERE)
    with begin(engine, record, 0, 5, placement=Placement.ANYWHERE) as chunk:
        chunk.write(b"hello")
        engine.storage.discard_part(record)
        with pytest.raises(UploadExpired, match="bytes of this upload are gone"):
            chunk.finish_whole()


def test_a_completion_that_a_removal_overtakes_leaves_no_file(
    engine: UploadEngine, app: Flask
) -> None:
    record = store(engine, new(engine), 0, DATA)
    completing = look_up(engine, record)
    completing.md5 = engine.completion.checksums(completing)["md5"]
    engine.completion.mark(completing)
    engine.completion.promote(completing)
    engine.abort(look_up(engine, record))
    with pytest.raises(UploadNotFound):
        engine.completion.commit(completing)
    assert nothing_left(app)
