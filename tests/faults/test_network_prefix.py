"""The engine can also keep the prefix that arrived: the rule of dialects that count in offsets."""

from __future__ import annotations

import pytest
from flask import Flask

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import OffsetMismatch, SizeMismatch
from chunked_upload.engine.plan import WritePlan
from chunked_upload.records.repository import Record
from tests.support.protocol import md5_of, records

CONTENT = bytes(range(256)) * 2


@pytest.fixture
def engine(app: Flask) -> UploadEngine:
    made: UploadEngine = app.extensions["chunked_upload"]["chunked_upload"].engine
    return made


def new_upload(engine: UploadEngine, length: int) -> Record:
    record: Record = engine.records.model(filename="file.bin", length=length)
    engine.create(record)
    return record


def test_prefix_of_a_broken_chunk_is_kept_wherever_it_broke(
    app: Flask, engine: UploadEngine
) -> None:
    with app.app_context():
        record = new_upload(engine, len(CONTENT))
        sizes = [1, 0, 7, 64, 100, 2, 300]
        for size in sizes:
            start = record.offset
            stop = min(start + size + 10, len(CONTENT))
            arrived = CONTENT[start : min(start + size, len(CONTENT))]
            with engine.begin(
                record, WritePlan(start=start, stop=stop, total=len(CONTENT))
            ) as chunk:
                if arrived:
                    chunk.write(arrived)
                chunk.finish_prefix()
                chunk.commit()
            assert record.offset == start + len(arrived)
        assert record.offset == sum(sizes)
        with engine.begin(
            record, WritePlan(start=record.offset, stop=len(CONTENT), total=len(CONTENT))
        ) as chunk:
            chunk.write(CONTENT[record.offset :])
            chunk.finish_prefix()
            chunk.commit()
        assert engine.completion.checksums(record)["md5"] == md5_of(CONTENT)


def test_broken_chunk_is_dropped_where_the_whole_chunk_rule_holds(
    app: Flask, engine: UploadEngine
) -> None:
    with app.app_context():
        record = new_upload(engine, len(CONTENT))
        with engine.begin(record, WritePlan(start=0, stop=100, total=len(CONTENT))) as chunk:
            chunk.write(CONTENT[:99])
            with pytest.raises(SizeMismatch):
                chunk.finish_whole()
        assert records(app)[0].offset == 0


def test_prefix_of_a_preempted_chunk_is_not_kept(app: Flask, engine: UploadEngine) -> None:
    """What a stalled writer has is the newcomer's to overwrite, so it may not be recorded."""
    with app.app_context():
        record = new_upload(engine, len(CONTENT))
        old = engine.begin(record, WritePlan(start=0, stop=100, total=len(CONTENT)))
        old.write(b"x" * 50)
        with engine.begin(records(app)[0], WritePlan(start=0, stop=100, total=len(CONTENT))) as new:
            new.write(CONTENT[:20])
            with old:
                old.finish_prefix()
                with pytest.raises(OffsetMismatch):
                    old.commit()
            new.finish_prefix()
            new.commit()
        stored = records(app)[0]
        assert stored.offset == 20
        assert b"".join(engine.storage.read_part(stored, 0, 20)) == CONTENT[:20]
