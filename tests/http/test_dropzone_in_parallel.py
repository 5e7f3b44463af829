"""Dropzone's chunks in parallel: one upload, one completion, every answer right."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.engine.completion import Completion
from chunked_upload.engine.errors import ServiceUnavailable
from chunked_upload.hooks import upload_created
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.forms import FORM, field, file, form, send
from tests.support.concurrency import at_once
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import md5_of, nothing_left, records

DATA = bytes(range(256)) * 3
SIZE = 100


@pytest.fixture
def told(make_app: Callable[..., Flask]) -> tuple[Flask, list[str]]:
    """An app, and what its completion hook was called for."""
    app, calls = make_app(), []

    @ChunkedUpload(app).on_completion
    def note(file: Any, request: Any) -> None:
        calls.append(file.upload.upload_id)

    create_tables(app)
    return app, calls


def cut(app: Flask, **others: Any) -> DropzoneFile:
    """Return the file of a browser with no cookie, as every chunk's first request has none."""
    return DropzoneFile(app.test_client(), DATA, size=SIZE, uuid="one", **others)


def check(app: Flask, calls: list[str], answers: list[TestResponse]) -> None:
    """Check that all is well and that the file is stored once."""
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    [record] = records(app)
    assert {answer.get_json()["upload_id"] for answer in answers} == {record.upload_id}
    assert calls == [record.upload_id]
    assert any(answer.get_json().get("status") == 2 for answer in answers)
    assert list(stored(app).values()) == [DATA]


def test_all_at_once(told: tuple[Flask, list[str]]) -> None:
    app, calls = told
    created: list[Any] = []

    def note(*_: Any, **__: Any) -> None:
        created.append(1)

    with upload_created.connected_to(note):
        answers = at_once(8, lambda index: cut(app).send(index))
    check(app, calls, answers)
    assert len(created) == 1
    assert sum("Set-Cookie" in answer.headers for answer in answers) == 1


def test_the_last_two(told: tuple[Flask, list[str]]) -> None:
    app, calls = told
    for index in range(6):
        cut(app).send(index)
    check(app, calls, at_once(2, lambda index: cut(app).send(6 + index)))


def test_the_last_one_again_and_again(told: tuple[Flask, list[str]]) -> None:
    """All bytes are there, so all of them may complete the upload."""
    app, calls = told
    for index in range(8):
        cut(app, params={"md5": "0"} if index == 7 else {}).send(index)
    assert calls == []
    again = {"md5": md5_of(DATA)}
    check(app, calls, at_once(6, lambda index: cut(app, params=again).send(index)))


def test_two_files_of_two_browsers(told: tuple[Flask, list[str]]) -> None:
    app, calls = told

    def one(index: int) -> TestResponse:
        sent = cut(app)
        sent.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{index % 2}"
        return sent.send(index // 2)

    answers = at_once(16, one)
    assert {answer.status_code for answer in answers} == {200}
    assert len(set(calls)) == len(calls) == 2
    assert list(stored(app).values()) == [DATA, DATA]


@pytest.mark.parametrize("quota", [{"max_open_uploads": 1}, {"max_open_bytes": len(DATA)}])
def test_the_last_place_of_a_quota(make_app: Callable[..., Flask], quota: dict[str, Any]) -> None:
    app = make_app()
    ChunkedUpload(app, **quota)
    create_tables(app)
    answers = at_once(8, lambda index: cut(app).send(index))
    assert {answer.status_code for answer in answers} == {200}
    assert len(records(app)) == 1


def test_a_cancel_among_them(app: Flask) -> None:
    """Whichever comes first: no bytes are left, and no later chunk begins it anew."""
    for round_ in range(5):
        name = f"round {round_}"

        def one(index: int, name: str = name) -> TestResponse:
            sent = DropzoneFile(app.test_client(), DATA, size=SIZE, uuid=name)
            return sent.cancel() if index == 3 else sent.send(index)

        answers = at_once(7, one)
        assert answers[3].status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 204, 404}
        assert stored(app) == {}
        refused(DropzoneFile(app.test_client(), DATA, size=SIZE, uuid=name).send(3), 404)
        assert {record.status for record in records(app)} == {3}


# The request that makes the record fails


class Gate:
    """A body that stops before its end until it is opened, then breaks off."""

    def __init__(self, data: bytes) -> None:
        self._begin = data[:-50]
        self.reached, self.open = Event(), Event()

    def read(self, size: int = -1) -> bytes:
        if self._begin:
            data, self._begin = self._begin, b""
            return data
        self.reached.set()
        assert self.open.wait(30)
        return b""


def breaking(app: Flask, index: int) -> tuple[Gate, Future[TestResponse]]:
    """Begin with a chunk whose connection will break, in a thread of its own."""
    sent = cut(app)
    fields = [field(name, value) for name, value in sent.fields(index).items()]
    body = form(*fields, file(sent.part(index)))
    gate = Gate(body)
    environ: dict[str, Any] = {"wsgi.input": gate, "CONTENT_TYPE": FORM}
    pool = ThreadPoolExecutor(1)
    future = pool.submit(
        lambda: send(sent.client, "POST", "/uploads/", length=str(len(body)), **environ)
    )
    pool.shutdown(wait=False)
    assert gate.reached.wait(30)
    return gate, future


def test_nothing_is_left_when_the_only_one_fails(app: Flask) -> None:
    gate, future = breaking(app, 0)
    assert len(records(app)) == 1
    gate.open.set()
    refused(future.result(30), 400)
    assert nothing_left(app)
    assert [cut(app).send(index).status_code for index in range(8)] == [200] * 8


def test_the_others_go_on_when_the_maker_fails(told: tuple[Flask, list[str]]) -> None:
    app, calls = told
    gate, maker = breaking(app, 0)
    other_gate, other = breaking(app, 1)
    answers = [cut(app).send(index) for index in range(2, 8)]
    for one in (gate, other_gate):
        one.open.set()
    refused(maker.result(30), 400)
    refused(other.result(30), 400)
    answers += [cut(app).send(index) for index in range(2)]
    check(app, calls, answers)


def test_the_others_may_have_only_started(told: tuple[Flask, list[str]]) -> None:
    """Then the record stays for them, although nothing of it is stored yet."""
    app, calls = told
    gate, maker = breaking(app, 0)
    other_gate, other = breaking(app, 1)
    gate.open.set()
    refused(maker.result(30), 400)
    [record] = records(app)
    assert record.status == 1
    other_gate.open.set()
    refused(other.result(30), 400)
    check(app, calls, [cut(app).send(index) for index in range(8)])


# The request that completes fails


@pytest.mark.parametrize("step", ["checksums", "promote", "commit"])
@pytest.mark.parametrize("index", [0, 7])
def test_a_duplicate_chunk_finishes_a_completion(
    told: tuple[Flask, list[str]], monkeypatch: pytest.MonkeyPatch, step: str, index: int
) -> None:
    """Whatever chunk it is that the client sends again."""
    app, calls = told

    def fail(*_: Any, **__: Any) -> None:
        raise ServiceUnavailable("out of order")

    with monkeypatch.context() as patch:
        patch.setattr(Completion, step, fail)
        answers = [cut(app).send(one) for one in range(8)]
    content = refused(answers.pop(), 503, "out of order")
    assert (calls, records(app)[0].status) == ([], 1)
    again = cut(app).send(index)
    assert again.get_json()["upload_id"] == content["upload_id"]
    check(app, calls, [*answers, again])
