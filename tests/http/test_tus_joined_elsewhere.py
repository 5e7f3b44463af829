"""Partial and final uploads of tus as other dialects meet them: never a 500, nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.bad_input import check_refused
from tests.support.offset_dialects import RESUMABLE, TUS, OffsetDialect, id_of
from tests.support.protocol import Protocol, files, records

pytestmark = pytest.mark.one_database


@pytest.fixture
def waiting_app(make_app: Callable[..., Flask]) -> Flask:
    """An app in which a final upload may wait for its partial ones."""
    app = make_app()
    ChunkedUpload(app, tus_concatenation_unfinished=True)
    create_tables(app)
    return app


def partial(client: FlaskClient, length: int, data: bytes = b"") -> str:
    """Create a partial upload; return its id."""
    answer = TUS.create(length, data).but(upload_concat="partial").over(client)
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def final(client: FlaskClient, *upload_ids: str) -> str:
    """Create a final upload; return its id."""
    urls = " ".join(f"/uploads/tus/{upload_id}" for upload_id in upload_ids)
    asked = TUS.create(0).but(upload_length=None, upload_concat=f"final;{urls}")
    answer = asked.over(client)
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def test_the_bytes_of_a_partial_upload_may_come_in_another_dialect(
    app: Flask, client: FlaskClient
) -> None:
    one, two = partial(client, 10, b"hello"), partial(client, 3)
    assert RESUMABLE.append(one, 5, b" big ").over(client).status_code == 204
    assert Protocol(client).put(two, b"wor", 0, 3).status_code == 200
    joined = final(client, one, two)
    assert client.get(f"/uploads/{joined}/file", buffered=True).data == b"hello big wor"
    assert len(records(app)) == len(files(app)) == 1


def test_no_dialect_makes_a_file_of_a_partial_upload(app: Flask, client: FlaskClient) -> None:
    one = partial(client, 5, b"hello")
    check_refused(Protocol(client).complete(one, b"hello"), 400)
    check_refused(RESUMABLE.append(one, 5, b"", last=True).over(client))
    joined = final(client, one)
    assert client.get(f"/uploads/{joined}/file", buffered=True).data == b"hello"
    assert len(records(app)) == len(files(app)) == 1


def test_a_waiting_final_upload_takes_no_bytes_of_another_dialect(waiting_app: Flask) -> None:
    client = waiting_app.test_client()
    one, two = partial(client, 5), partial(client, 3, b"you")
    joined = final(client, one, two)
    for answer in (
        Protocol(client).put(joined, b"wrong", 0, 8),
        Protocol(client).chunk(b"wrong", 0, 8, upload_id=joined),
        RESUMABLE.append(joined, 0, b"wrong").over(client),
        RESUMABLE.append(joined, 0, b"wrong!!!", last=True).over(client),
        Protocol(client).complete(joined, b"wrong!!!"),
    ):
        check_refused(answer)
    assert TUS.append(one, 0, b"hello").over(client).status_code == 204
    assert TUS.head(joined).over(client).headers["Upload-Offset"] == "8"
    assert client.get(f"/uploads/{joined}/file", buffered=True).data == b"helloyou"


def test_other_dialects_tell_where_a_waiting_final_upload_stands(waiting_app: Flask) -> None:
    client = waiting_app.test_client()
    joined = final(client, partial(client, 5), partial(client, 3))
    state = client.get(f"/uploads/{joined}").json
    assert state is not None
    assert (state["status"], state["offset"]) == (1, 0)
    assert RESUMABLE.head(joined).over(client).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("dialect", [TUS, RESUMABLE], ids=["tus", "resumable"])
def test_a_partial_upload_that_is_cancelled_leaves_the_final_one_waiting(
    waiting_app: Flask, dialect: OffsetDialect
) -> None:
    client = waiting_app.test_client()
    one, two = partial(client, 5), partial(client, 3, b"you")
    joined = final(client, one, two)
    assert dialect.cancel(one).over(client).status_code == 204
    assert TUS.head(joined).over(client).status_code < 500
    assert TUS.append(two, 3, b"").over(client).status_code < 500
    assert TUS.cancel(joined).over(client).status_code == 204
    assert TUS.cancel(two).over(client).status_code == 204
    assert not files(waiting_app)
    # The client's name for a final upload stays taken until it expires.
    assert [record.upload_id for record in records(waiting_app)] == [joined]
