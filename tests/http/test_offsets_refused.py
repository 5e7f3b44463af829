"""What offset dialects refuse alike: uploads that take no bytes, other people's, strange bodies."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of, offset_of
from tests.http.bad_input import check_refused, snapshot
from tests.http.expiry import expire
from tests.http.forms import send
from tests.support.offset_dialects import DIALECTS, Asked, OffsetDialect, id_of
from tests.support.protocol import nothing_left, records

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name),
]

FILE = b"hello, world! 20 byt"
ABSENT = "0" * 32
NO_IDS = [
    *(ABSENT, "A" * 32, "0" * 31, "0" * 33, "x", "0" * 5000, "%00", "..", "é", "%ff"),
    "0" * 32 + "%20",
]


def begun(client: FlaskClient, dialect: OffsetDialect, length: int | None = len(FILE)) -> str:
    """Create an upload with its first five bytes; return its id."""
    answer = dialect.create(length, FILE[:5]).over(client)
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def complete(client: FlaskClient, dialect: OffsetDialect) -> str:
    """Make a complete upload; return its id."""
    upload_id = begun(client, dialect)
    answer = dialect.append(upload_id, 5, FILE[5:], last=True).over(client)
    assert answer.status_code in (200, 201, 204), answer.text
    return upload_id


def requests(dialect: OffsetDialect, upload_id: str) -> list[Asked]:
    """Return every request about an upload."""
    return [
        dialect.head(upload_id),
        dialect.append(upload_id, 5, FILE[5:], last=True),
        dialect.append(upload_id, 5, FILE[5:7]),
        dialect.append(upload_id, 5, b""),
        dialect.append(upload_id, len(FILE), b"", last=True),
        dialect.append(upload_id, 0, FILE[5:], length=15, last=True),
        dialect.cancel(upload_id),
    ]


def test_a_complete_upload_takes_no_more_bytes(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    upload_id = complete(client, dialect)
    before = snapshot(app)
    for offset, data in (
        *((len(FILE), b"!"), (0, FILE + b"!"), (5, b"!" * 15), (5, FILE[5:] + b"!"), (0, b"!")),
        *((len(FILE) + 1, b""), (len(FILE) + 1, b"!"), (2**63 - 1, b""), (2**63 - 1, b"!")),
    ):
        for last in (False, True):
            asked = dialect.append(upload_id, offset, data, last=last)
            check_refused(asked.over(client), about=(offset, data, last))
            assert snapshot(app) == before, (offset, data)


def test_an_expired_upload_is_gone(app: Flask, client: FlaskClient, dialect: OffsetDialect) -> None:
    upload_id = begun(client, dialect)
    expire(app, upload_id)
    before = snapshot(app)
    for asked in requests(dialect, upload_id)[:-1]:
        check_refused(asked.over(client), 410, about=asked)
        assert snapshot(app) == before, asked


def test_an_invalid_upload_is_gone(app: Flask, client: FlaskClient, dialect: OffsetDialect) -> None:
    """A hook's refusal at the end makes it one."""
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    upload_id = begun(client, dialect)
    [record] = records(app)
    with app.app_context():
        upload_set.engine.invalidate(record)
    before = snapshot(app)
    for asked in requests(dialect, upload_id)[:-1]:
        check_refused(asked.over(client), 410, about=asked)
        assert snapshot(app) == before, asked


@pytest.mark.parametrize("finished", [False, True])
def test_a_cancelled_upload_is_gone(
    app: Flask, client: FlaskClient, dialect: OffsetDialect, finished: bool
) -> None:
    upload_id = (complete if finished else begun)(client, dialect)
    assert dialect.cancel(upload_id).over(client).status_code == 204
    assert nothing_left(app)
    for asked in requests(dialect, upload_id):
        check_refused(asked.over(client), 404, 410, about=asked)
        assert nothing_left(app), asked


@pytest.mark.parametrize("upload_id", NO_IDS)
def test_no_such_upload(
    app: Flask, client: FlaskClient, dialect: OffsetDialect, upload_id: str
) -> None:
    for asked in requests(dialect, upload_id):
        check_refused(asked.over(client), 404, 410, about=asked)
        assert nothing_left(app), asked


@pytest.mark.parametrize("finished", [False, True])
def test_an_upload_of_another_owner_looks_like_a_missing_one(
    make_app: Callable[..., Flask], dialect: OffsetDialect, finished: bool
) -> None:
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    owner, other = app.test_client(), app.test_client()
    owner.environ_base["HTTP_X_USER"], other.environ_base["HTTP_X_USER"] = "ann", "bob"
    upload_id = (complete if finished else begun)(owner, dialect)
    before = snapshot(app)
    for theirs, absent in zip(requests(dialect, upload_id), requests(dialect, ABSENT), strict=True):
        answer, missing = theirs.over(other), absent.over(other)
        check_refused(answer, 404, about=theirs)
        assert answer.data == missing.data
        assert set(answer.headers.keys()) == set(missing.headers.keys())
        assert snapshot(app) == before


# Bodies


def test_a_shorter_body_keeps_what_arrived(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    """On many servers a connection that was cut reads as the end of the body."""
    upload_id = begun(client, dialect)
    for arrived in range(3):
        offset = offset_of(app, upload_id)
        asked = dialect.append(upload_id, offset, b"")
        data = FILE[offset : offset + arrived]
        answer = send(client, "PATCH", asked.target, data, length="10", headers=dict(asked.headers))
        check_refused(answer, about=arrived)
        assert offset_of(app, upload_id) == offset + arrived
    assert content_of(app, upload_id) == FILE[: 5 + 0 + 1 + 2]


def test_a_shorter_body_with_a_digest_counts_for_nothing(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    upload_id = begun(client, dialect)
    before = snapshot(app)
    asked = dialect.digested(dialect.append(upload_id, 5, b""), FILE[5:])
    answer = send(
        client, "PATCH", asked.target, FILE[5:10], length="15", headers=dict(asked.headers)
    )
    check_refused(answer)
    assert snapshot(app)[1] == before[1]


def test_a_body_beyond_the_length_counts_for_nothing(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    """Also one whose length is only known at its end."""
    for chunked in (False, True):
        upload_id = begun(client, dialect)
        asked = dialect.append(upload_id, 5, b"")
        headers = {k: v for k, v in asked.headers.items() if k != "Content-Length"}
        answer = send(
            client, "PATCH", asked.target, FILE[5:] + b"!", headers=headers, chunked=chunked
        )
        check_refused(answer, dialect.BEYOND, about=chunked)
        assert offset_of(app, upload_id) == 5
        status = dialect.head(upload_id).over(client).status_code
        assert status == (410 if dialect.invalid_once_beyond else 200)


def test_a_chunked_body_is_taken(app: Flask, client: FlaskClient, dialect: OffsetDialect) -> None:
    upload_id = begun(client, dialect)
    asked = dialect.append(upload_id, 5, b"", last=True)
    headers = dict(asked.headers)
    answer = send(client, "PATCH", asked.target, FILE[5:], headers=headers, chunked=True)
    assert answer.status_code in (200, 204), answer.text
    assert content_of(app, upload_id) == FILE


@pytest.mark.parametrize("length", ["-1", "x", "", "+5", "9" * 30, "5, 5", "1e3"])
def test_a_body_without_a_usable_length_is_refused(
    app: Flask, client: FlaskClient, dialect: OffsetDialect, length: str
) -> None:
    upload_id = begun(client, dialect)
    before = snapshot(app)
    for asked in (dialect.append(upload_id, 5, b""), dialect.create(5)):
        headers = dict(asked.headers)
        answer = send(client, asked.method, asked.target, b"!!", length=length, headers=headers)
        if not 200 <= answer.status_code < 300:
            check_refused(answer, about=length)
        else:
            assert length == "", "only a request without a body does without a length"
            continue
        assert snapshot(app) == before


def test_two_framings_of_a_body_are_refused(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    upload_id = begun(client, dialect)
    before = snapshot(app)
    for asked in (dialect.append(upload_id, 5, b""), dialect.create(20)):
        headers = dict(asked.headers)
        answer = send(
            client, asked.method, asked.target, b"!", length="1", headers=headers, chunked=True
        )
        check_refused(answer, 400)
        assert snapshot(app) == before


class Breaking(io.RawIOBase):
    """A body whose connection is reset after some bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._data:
            raise ConnectionResetError
        data, self._data = self._data, b""
        return data

    def readinto(self, buffer: object) -> int:
        data = self.read()
        memoryview(buffer)[: len(data)] = data  # type: ignore[arg-type]
        return len(data)


def test_a_reset_keeps_what_arrived(
    app: Flask, client: FlaskClient, dialect: OffsetDialect
) -> None:
    upload_id = begun(client, dialect)
    asked = dialect.append(upload_id, 5, b"")
    headers = dict(asked.headers)
    answer = send(client, "PATCH", asked.target, Breaking(FILE[5:9]), length="15", headers=headers)
    check_refused(answer)
    assert content_of(app, upload_id) == FILE[:9]


# The app's checks


def test_checks_see_the_length_once_the_client_tells_it(
    make_app: Callable[..., Flask], dialect: OffsetDialect
) -> None:
    """Otherwise a check of the size is passed by telling it with the last bytes."""
    app = make_app()
    seen = []
    ChunkedUpload(app).validate(lambda request, upload: seen.append(upload.length))
    create_tables(app)
    client = app.test_client()
    upload_id = begun(client, dialect, length=None)
    answer = dialect.append(upload_id, 5, FILE[5:], length=len(FILE), last=True).over(client)
    assert answer.status_code in (200, 204)
    assert seen == [None, len(FILE)]  # once for each request
