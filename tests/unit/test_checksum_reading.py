"""The file is read once for its checksum, however often a completion is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from chunked_upload.checksum import libcrypto
from chunked_upload.engine import checksumming
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import ServiceUnavailable
from chunked_upload.records.repository import Record
from tests.support.protocol import md5_of
from tests.unit.test_background_digest_chunks import look_up, new, pattern, store, worker

DATA = pattern(64 * 1024)


@pytest.fixture
def engine(app: Flask) -> Iterator[UploadEngine]:
    with app.app_context():
        yield app.extensions["chunked_upload"]["chunked_upload"].engine


class Reads:
    """Counts what is read from the storage; can hold readers back."""

    def __init__(self, engine: UploadEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parts: list[tuple[int, int]] = []
        self.files = 0
        self.open = threading.Event()
        self.open.set()
        self.started = threading.Event()
        read_part, open_file = engine.storage.read_part, engine.storage.open

        def counted_part(upload: Any, start: int, stop: int) -> Iterator[bytes]:
            self.parts.append((start, stop))
            self.started.set()
            assert self.open.wait(60)
            yield from read_part(upload, start, stop)

        def counted_file(path: str) -> Any:
            self.files += 1
            return open_file(path)

        monkeypatch.setattr(engine.storage, "read_part", counted_part)
        monkeypatch.setattr(engine.storage, "open", counted_file)


@pytest.fixture
def reads(engine: UploadEngine, monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(engine, monkeypatch)


@pytest.fixture
def unseen(engine: UploadEngine) -> Record:
    """An upload with all its bytes, of which no digest has seen any."""
    record = store(engine, new(engine, len(DATA)), DATA)
    engine.records.swap(record, {"checksum_states": {}})
    return look_up(engine, record)


def test_what_was_read_is_recorded(engine: UploadEngine, unseen: Record, reads: Reads) -> None:
    """Every request looks the record up again, in any process."""
    for _ in range(3):
        record = look_up(engine, unseen)
        assert worker(engine).completion.checksums(record) == {"md5": md5_of(DATA)}
    assert reads.parts == [(0, len(DATA))]
    assert (record.status, record.checksums, record.md5) == (1, {}, None)


def test_what_the_background_digest_found_is_kept(engine: UploadEngine, reads: Reads) -> None:
    record = store(engine, new(engine, len(DATA)), DATA)
    engine.records.swap(record, {"checksum_states": {}})
    for _ in range(3):
        assert engine.completion.checksums(look_up(engine, record))["md5"] == md5_of(DATA)
    assert reads.parts == []


def test_without_a_storable_digest_too(
    engine: UploadEngine, unseen: Record, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libcrypto, "find_functions", lambda *_: None)
    for _ in range(3):
        record = look_up(engine, unseen)
        assert worker(engine).completion.checksums(record) == {"md5": md5_of(DATA)}
    assert reads.parts == [(0, len(DATA))]


def test_several_are_computed_in_one_reading(
    engine: UploadEngine, unseen: Record, reads: Reads
) -> None:
    found = worker(engine).completion.checksums(unseen, ("sha256",))
    assert set(found) == {"md5", "sha256"}
    assert reads.parts == [(0, len(DATA))]


def test_one_request_reads_and_the_others_wait_for_what_it_finds(
    engine: UploadEngine, unseen: Record, reads: Reads
) -> None:
    mine = worker(engine)
    reads.open.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(mine.completion.checksums, look_up(engine, unseen)) for _ in range(8)]
        assert reads.started.wait(60)
        reads.open.set()
        assert [each.result(60) for each in asked] == [{"md5": md5_of(DATA)}] * 8
    assert reads.parts == [(0, len(DATA))]


def test_who_waits_too_long_is_told_to_try_again(
    engine: UploadEngine, unseen: Record, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksumming, "_LONGEST_WAIT", 0.05)
    mine = worker(engine)
    reads.open.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mine.completion.checksums, look_up(engine, unseen))
        assert reads.started.wait(60)
        with pytest.raises(ServiceUnavailable):
            mine.completion.checksums(look_up(engine, unseen))
        reads.open.set()
        assert first.result(60) == {"md5": md5_of(DATA)}
    assert mine.completion.checksums(look_up(engine, unseen)) == {"md5": md5_of(DATA)}


def test_a_finished_file_is_read_once_for_a_checksum_that_it_does_not_have(
    engine: UploadEngine, reads: Reads
) -> None:
    record = store(engine, new(engine, len(DATA)), DATA)
    engine.completion.promote(record)
    assert engine.completion.commit(record)
    for _ in range(3):
        found = engine.completion.checksums(look_up(engine, record), ("sha256",))
        assert found["md5"] == md5_of(DATA)
    assert reads.files == 1
    assert set(look_up(engine, record).checksums) == {"md5", "sha256"}


def test_recording_leaves_what_hooks_changed_unsaved(
    engine: UploadEngine, unseen: Record, reads: Reads
) -> None:
    unseen.filename = "by-a-hook.bin"
    worker(engine).completion.checksums(unseen)
    assert look_up(engine, unseen).filename == "f.bin"
