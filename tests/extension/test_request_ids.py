"""Request ids: taken from the caller or made, on the answer, and on every line of an app's log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from chunked_upload.logs import RequestFilter
from tests.conftest import create_tables
from tests.support.protocol import Protocol

MakeApp = Callable[..., Flask]


class Kept(logging.Handler):
    """Keeps records, with what the filter adds."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.addFilter(RequestFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_an_answer_has_the_id_that_was_sent(client: FlaskClient) -> None:
    answer = client.get("/uploads/", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["X-Request-ID"] == "abc-1"


def test_a_request_without_an_id_gets_one_of_its_own(client: FlaskClient) -> None:
    ids = {client.get("/uploads/").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


def test_a_strange_id_is_not_repeated(client: FlaskClient) -> None:
    answer = client.get("/uploads/", headers={"X-Request-ID": "<script>"})
    assert "script" not in answer.headers["X-Request-ID"]


def test_a_refusal_has_one_too_and_its_body_is_the_contracts(client: FlaskClient) -> None:
    answer = client.get(f"/uploads/{'0' * 32}", headers={"X-Request-ID": "abc-2"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (404, "abc-2")
    assert "abc-2" not in answer.text


def test_a_line_of_a_hook_tells_the_request_the_upload_and_its_owner(
    make_app: MakeApp, kept: Kept
) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: "anna")

    @uploads.on_completion
    def complain(uploaded_file: object, request: object) -> None:
        logging.getLogger("app").warning("too small")

    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(b"abc")
    answer = protocol.complete(upload_id, b"abc")
    [record] = [one for one in kept.records if one.name == "app"]
    assert vars(record)["request_id"] == answer.headers["X-Request-ID"]
    assert (vars(record)["upload_id"], vars(record)["owner"]) == (upload_id, "anna")
    logging.getLogger("app").warning("afterwards")
    assert vars(kept.records[-1])["request_id"] is None


def test_the_apps_own_loggers_are_left_alone(client: FlaskClient) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger("chunked_upload").handlers[:]
    client.get("/uploads/")
    assert (logging.getLogger().handlers, logging.getLogger("chunked_upload").handlers) == before
