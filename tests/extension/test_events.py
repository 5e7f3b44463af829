"""Events: written with the change itself, told to listeners at least once and in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.delivery.background import BackgroundDelivery
from chunked_upload.delivery.deliverer import Deliverer
from chunked_upload.delivery.targets import Event
from chunked_upload.records.event_queue import EventQueue
from chunked_upload.records.events import EventMixin
from tests.conftest import create_tables
from tests.support.protocol import Protocol
from tests.support.receiver import SECRET
from tests.support.site import wait_until

MakeApp = Callable[..., Flask]

#: Of tus.
TUS = {"Tus-Resumable": "1.0.0"}


class Listener:
    """Notes the events that it gets; raises what it is told to."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.failure: Exception | None = None

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        if self.failure is not None:
            raise self.failure

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.heard]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def app(make_app: MakeApp, listener: Listener) -> Flask:
    app = make_app(CHUNKED_UPLOAD_EVENT_LISTENERS={"listener": listener})
    app.extensions["tests"] = ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def deliver(app: Flask, uploads: ChunkedUpload) -> Callable[[], Any]:
    def run() -> Any:
        with app.app_context():
            return Deliverer(uploads.engine).deliver()

    return run


@pytest.fixture
def queue(app: Flask, uploads: ChunkedUpload) -> EventQueue:
    with app.app_context():
        outbox = uploads.engine.records.outbox
        assert outbox is not None
        return EventQueue(outbox)


def rows(app: Flask, queue: EventQueue, upload_id: str) -> list[EventMixin]:
    with app.app_context():
        return queue.of_upload(upload_id)


def first_chunk(protocol: Protocol) -> str:
    answer = protocol.chunk(b"abc", 0, 9, filename="a.txt", note="hello")
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["upload_id"])


def kinds(app: Flask, queue: EventQueue, upload_id: str) -> list[str]:
    return [row.kind for row in rows(app, queue, upload_id)]


# What is an event


def test_an_upload_in_chunks_has_two_events(
    app: Flask, protocol: Protocol, queue: EventQueue
) -> None:
    upload_id = first_chunk(protocol)
    assert kinds(app, queue, upload_id) == ["upload.created"]
    protocol.put(upload_id, b"def", 3, 9)
    protocol.put(upload_id, b"ghi", 6, 9)
    assert kinds(app, queue, upload_id) == ["upload.created"]
    for _ in range(2):  # completing again is no other event
        assert protocol.complete(upload_id, b"abcdefghi").status_code == 200
    assert kinds(app, queue, upload_id) == ["upload.created", "upload.completed"]


def test_an_event_tells_what_the_upload_is(
    app: Flask, protocol: Protocol, queue: EventQueue
) -> None:
    upload_id = protocol.completed(b"hello", filename="a.txt", note="one")
    _, completed = rows(app, queue, upload_id)
    message = json.loads(completed.payload)
    data = message["data"]
    assert message["type"] == "upload.completed"
    assert message["timestamp"] == completed.created_on.isoformat()
    assert (data["upload_id"], data["upload_set"]) == (upload_id, "chunked_upload")
    assert (data["filename"], data["length"], data["offset"]) == ("a.txt", 5, 5)
    assert data["checksums"] == {"md5": "5d41402abc4b2a76b9719d911017c592"}
    assert data["metadata"] == {"note": "one"}
    assert data["path"].endswith("a.txt")
    assert data["owner"] is None
    assert data["completed_on"] >= data["created_on"]


@pytest.mark.parametrize("complete", [True, False])
def test_a_removal_is_an_event(
    app: Flask, protocol: Protocol, queue: EventQueue, complete: bool
) -> None:
    upload_id = protocol.completed(b"abc") if complete else first_chunk(protocol)
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204
    assert kinds(app, queue, upload_id)[-1] == "upload.deleted"
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 404
    assert kinds(app, queue, upload_id).count("upload.deleted") == 1


def test_an_expiry_is_an_event(
    app: Flask, uploads: ChunkedUpload, protocol: Protocol, queue: EventQueue
) -> None:
    upload_id = first_chunk(protocol)
    with app.app_context():
        record = uploads.engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
        assert uploads.engine.expire(record, now=record.expires_on + timedelta(seconds=1))
    assert kinds(app, queue, upload_id) == ["upload.created", "upload.expired"]


def test_a_deletion_by_the_apps_own_session_is_an_event_if_it_is_committed(
    app: Flask, uploads: ChunkedUpload, protocol: Protocol, queue: EventQueue
) -> None:
    upload_id = protocol.completed(b"abc")
    with app.app_context():
        session = uploads.db.session
        session.delete(session.query(uploads.model).one())
        session.flush()
        session.rollback()
    assert "upload.deleted" not in kinds(app, queue, upload_id)
    with app.app_context():
        session.delete(session.query(uploads.model).one())
        session.commit()
    assert kinds(app, queue, upload_id)[-1] == "upload.deleted"


def test_an_offset_dialect_creates_before_the_first_byte(
    app: Flask, protocol: Protocol, queue: EventQueue
) -> None:
    client = protocol.client
    made = client.post("/uploads/tus/", headers={**TUS, "Upload-Length": "3"})
    upload_id = made.headers["Location"].rpartition("/")[2]
    assert kinds(app, queue, upload_id) == ["upload.created"]
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(f"/uploads/tus/{upload_id}", data=b"abc", headers=headers).status_code < 300
    assert kinds(app, queue, upload_id) == ["upload.created", "upload.completed"]


def test_a_refused_first_chunk_is_no_event(
    app: Flask, uploads: ChunkedUpload, protocol: Protocol, queue: EventQueue
) -> None:
    answer = protocol.client.post(
        "/uploads/?filename=a", data=b"abc", headers={"Content-Range": "bytes 0-5/6"}
    )
    assert answer.status_code == 400
    with app.app_context():
        assert queue.totals() == []


def test_pieces_of_an_upload_have_no_events(
    app: Flask, protocol: Protocol, queue: EventQueue
) -> None:
    client = protocol.client
    made = client.post(
        "/uploads/tus/", headers={**TUS, "Upload-Length": "3", "Upload-Concat": "partial"}
    )
    piece = made.headers["Location"].rpartition("/")[2]
    assert client.delete(f"/uploads/tus/{piece}", headers=TUS).status_code == 204
    assert kinds(app, queue, piece) == []


def test_a_change_whose_event_cannot_be_written_does_not_happen(
    app: Flask, uploads: ChunkedUpload, protocol: Protocol, queue: EventQueue
) -> None:
    upload_id = protocol.upload(b"abc")
    with app.app_context(), uploads.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE chunked_upload_event RENAME TO gone"))
    assert protocol.complete(upload_id, b"abc").status_code == 503
    assert protocol.state(upload_id).get_json()["status"] == 1
    with app.app_context(), uploads.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO chunked_upload_event"))
    assert protocol.complete(upload_id, b"abc").status_code == 200
    assert kinds(app, queue, upload_id) == ["upload.created", "upload.completed"]


# What it costs who does not want it


def test_without_targets_there_is_no_statement_more_and_none_for_each_chunk(
    make_app: MakeApp, app: Flask
) -> None:
    plain = make_app()
    ChunkedUpload(plain)
    create_tables(plain)
    assert plain.extensions["chunked_upload"]["chunked_upload"].engine.records.outbox is None
    with_events, without = statements(app), statements(plain)
    assert [one for one in with_events if "chunked_upload_event" not in one] == without
    assert len(with_events) - len(without) == 2


def statements(app: Flask) -> list[str]:
    """Return the first words of what an upload in three chunks, and its completion, send."""
    seen: list[str] = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement[:60])

    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    protocol = Protocol(app.test_client())
    upload_id = first_chunk(protocol)
    protocol.put(upload_id, b"def", 3, 9)
    protocol.put(upload_id, b"ghi", 6, 9)
    assert protocol.complete(upload_id, b"abcdefghi").status_code == 200
    sqlalchemy_event.remove(engine, "before_cursor_execute", note)
    return seen


# Listeners


def test_a_listener_gets_each_event_once_and_in_order(
    protocol: Protocol, listener: Listener, deliver: Callable[[], Any]
) -> None:
    upload_id = protocol.completed(b"abc")
    protocol.client.delete(f"/uploads/{upload_id}")
    assert deliver().delivered == 3
    assert listener.types == ["upload.created", "upload.completed", "upload.deleted"]
    assert {event.data["upload_id"] for event in listener.heard} == {upload_id}
    assert len({event.event_id for event in listener.heard}) == 3
    assert deliver().delivered == 0


def test_a_listener_that_fails_gets_the_event_again_with_the_same_id(
    app: Flask,
    uploads: ChunkedUpload,
    protocol: Protocol,
    listener: Listener,
    deliver: Callable[[], Any],
    queue: EventQueue,
) -> None:
    upload_id = protocol.completed(b"abc")
    listener.failure = ValueError("no index")
    assert deliver().failed == 1
    # The completion waits for the creation.
    assert listener.types == ["upload.created"]
    first, second = rows(app, queue, upload_id)
    assert (first.attempts, first.problem) == (1, "ValueError: no index")
    assert (second.attempts, second.problem) == (0, None)
    listener.failure = None
    with app.app_context():
        later = first.due_on + timedelta(seconds=1)
        assert Deliverer(uploads.engine, now=lambda: later).deliver().delivered == 2
    assert listener.types == ["upload.created", "upload.created", "upload.completed"]
    assert listener.heard[0].event_id == listener.heard[1].event_id


def test_uploads_do_not_wait_for_each_other(
    protocol: Protocol, listener: Listener, deliver: Callable[[], Any]
) -> None:
    protocol.upload(b"abc")
    listener.failure = ValueError("not this one")
    deliver()
    listener.failure = None
    second = protocol.upload(b"def")
    deliver()
    assert listener.heard[-1].data["upload_id"] == second


def test_what_another_process_is_telling_is_left_to_it_until_its_lease_ends(
    app: Flask,
    uploads: ChunkedUpload,
    protocol: Protocol,
    listener: Listener,
    deliver: Callable[[], Any],
    queue: EventQueue,
) -> None:
    upload_id = protocol.upload(b"abc")
    [event] = rows(app, queue, upload_id)
    with app.app_context():
        now = uploads.engine.now()
        token = queue.lease(event, now)
        assert token is not None
        assert queue.lease(event, now) is None
        assert deliver().delivered == 0
        late = Deliverer(uploads.engine, now=lambda: now + timedelta(seconds=61))
        assert late.deliver().delivered == 1
        # The one that had it comes back from the dead.
        queue.failed(event, token, "too late", due_on=now)
    assert deliver().delivered == 0
    assert len(listener.heard) == 1


def test_the_thread_tells_at_once_what_its_own_process_has_written(
    app: Flask, protocol: Protocol, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunked_upload.delivery.background._POLL_SECONDS", 60)
    background = BackgroundDelivery(app)
    background.start()
    try:
        protocol.upload(b"abc")
        wait_until(lambda: listener.types == ["upload.created"])
    finally:
        background.stop(5)


# Mistakes in the settings


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"webhooks": "ftp://app.example.org"}, "must be an address as https://"),
        ({"webhooks": "https://user:secret@app.example.org/"}, "without user name"),
        ({"webhooks": {"a b": "https://app.example.org"}}, "must have names"),
        ({"webhooks": {"a": {"adress": "https://app.example.org"}}}, "'url' and 'secrets'"),
        ({"webhooks": "https://app.example.org"}, "WEBHOOK_SECRETS is needed"),
        ({"before_create_url": "https://app.example.org"}, "WEBHOOK_SECRETS is needed"),
        ({"webhook_secrets": "whsec_short"}, "must be whsec_"),
        ({"webhook_secrets": "secret"}, "must be whsec_"),
        ({"webhook_networks": "10.0.0.1/8"}, "must hold networks"),
        ({"event_listeners": {"a": "nowhere.function"}}, "cannot be imported"),
        ({"event_listeners": {"a": 3}}, "must be a function"),
    ],
)
def test_settings_that_cannot_work_say_so_at_the_start(
    make_app: MakeApp, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        ChunkedUpload(make_app(), **settings)
    assert "secret@" not in str(raised.value)


@pytest.mark.one_database
def test_a_webhook_and_a_listener_have_different_names(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="both named 'a'"):
        ChunkedUpload(
            make_app(),
            webhooks={"a": {"url": "https://app.example.org", "secrets": [SECRET]}},
            event_listeners={"a": print},
        )
