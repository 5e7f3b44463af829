"""Removals that others run into: whatever moved the record meanwhile, nothing of it stays.

The steps are put in order by hand; the races themselves are in test_concurrency_completion.py.
"""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.plan import WritePlan
from chunked_upload.records.repository import Record
from tests.support.protocol import nothing_left


@pytest.fixture
def engine(app: Flask) -> UploadEngine:
    made: UploadEngine = app.extensions["chunked_upload"]["chunked_upload"].engine
    return made


def begun_upload(engine: UploadEngine) -> Record:
    """Make an upload of 20 bytes that has 10 of them."""
    record: Record = engine.records.model(filename="file.bin", length=20)
    engine.create(record)
    send(engine, record, 0)
    return record


def send(engine: UploadEngine, record: Record, start: int) -> None:
    with engine.begin(record, WritePlan(start=start, stop=start + 10, total=20)) as chunk:
        chunk.write(b"x" * 10)
        chunk.finish_whole()
        chunk.commit()


def again(engine: UploadEngine, record: Record) -> Record:
    """Read a record as another request would."""
    return engine.find(select(engine.records.model).filter_by(upload_id=record.upload_id))


def test_abort_of_a_record_that_a_chunk_has_moved_since_leaves_nothing(
    app: Flask, engine: UploadEngine
) -> None:
    with app.app_context():
        record = begun_upload(engine)
        stale = again(engine, record)
        send(engine, record, 10)
        engine.abort(stale)
    assert nothing_left(app)


def test_removal_beside_a_chunk_that_takes_the_lease_leaves_nothing(
    app: Flask, engine: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        record = begun_upload(engine)
        late = again(engine, record)
        withdraw = engine.storage.withdraw

        def withdraw_beside_a_late_chunk(upload: Record, directory: str) -> None:
            monkeypatch.undo()
            engine.records.raise_fencing_token(late)
            withdraw(upload, directory)

        monkeypatch.setattr(engine.storage, "withdraw", withdraw_beside_a_late_chunk)
        engine.abort(record)
        assert engine.storage.withdraw == withdraw  # it was called
        with pytest.raises(UploadNotFound):
            engine.begin(late, WritePlan(start=10, stop=20, total=20))
    assert nothing_left(app)


def test_a_late_chunk_does_not_hide_the_file_of_a_completion_that_died(
    app: Flask, engine: UploadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        record = begun_upload(engine)
        late = again(engine, record)
        send(engine, record, 10)
        engine.completion.promote(again(engine, record))  # and then its process dies
        withdraw = engine.storage.withdraw

        def withdraw_after_a_late_chunk(upload: Record, directory: str) -> None:
            monkeypatch.undo()
            with pytest.raises(UploadNotFound):
                engine._parts.look_again(late)
            withdraw(upload, directory)

        monkeypatch.setattr(engine.storage, "withdraw", withdraw_after_a_late_chunk)
        engine.abort(record)
    assert nothing_left(app)
