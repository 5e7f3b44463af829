"""Any file, cut in any way, its chunks in any order, repeated, broken, falsified, canceled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.forms import FORM, field, file, form, send
from tests.support.dropzone import DropzoneFile
from tests.support.examples import examples
from tests.support.protocol import md5_of

#: What may happen to a chunk, by its place in the file (a fraction, so that it fits any).
steps = st.lists(
    st.tuples(st.sampled_from(["send", "send", "send", "break", "falsify"]), st.floats(0, 0.999)),
    max_size=25,
)


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, list[str]]]:
    """An app for all examples, and what its completion hook was called for."""
    directory: Path = tmp_path_factory.mktemp("dropzone")
    app, calls = Flask("tests", instance_path=str(directory)), []
    app.config.update(SECRET_KEY="tests", SQLALCHEMY_DATABASE_URI="sqlite:///:memory:")

    @ChunkedUpload(app, durable=False).on_completion
    def note(file: object, request: object) -> None:
        calls.append("called")

    create_tables(app)
    yield app, calls
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    data=st.binary(min_size=1, max_size=60),
    size=st.integers(1, 20),
    announced=st.none() | st.integers(0, 100),
    steps=steps,
)
def test_every_byte_arrives_once(
    hooked: tuple[Flask, list[str]],
    data: bytes,
    size: int,
    announced: int | None,
    steps: list[tuple[str, float]],
) -> None:
    app, calls = hooked
    before = len(calls)
    sent = DropzoneFile(app.test_client(), data, size=size, announced=announced)
    have: set[int] = set()
    for what, place in steps:
        index = int(place * sent.count)
        status = PLAYS[what](sent, index)
        if what == "send":
            assert status == 200
            have.add(index)
        elif what == "break" or index in have:
            assert status == 400
        else:  # nothing tells it from the right one yet; what is stored first counts
            assert status == 200
            sent.data = _falsified(sent, index)
            have.add(index)
        assert len(calls) - before == (len(have) == sent.count)
    answers = [sent.send(index) for index in reversed(range(sent.count))]
    assert {answer.status_code for answer in answers} == {200}
    state = answers[-1].get_json()
    assert (state["status"], state["offset"], state["length"]) == (2, len(data), len(data))
    assert state["md5"] == md5_of(sent.data)
    assert sent.client.get(state["url"], buffered=True).data == sent.data
    assert len(calls) == before + 1
    assert sent.cancel().status_code == 204
    assert sent.send(0).status_code == 404


def _send(sent: DropzoneFile, index: int) -> int:
    return sent.send(index).status_code


def _break(sent: DropzoneFile, index: int) -> int:
    fields = [field(name, value) for name, value in sent.fields(index).items()]
    whole = form(*fields, file(sent.part(index)))
    broken = whole[: -len("--b0undary--\r\n") - 3]
    answer = send(
        sent.client, "POST", "/uploads/", broken, length=str(len(whole)), CONTENT_TYPE=FORM
    )
    return answer.status_code


def _falsify(sent: DropzoneFile, index: int) -> int:
    part = sent.part(index)
    return sent.send(index, bytes(255 - byte for byte in part)).status_code


def _falsified(sent: DropzoneFile, index: int) -> bytes:
    start = index * sent.size
    part = bytes(255 - byte for byte in sent.part(index))
    return sent.data[:start] + part + sent.data[start + len(part) :]


PLAYS = {"send": _send, "break": _break, "falsify": _falsify}
