"""Two uploads with one file name: removing one of them never takes the other's file.

The name of a finished file becomes free when its upload is removed, and the next one of that name
takes it. Whoever is late with removing the first must notice. Here the steps are put in order by
hand; each stands for a process that was slow.
"""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.plan import WritePlan
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from tests.support.protocol import files, md5_of


@pytest.fixture
def engine(app: Flask) -> UploadEngine:
    made: UploadEngine = app.extensions["chunked_upload"]["chunked_upload"].engine
    return made


def full_upload(engine: UploadEngine, content: bytes) -> Record:
    """Upload a file whole, not completed; all have the same name."""
    record: Record = engine.records.model(filename="same.bin", length=len(content))
    engine.create(record)
    with engine.begin(record, WritePlan(start=0, stop=len(content), total=len(content))) as chunk:
        chunk.write(content)
        chunk.finish_whole()
        chunk.commit()
    return record


def complete(engine: UploadEngine, record: Record) -> None:
    record.md5 = engine.completion.checksums(record)["md5"]
    engine.completion.promote(record)
    assert engine.completion.commit(record)
    engine.completion.settle(record, lambda: None)


def again(engine: UploadEngine, record: Record) -> Record:
    """Read a record as another request would."""
    return engine.find(select(engine.records.model).filter_by(upload_id=record.upload_id))


def check_whole(engine: UploadEngine, record: Record, content: bytes) -> None:
    assert record.path is not None
    with engine.storage.open(record.path) as file:
        assert md5_of(file.read()) == md5_of(content)


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "only promoted"])
def test_completion_that_comes_after_an_abort_leaves_the_next_of_that_name(
    app: Flask, engine: UploadEngine, recorded: bool
) -> None:
    with app.app_context():
        first, second = full_upload(engine, b"first"), full_upload(engine, b"second!")
        late = again(engine, first)
        engine.completion.promote(late)
        engine.abort(again(engine, first))
        second.md5 = engine.completion.checksums(second)["md5"]
        engine.completion.promote(second)
        if recorded:
            assert engine.completion.commit(second)
            engine.completion.settle(second, lambda: None)
        with pytest.raises(UploadNotFound):
            engine.completion.commit(late)
        if not recorded:
            assert engine.completion.commit(second)
            engine.completion.settle(second, lambda: None)
        check_whole(engine, second, b"second!")


def test_completion_that_comes_after_an_abort_leaves_no_file(
    app: Flask, engine: UploadEngine
) -> None:
    with app.app_context():
        first = full_upload(engine, b"first")
        late = again(engine, first)
        assert engine.records.swap(first, {"status": int(Status.DELETING)})
        engine.completion.promote(late)  # the abort has marked it, and not looked for its file yet
        with pytest.raises(UploadNotFound):
            engine.completion.commit(late)
        engine.finish_removal(first)
        assert files(app) == []


def test_removal_that_was_finished_by_another_leaves_the_next_of_that_name(
    app: Flask, engine: UploadEngine
) -> None:
    """A cleaner has read the record of a removal that then ends without it."""
    with app.app_context():
        first, second = full_upload(engine, b"first"), full_upload(engine, b"second!")
        complete(engine, first)
        first = again(engine, first)
        assert engine.records.swap(first, {"status": int(Status.DELETING)})
        stale, other = (
            engine.records.first(select(engine.records.model).filter_by(upload_id=first.upload_id))
            for _ in range(2)
        )
        assert stale is not None
        assert other is not None
        engine.finish_removal(other)
        complete(engine, second)
        engine.finish_removal(stale)
        check_whole(engine, second, b"second!")
