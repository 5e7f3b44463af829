"""Webhooks: what receivers get, when they get it again, and what bad ones cost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chunked_upload import ChunkedUpload
from chunked_upload.delivery.deliverer import Delivered, Deliverer
from chunked_upload.delivery.retries import DELAYS, MOST_TRIES, delay_after
from chunked_upload.support.clock import utcnow
from chunked_upload.webhooks.signing import signed_headers
from tests.conftest import create_tables
from tests.support.protocol import Protocol
from tests.support.receiver import LOOPBACK, NEW_SECRET, SECRET, Receiver, receiving

MakeApp = Callable[..., Flask]


class Clock:
    """A clock that a test moves.

    It is a second ahead: the database's clock says when an event is due, and on a busy machine a
    process knows that clock badly, since the answer to its question took long.
    """

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return utcnow() + timedelta(seconds=1) + self.ahead


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of the test's own."""
    return {}


@pytest.fixture
def app(make_app: MakeApp, receiver: Receiver, settings: dict[str, Any]) -> Flask:
    app = make_app()
    app.extensions["tests"] = ChunkedUpload(
        app,
        **{
            "webhooks": receiver.url,
            "webhook_secrets": [SECRET],
            "webhook_networks": LOOPBACK,
            "webhook_timeout": 1,
            **settings,
        },
    )
    create_tables(app)
    return app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliver(app: Flask, uploads: ChunkedUpload, clock: Clock) -> Callable[[], Delivered]:
    """Deliver what is due; a target that has failed does not rest, as time has passed."""

    def run() -> Delivered:
        with app.app_context():
            return Deliverer(uploads.engine, now=clock.now).deliver()

    return run


@pytest.fixture
def command(app: Flask) -> Callable[..., Result]:
    """Run a command of the app."""

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["chunked-upload", *arguments])

    return run


def test_a_receiver_verifies_what_it_gets_and_knows_a_repetition(
    protocol: Protocol, receiver: Receiver, deliver: Callable[[], Delivered], clock: Clock
) -> None:
    upload_id = protocol.completed(b"abc", filename="a.txt")
    receiver.status = 500
    deliver()
    receiver.status = 200
    clock.ahead += timedelta(seconds=10)
    deliver()
    first, again, completed = receiver.received
    message = Webhook(SECRET).verify(completed.body, completed.headers)
    assert message["type"] == "upload.completed"
    assert message["data"]["upload_id"] == upload_id
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.headers["webhook-id"] != completed.headers["webhook-id"]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(completed.body + b" ", completed.headers)


@pytest.mark.parametrize("settings", [{"webhook_secrets": [NEW_SECRET, SECRET]}])
def test_a_secret_is_replaced_without_a_pause(
    protocol: Protocol, receiver: Receiver, deliver: Callable[[], Delivered]
) -> None:
    protocol.upload(b"abc")
    deliver()
    [received] = receiver.received
    for secret in (SECRET, NEW_SECRET):
        assert Webhook(secret).verify(received.body, received.headers)


def test_each_webhook_has_its_own_secret(
    make_app: MakeApp, receiver: Receiver, app: Flask, clock: Clock
) -> None:
    with receiving() as other:
        own = make_app()
        uploads = ChunkedUpload(
            own,
            webhooks={
                "first": {"url": receiver.url, "secrets": [SECRET]},
                "other": {"url": other.url, "secrets": [NEW_SECRET]},
            },
            webhook_networks=LOOPBACK,
        )
        create_tables(own)
        Protocol(own.test_client()).upload(b"abc")
        with own.app_context():
            assert Deliverer(uploads.engine).deliver().delivered == 2
        [one], [another] = receiver.received, other.received
        assert Webhook(SECRET).verify(one.body, one.headers)
        assert Webhook(NEW_SECRET).verify(another.body, another.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(another.body, another.headers)


def test_a_receiver_that_says_500_for_an_hour_gets_everything_in_order_afterwards(
    protocol: Protocol, receiver: Receiver, deliver: Callable[[], Delivered], clock: Clock
) -> None:
    ids = [protocol.completed(b"abc") for _ in range(3)]
    receiver.status = 500
    tried = 0
    while clock.ahead < timedelta(hours=1):
        tried += deliver().failed
        clock.ahead += timedelta(minutes=1)
    # Not in every minute of it, and not the completions, which wait for the creations.
    assert tried == len(receiver.received) <= 4 * len(ids)
    receiver.received.clear()
    receiver.status = 200
    clock.ahead += timedelta(hours=3)
    assert deliver() == Delivered(delivered=6)
    got = [json.loads(one.body) for one in receiver.received]
    for upload_id in ids:
        types = [one["type"] for one in got if one["data"]["upload_id"] == upload_id]
        assert types == ["upload.created", "upload.completed"]


def test_after_the_last_try_an_event_is_a_dead_letter_that_can_be_sent_again(
    protocol: Protocol,
    receiver: Receiver,
    deliver: Callable[[], Delivered],
    clock: Clock,
    command: Callable[..., Result],
) -> None:
    protocol.upload(b"abc")
    receiver.status = 500
    for _ in range(MOST_TRIES):
        done = deliver()
        clock.ahead += timedelta(days=2)
    assert done == Delivered(dead=1)
    assert len(receiver.received) == MOST_TRIES
    [letter] = json.loads(command("events", "list", "--json").output)
    assert (letter["status"], letter["problem"]) == ("dead", "answered with status 500")
    assert letter["event_id"] == receiver.received[0].headers["webhook-id"]
    assert "answered with status 500" in command("events", "list").output
    assert "1 event will be sent again" in command("events", "resend", letter["event_id"]).output
    receiver.status = 200
    assert deliver() == Delivered(delivered=1)
    assert json.loads(command("events", "list", "--json").output) == []
    assert command("events", "resend", "evt_none").exit_code == 1


def test_the_tries_go_on_for_three_days() -> None:
    whole = sum(DELAYS, timedelta())
    assert timedelta(days=3) < whole < timedelta(days=4)
    delays = {delay_after(3) for _ in range(20)}
    assert len(delays) > 1
    assert all(0.8 * DELAYS[2] <= delay <= 1.2 * DELAYS[2] for delay in delays if delay)
    assert delay_after(MOST_TRIES) is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure(
    protocol: Protocol, receiver: Receiver, deliver: Callable[[], Delivered], status: int
) -> None:
    protocol.upload(b"abc")
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    assert deliver() == Delivered(failed=1)
    assert len(receiver.received) == 1


def test_a_receiver_that_answers_a_gibibyte_has_taken_the_event(
    protocol: Protocol, receiver: Receiver, deliver: Callable[[], Delivered]
) -> None:
    def flood(stream: Any) -> None:
        with suppress(OSError):
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            for _ in range(1024):
                stream.write(bytes(2**20))

    protocol.upload(b"abc")
    receiver.answer = flood
    assert deliver() == Delivered(delivered=1)


def test_a_webhook_that_hangs_does_not_keep_others_from_their_events(
    make_app: MakeApp, receiver: Receiver
) -> None:
    with receiving() as other:
        own = make_app()
        receiver.answer = lambda stream: time.sleep(1.5)
        uploads = ChunkedUpload(
            own,
            webhooks={"hangs": receiver.url, "well": other.url},
            webhook_secrets=[SECRET],
            webhook_networks=LOOPBACK,
            webhook_timeout=1,
        )
        create_tables(own)
        protocol = Protocol(own.test_client())
        for _ in range(6):
            protocol.upload(b"abc")
        began = time.monotonic()
        with own.app_context():
            done = Deliverer(uploads.engine).deliver()
        assert len(other.received) == 6
        assert done.failed < 6  # it rests after a few
        assert time.monotonic() - began < 6


@pytest.mark.parametrize("settings", [{"webhook_networks": ()}])
def test_this_host_gets_nothing_unless_it_is_allowed(
    protocol: Protocol,
    receiver: Receiver,
    deliver: Callable[[], Delivered],
    command: Callable[..., Result],
) -> None:
    protocol.upload(b"abc")
    assert deliver() == Delivered(failed=1)
    assert receiver.received == []
    [waiting] = json.loads(command("events", "list", "--status", "waiting", "--json").output)
    assert "CHUNKED_UPLOAD_WEBHOOK_NETWORKS" in waiting["problem"]


def test_the_command_delivers_and_removes_what_is_old(
    app: Flask,
    uploads: ChunkedUpload,
    protocol: Protocol,
    receiver: Receiver,
    clock: Clock,
    command: Callable[..., Result],
) -> None:
    upload_id = protocol.upload(b"abc")
    said = command("deliver-events")
    assert "chunked_upload: 1 delivered, 0 failed, 0 given up." in said.output
    assert len(receiver.received) == 1
    shown = json.loads(command("events", "list", "--upload", upload_id, "--json").output)
    assert [one["status"] for one in shown] == ["delivered"]
    clock.ahead = timedelta(days=31)
    with app.app_context():
        assert Deliverer(uploads.engine, now=clock.now).clean() == 1
    assert json.loads(command("events", "list", "--upload", upload_id, "--json").output) == []


def test_events_for_a_webhook_that_is_configured_no_longer_are_given_up_after_a_week(
    app: Flask, make_app: MakeApp, protocol: Protocol, receiver: Receiver, clock: Clock
) -> None:
    protocol.upload(b"abc")
    changed = make_app()
    uploads = ChunkedUpload(
        changed,
        webhooks={"new": receiver.url},
        webhook_secrets=[SECRET],
        webhook_networks=LOOPBACK,
    )
    command = changed.test_cli_runner()
    with changed.app_context():
        deliverer = Deliverer(uploads.engine, now=clock.now)
        assert deliverer.deliver() == Delivered()
        deliverer.clean()
        clock.ahead = timedelta(days=8)
        deliverer.clean()
    said = command.invoke(args=["chunked-upload", "events", "list", "--json"]).output
    [letter] = json.loads(said)
    assert (letter["target"], letter["status"]) == ("webhook", "dead")


def test_without_events_the_commands_say_so(make_app: MakeApp) -> None:
    plain = make_app()
    ChunkedUpload(plain)
    for arguments in (["deliver-events"], ["events", "list"], ["events", "resend", "--dead"]):
        said = plain.test_cli_runner().invoke(args=["chunked-upload", *arguments])
        assert said.exit_code == 1
        assert "CHUNKED_UPLOAD_WEBHOOKS" in said.output


def test_the_receiver_of_the_documentation_takes_an_event_and_refuses_a_forged_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    [code] = re.findall(r"```python\n(import os.*?)```", page, re.DOTALL)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(code, names)
    client = names["app"].test_client()
    body = b'{"type": "upload.completed", "data": {"path": "a.txt"}}'
    headers = signed_headers("evt_1", body, seconds=int(time.time()), secrets=[SECRET])
    for _ in range(2):
        assert client.post("/hooks/uploads", data=body, headers=headers).status_code == 204
    assert client.post("/hooks/uploads", data=body + b" ", headers=headers).status_code == 401
    assert capsys.readouterr().out == "new file a.txt\n"
