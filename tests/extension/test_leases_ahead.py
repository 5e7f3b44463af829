"""Leases in the record that a commit takes ahead, for the chunk that most likely comes next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.errors import OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Records
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, md5_of, records
from tests.support.s3 import Store
from tests.support.tus import Tus

DATA = bytes(range(60))


@pytest.fixture
def make_node(versitygw: Store, make_app: Callable[..., Flask]) -> Callable[[], Flask]:
    """Makes an app on one database and one bucket, as another process has it."""
    settings = versitygw.settings(versitygw.bucket())

    def make() -> Flask:
        app = make_app(**settings)
        ChunkedUpload(app)
        create_tables(app)
        return app

    return make


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tokens of leases that were entered by a statement of their own."""
    tokens: list[int] = []
    enter = Records.swap_and_refresh

    def counted(self: Records, record: Any, *arguments: Any, **options: Any) -> bool:
        changed = enter(self, record, *arguments, **options)
        tokens.append(record.fencing_token)
        return changed

    monkeypatch.setattr(Records, "swap_and_refresh", counted)
    return tokens


def put(node: Flask, upload_id: str, start: int, stop: int) -> None:
    answer(Protocol(node.test_client()).put(upload_id, DATA[start:stop], start, len(DATA)))


def create(node: Flask, stop: int) -> str:
    told = answer(Protocol(node.test_client()).chunk(DATA[:stop], 0, len(DATA)))
    return str(told["upload_id"])


def complete(node: Flask, upload_id: str) -> None:
    form = {"upload_id": upload_id, "md5": md5_of(DATA)}
    assert answer(node.test_client().post("/uploads/complete", data=form))["status"] == 2


def begin(
    node: Flask, upload_id: str, start: int, stop: int, placement: Placement = Placement.SEQUENTIAL
) -> Chunk:
    engine = node.extensions["chunked_upload"]["chunked_upload"].engine
    record = engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
    chunk: Chunk = engine.begin(record, WritePlan(start=start, stop=stop, placement=placement))
    chunk.write(DATA[start:stop])
    return chunk


def test_chunks_one_after_the_other(make_node: Callable[[], Flask], entered: list[int]) -> None:
    node = make_node()
    upload_id = create(node, 20)
    for start in range(20, 60, 10):
        put(node, upload_id, start, start + 10)
    assert entered == [1]
    [record] = records(node)
    assert (record.fencing_token, record.write_leases) == (5, None)
    complete(node, upload_id)


def test_a_chunk_that_comes_to_another_process(
    make_node: Callable[[], Flask], entered: list[int]
) -> None:
    """It takes its own lease, and one ahead again when the next one follows it there."""
    first, other = make_node(), make_node()
    upload_id = create(first, 10)
    put(other, upload_id, 10, 20)
    put(first, upload_id, 20, 30)
    assert len(entered) == 3
    put(first, upload_id, 30, 40)
    assert len(entered) == 4
    put(first, upload_id, 40, 60)  # longer than the one before
    assert len(entered) == 5
    complete(first, upload_id)


def test_another_process_takes_over(make_node: Callable[[], Flask], entered: list[int]) -> None:
    first, other = make_node(), make_node()
    upload_id = create(first, 30)
    with first.app_context():
        old = begin(first, upload_id, 30, 60)
        assert entered == [1]
        old.finish_whole()
        with other.app_context(), begin(other, upload_id, 30, 50) as new:
            with old, pytest.raises(OffsetMismatch):
                old.commit()
            new.finish_whole()
            new.commit()
    put(first, upload_id, 50, 60)
    complete(first, upload_id)


def test_only_one_request_gets_it(make_node: Callable[[], Flask], entered: list[int]) -> None:
    node = make_node()
    upload_id = create(node, 30)
    with node.app_context():
        old = begin(node, upload_id, 30, 60)
        with begin(node, upload_id, 30, 60) as new:
            assert entered == [1, 3]
            new.finish_whole()
            new.commit()
        old.finish_whole()
        with old, pytest.raises(OffsetMismatch):
            old.commit()
    complete(node, upload_id)


def test_none_is_taken_beside_anothers(make_node: Callable[[], Flask]) -> None:
    """It would end that request; a newcomer must do that, and has not come."""
    node = make_node()
    upload_id = create(node, 10)
    with node.app_context(), begin(node, upload_id, 20, 30, Placement.ANYWHERE) as later:
        put(node, upload_id, 10, 20)
        [record] = records(node)
        assert record.write_leases == [[3, 20, 30]]
        later.finish_whole()
        later.commit()
    put(node, upload_id, 30, 60)
    complete(node, upload_id)


def test_a_question_ends_an_append_that_uses_it(
    make_node: Callable[[], Flask], entered: list[int]
) -> None:
    node = make_node()
    tus = Tus(node.test_client())
    url = tus.created(len(DATA))
    tus.patch(url, DATA[:30], 0)
    upload_id = url.rpartition("/")[2]
    engine = node.extensions["chunked_upload"]["chunked_upload"].engine
    with node.app_context():
        record = engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
        append = engine.begin(record, WritePlan(start=30, stop=60, appends=True))
        assert entered == [1]
        append.write(DATA[30:])
        append.finish_prefix()
        assert tus.head(url).headers["Upload-Offset"] == "30"
        with append, pytest.raises(OffsetMismatch):
            append.commit()
