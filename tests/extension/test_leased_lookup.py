"""Write leases in the record that the look-up takes, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Request
from sqlalchemy import update

from chunked_upload import ChunkedUpload, ChunkedUploadError, ChunkedUploadView
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.http.checks import UploadToBe
from chunked_upload.records.repository import Record, Records
from chunked_upload.storage.base import merge
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, md5_of, records
from tests.support.s3 import Store
from tests.support.tus import Tus

pytestmark = pytest.mark.only_postgresql

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


def engine_of(node: Flask) -> UploadEngine:
    engine: UploadEngine = node.extensions["chunked_upload"]["chunked_upload"].engine
    return engine


def find(
    node: Flask, upload_id: str, start: int, stop: int, *, owner: str | None = None, **plan: Any
) -> Record | None:
    return engine_of(node).leasing.find(
        upload_id,
        WritePlan(start=start, stop=stop, **plan),
        upload_set="chunked_upload",
        owner=owner,
        ticket=None,
    )


def begin(node: Flask, upload_id: str, start: int, stop: int, **plan: Any) -> Chunk:
    record = find(node, upload_id, start, stop, **plan)
    assert record is not None
    chunk: Chunk = engine_of(node).begin(record, WritePlan(start=start, stop=stop, **plan))
    chunk.write(DATA[start:stop])
    return chunk


def test_chunks_that_come_to_any_process(
    make_node: Callable[[], Flask], entered: list[int]
) -> None:
    nodes = make_node(), make_node()
    upload_id = create(nodes[0], 20)
    assert entered == [1]
    for nth, (start, stop) in enumerate([(20, 30), (30, 40), (40, 41), (41, 60)]):
        put(nodes[nth // 2], upload_id, start, stop)
    assert entered == [1]
    [record] = records(nodes[0])
    assert (record.fencing_token, record.write_leases) == (5, None)
    complete(nodes[1], upload_id)


def test_another_process_takes_over(make_node: Callable[[], Flask], entered: list[int]) -> None:
    first, other = make_node(), make_node()
    upload_id = create(first, 30)
    with first.app_context():
        old = begin(first, upload_id, 30, 60)
        old.finish_whole()
        with other.app_context(), begin(other, upload_id, 30, 50) as new:
            with old, pytest.raises(OffsetMismatch):
                old.commit()
            new.finish_whole()
            new.commit()
    # The second one had to be given numbers of its own.
    assert entered == [1, 4]
    put(first, upload_id, 50, 60)
    assert entered == [1, 4]
    complete(first, upload_id)


def test_each_look_up_ends_the_lease_of_the_one_before(make_node: Callable[[], Flask]) -> None:
    node = make_node()
    upload_id = create(node, 30)
    with node.app_context():
        found = [find(node, upload_id, 30, 60) for _ in range(2)]
        chunks = [
            engine_of(node).begin(record, WritePlan(start=30, stop=60))
            for record in found
            if record is not None
        ]
        for chunk in chunks:
            chunk.write(DATA[30:])
            chunk.finish_whole()
        with chunks[0], pytest.raises(OffsetMismatch):
            chunks[0].commit()
        with chunks[1]:
            chunks[1].commit()
    complete(node, upload_id)


def test_a_lease_that_was_found_is_used_once(make_node: Callable[[], Flask]) -> None:
    node = make_node()
    upload_id = create(node, 30)
    with node.app_context():
        record = find(node, upload_id, 30, 60)
        assert record is not None
        plan = WritePlan(start=30, stop=60)
        tokens = [engine_of(node).begin(record, plan).record.fencing_token for _ in range(2)]
    assert tokens == [2, 3]


def test_leases_of_other_ranges_stay(make_node: Callable[[], Flask]) -> None:
    node = make_node()
    upload_id = create(node, 10)
    engine = engine_of(node)
    with node.app_context():
        record = engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
        anywhere = WritePlan(start=20, stop=30, placement=Placement.ANYWHERE)
        with engine.begin(record, anywhere) as later:
            later.write(DATA[20:30])
            put(node, upload_id, 10, 20)
            [record] = records(node)
            assert record.write_leases == [[2, 20, 30]]
            later.finish_whole()
            later.commit()
    put(node, upload_id, 30, 60)
    complete(node, upload_id)


@pytest.mark.parametrize(
    ("what", "start", "stop", "plan"),
    [
        ("another offset", 20, 30, {}),
        ("beyond the length", 30, 61, {}),
        ("another length", 30, 60, {"total": 61}),
        ("no bytes", 30, 30, {}),
        ("somebody else", 30, 60, {"owner": "somebody"}),
    ],
)
def test_what_is_refused_changes_nothing(
    make_node: Callable[[], Flask], what: str, start: int, stop: int, plan: dict[str, Any]
) -> None:
    node = make_node()
    upload_id = create(node, 30)
    with node.app_context():
        assert find(node, upload_id, start, stop, **plan) is None
    [record] = records(node)
    assert (record.fencing_token, record.write_leases) == (1, None)


@pytest.mark.parametrize(
    "change", ["expired", "complete", "joined", "another set", "another storage", "ticket"]
)
def test_an_upload_that_takes_no_such_bytes_is_left_alone(
    make_node: Callable[[], Flask], change: str
) -> None:
    node = make_node()
    upload_id = create(node, 30)
    engine = engine_of(node)
    values: dict[str, dict[str, Any]] = {
        "expired": {"expires_on": engine.now() - timedelta(seconds=1)},
        "complete": {"status": 2},
        "joined": {"declared": {"joined": True}},
        "another set": {"upload_set": "photos"},
        "another storage": {"stored_in": "second"},
        "ticket": {},
    }
    plan, model = WritePlan(start=30, stop=60), engine.records.model
    ticket = "another one's" if change == "ticket" else None
    with node.app_context():
        if values[change]:
            with engine.records._bind().begin() as connection:
                connection.execute(update(model).values(**values[change]))
        found = engine.leasing.find(
            upload_id, plan, upload_set="chunked_upload", owner=None, ticket=ticket
        )
        assert found is None
    [record] = records(node)
    assert (record.fencing_token, record.write_leases) == (1, None)


class Closed(ChunkedUploadView):
    """Refuses chunks of known uploads."""

    def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
        raise ChunkedUploadError(status=403, detail="closed")


class Unwilling(ChunkedUploadView):
    """Refuses chunks of uploads that it is told of."""

    def validate(self, request: Request) -> None:
        if self.upload_to_be.upload_id is not None:
            raise ChunkedUploadError(status=403, detail="unwilling")


class Small(ChunkedUploadView):
    """Takes smaller files than it took before."""

    def get_max_bytes(self, request: Request) -> int | None:
        return None if request.method == "POST" else 1


def _refuse_known(_: Request, upload: UploadToBe) -> None:
    if upload.upload_id is not None:
        raise ChunkedUploadError(status=403, detail="no more")


@pytest.fixture(params=[Closed, Unwilling, Small, _refuse_known])
def refusing(
    request: pytest.FixtureRequest, versitygw: Store, make_app: Callable[..., Flask]
) -> Flask:
    """An app that refuses what follows the first chunk, in each way that it can."""
    app = make_app(**versitygw.settings(versitygw.bucket()))
    if isinstance(request.param, type):
        ChunkedUpload(app, upload_view=request.param)
    else:
        ChunkedUpload(app).validate(request.param)
    create_tables(app)
    return app


def test_a_chunk_that_the_app_refuses_ends_no_older_request(refusing: Flask) -> None:
    upload_id = create(refusing, 30)
    with refusing.app_context(), begin(refusing, upload_id, 30, 60) as older:
        refused = Protocol(refusing.test_client()).put(upload_id, DATA[30:], 30, 60)
        assert refused.status_code in (400, 403)
        older.finish_whole()
        older.commit()


@pytest.mark.parametrize("refusing", [Closed, Unwilling, _refuse_known], indirect=True)
def test_an_append_that_the_app_refuses_ends_no_older_request(refusing: Flask) -> None:
    tus = Tus(refusing.test_client())
    url = tus.created(len(DATA))
    upload_id = url.rpartition("/")[2]
    with refusing.app_context(), begin(refusing, upload_id, 0, 60, appends=True) as older:
        assert tus.patch(url, DATA, 0).status_code == 403
        older.finish_prefix()
        older.commit()


def test_numbers_of_a_request_that_broke_off_are_not_used_again(
    make_node: Callable[[], Flask],
) -> None:
    node = make_node()
    upload_id = create(node, 30)
    with node.app_context():
        given = []
        for _ in range(3):
            chunk = begin(node, upload_id, 30, 60)
            given.append(tuple((chunk.record.storage_state or {})["reserved"]))
    assert len(set(given)) == 3


def test_a_question_ends_an_append_that_uses_it(
    make_node: Callable[[], Flask], entered: list[int]
) -> None:
    node = make_node()
    tus = Tus(node.test_client())
    url = tus.created(len(DATA))
    tus.patch(url, DATA[:30], 0)
    upload_id = url.rpartition("/")[2]
    with node.app_context():
        append = begin(node, upload_id, 30, 60, appends=True)
        assert entered == []
        append.finish_prefix()
        assert tus.head(url).headers["Upload-Offset"] == "30"
        with append, pytest.raises(OffsetMismatch):
            append.commit()


def test_a_new_upload_has_what_its_first_append_needs(make_node: Callable[[], Flask]) -> None:
    node = make_node()
    Tus(node.test_client()).created(len(DATA))
    [record] = records(node)
    assert merge(record.storage_state, None) == {"reserved": [0, 0, 8], "handed": 0}
