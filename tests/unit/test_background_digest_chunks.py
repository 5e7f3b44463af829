"""The engine with background digests: over several workers, crashes, takeovers, dropped chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chunked_upload.checksum import background
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import OffsetMismatch, SizeMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record
from tests.support.digests import digest_of_state, digest_offset, digest_state
from tests.support.examples import examples
from tests.support.protocol import md5_of
from tests.unit.conftest import Gate

MiB = 1024 * 1024
BUFFER = 256 * 1024


@pytest.fixture
def engine(app: Flask) -> Iterator[UploadEngine]:
    with app.app_context():
        yield app.extensions["chunked_upload"]["chunked_upload"].engine


def worker(engine: UploadEngine) -> UploadEngine:
    """Return the engine of another process: it shares storage and database, nothing else."""
    return UploadEngine(
        settings=engine.settings,
        storage=engine.storage,
        records=engine.records,
        emit=lambda event, record: None,
    )


def new(engine: UploadEngine, length: int) -> Record:
    record: Record = engine.records.model(
        upload_set="chunked_upload", filename="f.bin", length=length, reserved=0
    )
    engine.create(record)
    return record


def look_up(engine: UploadEngine, record: Record) -> Record:
    return engine.find_own(record.upload_id, upload_set="chunked_upload", owner=None)


def begin(engine: UploadEngine, record: Record, data: bytes, **options: Any) -> Any:
    record = look_up(engine, record)
    start = options.pop("start", record.offset)
    return engine.begin(
        record, WritePlan(start=start, stop=start + len(data), total=record.length, **options)
    )


def write(chunk: Any, data: bytes) -> None:
    for at in range(0, len(data), BUFFER):
        chunk.write(data[at : at + BUFFER])


def store(engine: UploadEngine, record: Record, data: bytes, **options: Any) -> Record:
    """Store the next chunk as a request of its own does."""
    with begin(engine, record, data, **options) as chunk:
        write(chunk, data)
        chunk.finish_whole()
        chunk.commit()
    return look_up(engine, record)


def pattern(size: int, seed: int = 0) -> bytes:
    """Return bytes of which no two places look the same."""
    return b"".join((n + seed * 2**32).to_bytes(8, "big") for n in range(size // 8 + 1))[:size]


@pytest.mark.one_database
def test_a_chunk_is_committed_before_it_is_hashed(engine: UploadEngine, gate: Gate) -> None:
    data = pattern(2 * MiB)
    record = store(engine, new(engine, len(data)), data)
    assert (record.offset, digest_offset(record)) == (len(data), 0)
    gate.open()
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


@pytest.mark.one_database
def test_the_record_is_never_further_behind_than_the_bound(engine: UploadEngine) -> None:
    data = pattern(12 * MiB)
    record = new(engine, 2 * len(data))
    for part in (data, data):
        record = store(engine, record, part)
        behind = record.offset - digest_offset(record)
        assert 0 <= behind <= background.MAX_LAG
        assert digest_of_state(record) == md5_of((data + data)[: digest_offset(record)])


def test_the_next_chunk_continues_with_the_background_digest(
    engine: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pattern(3 * MiB)
    record = new(engine, len(data))

    def no_reading(upload_id: str, start: int, stop: int) -> Iterator[bytes]:
        raise AssertionError("bytes were read back")

    monkeypatch.setattr(engine.storage, "read_part", no_reading)
    for at in range(0, len(data), MiB):
        record = store(engine, record, data[at : at + MiB])
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


def test_another_worker_goes_on_from_the_record(engine: UploadEngine, gate: Gate) -> None:
    data = pattern(3 * MiB)
    record = store(engine, new(engine, len(data)), data[:MiB])
    assert digest_offset(record) == 0
    gate.open()
    other = worker(engine)
    record = store(other, record, data[MiB : 2 * MiB])
    record = store(engine, record, data[2 * MiB :])  # whose own background digest ends before
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


def test_completing_after_a_crash_reads_what_the_digest_missed(
    engine: UploadEngine, gate: Gate
) -> None:
    data = pattern(MiB)
    record = store(engine, new(engine, len(data)), data)
    assert digest_offset(record) == 0
    gate.open()
    restarted = worker(engine)
    assert restarted.completion.checksums(record)["md5"] == md5_of(data)
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


@pytest.mark.one_database
def test_a_checksum_can_be_asked_for_twice(engine: UploadEngine) -> None:
    data = pattern(MiB)
    record = store(engine, new(engine, len(data)), data)
    assert [engine.completion.checksums(record)["md5"] for _ in range(2)] == [md5_of(data)] * 2


@pytest.mark.one_database
def test_the_bytes_of_a_dropped_chunk_are_in_no_digest(engine: UploadEngine) -> None:
    data = pattern(2 * MiB)
    record = store(engine, new(engine, len(data)), data[:MiB])
    with begin(engine, record, data[MiB:]) as chunk:
        write(chunk, pattern(MiB // 2, seed=1))
        with pytest.raises(SizeMismatch):
            chunk.finish_whole()
    record = store(engine, record, data[MiB:])
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


def test_the_bytes_of_an_overtaken_writer_are_in_no_digest(engine: UploadEngine) -> None:
    data = pattern(2 * MiB)
    record = store(engine, new(engine, len(data)), data[:MiB])
    with begin(engine, record, data[MiB:]) as old:
        write(old, pattern(MiB, seed=1))
        old.finish_whole()
        with begin(engine, record, data[MiB:]) as newcomer:
            with pytest.raises(OffsetMismatch):
                old.commit()
            write(newcomer, data[MiB:])
            newcomer.finish_whole()
            newcomer.commit()
    record = look_up(engine, record)
    assert digest_of_state(record) == md5_of(data[: digest_offset(record)])
    assert engine.completion.checksums(record)["md5"] == md5_of(data)


def test_a_late_commit_does_not_take_the_digest_back(engine: UploadEngine, gate: Gate) -> None:
    data = pattern(2 * MiB)
    record = new(engine, len(data))
    with begin(engine, record, data[:MiB], placement=Placement.ANYWHERE) as chunk:
        write(chunk, data[:MiB])
        chunk.finish_whole()
        gate.open()
        other = worker(engine)
        store(other, record, data[MiB:], start=MiB, placement=Placement.ANYWHERE)
        # The same bytes once more would go further; this commit comes with an older state.
        chunk.commit()
    record = look_up(engine, record)
    assert record.offset == len(data)
    assert digest_of_state(record) == md5_of(data[: digest_offset(record)])
    assert worker(engine).completion.checksums(record)["md5"] == md5_of(data)


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 2),  # which worker
            st.sampled_from([1, 1000, 64 * 1024, 300 * 1024]),  # how many bytes
            st.sampled_from(["store", "store", "store", "drop", "overtake", "restart"]),
        ),
        max_size=12,
    )
)
def test_whatever_happens_the_digest_is_that_of_the_recorded_bytes(
    engine: UploadEngine, steps: list[tuple[int, int, str]]
) -> None:
    length = sum(size for _, size, what in steps if what in ("store", "overtake")) + 1
    data = pattern(length)
    record = new(engine, length)
    workers = [worker(engine) for _ in range(3)]
    for number, size, what in steps:
        mine = workers[number]
        part = data[record.offset : record.offset + size]
        if what == "restart":
            workers[number] = worker(engine)
        elif what == "drop":
            with begin(mine, record, part) as chunk:
                write(chunk, pattern(len(part), seed=7))
        elif what == "overtake":
            with begin(mine, record, part) as old:
                write(old, pattern(len(part), seed=9))
                old.finish_whole()
                record = store(workers[number - 1], record, part)
                with pytest.raises(OffsetMismatch):
                    old.commit()
        else:
            record = store(mine, record, part)
        if digest_state(record) is not None:
            found = digest_of_state(record)
            assert found == md5_of(data[: digest_offset(record)])
    record = store(workers[0], record, data[record.offset :])
    for mine in workers:
        assert mine.completion.checksums(look_up(mine, record))["md5"] == md5_of(data)
