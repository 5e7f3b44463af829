"""The quota of unfinished bytes, by every way in: asked before a byte is stored, whatever is said.

How uploads are counted, and the other limits, are in test_limits.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.forms import FORM, content_range, field, file, form, post_form, send
from tests.http.test_limits import Endless
from tests.support.concurrency import at_once
from tests.support.dropzone import HEADERS, DropzoneFile
from tests.support.protocol import Protocol, nothing_left, records

LIMIT = 100_000
MiB = 2**20
BIG = b"x" * (2 * LIMIT)

Limited = Callable[..., Flask]


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Limited:
    """Make an app whose callers may have LIMIT unfinished bytes."""

    def make(**settings: Any) -> Flask:
        app = make_app()
        ChunkedUpload(app, **{"max_open_bytes": LIMIT, **settings})
        create_tables(app)
        return app

    return make


def bytes_on_disk(app: Flask) -> int:
    return sum(map(len, stored(app).values()))


# Every way in


def one_chunk(client: FlaskClient, data: bytes) -> TestResponse:
    """Send a Dropzone file of one chunk that says it has one byte."""
    return DropzoneFile(client, data, size=MiB, announced=1).send(0)


def tell_nothing(client: FlaskClient, body: bytes, **environ: Any) -> TestResponse:
    return send(client, "POST", "/uploads/", body, chunked=True, CONTENT_TYPE=FORM, **environ)


WAYS: dict[str, Callable[[FlaskClient], TestResponse]] = {
    "form": lambda client: post_form(client, file(BIG)),
    "form with a range": lambda client: Protocol(client).chunk(BIG, 0, len(BIG)),
    "form of unknown length": lambda client: tell_nothing(client, form(file(BIG))),
    "form with a late id": lambda client: post_form(
        client, file(BIG), field("upload_id", "0" * 32), span=content_range(1, BIG, 10**9)
    ),
    "form in the middle": lambda client: post_form(
        client, file(BIG), span=content_range(1, BIG, 10**9)
    ),
    "raw": lambda client: client.post("/uploads/?filename=a", data=BIG),
    "raw with a range": lambda client: client.post(
        "/uploads/", data=b"x", headers={"Content-Range": "bytes 0-0/200000"}
    ),
    "completed by the last byte": lambda client: client.post(
        "/uploads/", data=form(file(BIG)), content_type=FORM, headers=HEADERS
    ),
    "several files": lambda client: post_form(
        client,
        *(file(BIG[:60_000], str(n), field_name=f"file[{n}]") for n in range(2)),
    ),
    "plain form": lambda client: post_form(client, file(BIG), path="/uploads/form"),
    "Dropzone": lambda client: DropzoneFile(client, BIG, size=LIMIT).send(0),
    "Dropzone, one chunk": lambda client: one_chunk(client, BIG),
    "Dropzone, only its name": lambda client: client.post(
        "/uploads/",
        data=form(field("dzuuid", "u"), file(BIG)),
        content_type=FORM,
        headers=HEADERS,
    ),
    "Dropzone, the last chunk": lambda client: DropzoneFile(
        client, BIG[:90_000], size=80_000, announced=80_001
    ).send(1, BIG[:80_000]),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_in_passes_by(limited: Limited, way: str) -> None:
    app = limited()
    response = WAYS[way](app.test_client())
    refused(response, 413)
    assert nothing_left(app)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_is_open_where_there_is_room(limited: Limited, way: str) -> None:
    """So it is the quota that refuses the others."""
    app = limited(max_open_bytes=10 * LIMIT)
    assert WAYS[way](app.test_client()).status_code != 413


# What becomes known later


@pytest.mark.parametrize("announced", [3, 7])
def test_a_length_that_becomes_known_is_asked_for(limited: Limited, announced: int) -> None:
    """Dropzone's fields disagree, so they tell no length; then a chunk says one."""
    app = limited()
    client = app.test_client()
    sent = DropzoneFile(client, b"x" * 2, size=1, announced=announced)
    upload_id = sent.send(0).get_json()["upload_id"]
    answer = Protocol(client).put(upload_id, b"y" * 4999, 1, 5_000_000)
    refused(answer, 413)
    assert bytes_on_disk(app) == 1
    assert records(app)[0].length is None
    assert Protocol(client).put(upload_id, b"yz", 1, 3).status_code == 200


def test_a_last_chunk_longer_than_announced_is_asked_for(limited: Limited) -> None:
    app = limited()
    client = app.test_client()
    sent = DropzoneFile(client, BIG[:120_000], size=60_000, announced=60_001)
    sent.send(0)
    refused(sent.send(1), 413)
    assert bytes_on_disk(app) == 60_000
    assert sent.send(1, BIG[:40_000]).get_json()["status"] == 2


def test_an_endless_body_is_read_to_the_limit_only(limited: Limited) -> None:
    app = limited(max_open_bytes=MiB)
    fields = {**DropzoneFile(app.test_client(), b"", size=10**9, announced=1).fields(0)}
    head = form(*(field(*pair) for pair in fields.items()), file(b""), end=b"")
    body = Endless(head.rpartition(b"\r\n--")[0], 4 * MiB)
    refused(tell_nothing(app.test_client(), b"", **{"wsgi.input": body}), 413)
    assert nothing_left(app)


def test_what_is_held_is_what_is_there_in_the_end(limited: Limited) -> None:
    """No more than a file's own bytes are held once its end is known."""
    app = limited()
    client = app.test_client()
    assert tell_nothing(client, form(file(BIG[: LIMIT - 10]))).status_code == 200
    assert Protocol(client).chunk(b"x" * 10, 0, 10).status_code == 200
    refused(Protocol(client).chunk(b"x", 0, 1), 413)


# Staged chunks: forms with Content-Range and no upload_id before the file


@contextmanager
def stalled(client: FlaskClient, body: bytes, span: str) -> Iterator[None]:
    """Send a form that stops before its end, for as long as the block lasts."""
    reached, go_on = threading.Event(), threading.Event()
    data = [body[:-10]]

    class Stalling:
        def read(self, size: int = -1) -> bytes:
            if data:
                return data.pop()
            reached.set()
            assert go_on.wait(30)
            return b""

    def run() -> TestResponse:
        headers = {"Content-Range": span}
        environ: dict[str, Any] = {"wsgi.input": Stalling(), "CONTENT_TYPE": FORM}
        return send(client, "POST", "/uploads/", length=str(len(body)), headers=headers, **environ)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(run)
        try:
            assert reached.wait(30)
            yield
        finally:
            go_on.set()
            assert answer.result(30).status_code == 400


def staged(app: Flask, size: int, start: int = 1, total: int = 10**9) -> Any:
    data = b"x" * size
    return stalled(app.test_client(), form(file(data)), content_range(start, data, total))


def in_the_middle(app: Flask, size: int, start: int = 1, total: int = 10**9) -> TestResponse:
    """Send a whole staged chunk; it is refused at its end, since no id comes."""
    data = b"x" * size
    return post_form(app.test_client(), file(data), span=content_range(start, data, total))


def test_staged_chunks_count(limited: Limited) -> None:
    app = limited()
    with staged(app, 40_000), staged(app, 40_000):
        refused(in_the_middle(app, 40_000), 413)
        refused(Protocol(app.test_client()).chunk(b"x", 0, 20_001), 413)
        assert bytes_on_disk(app) <= 80_000
        refused(in_the_middle(app, 20_000), 400, "Offsets do not match")
    assert nothing_left(app)


def test_staged_chunks_count_as_uploads(limited: Limited) -> None:
    app = limited(max_open_uploads=2)
    with staged(app, 10), staged(app, 10):
        refused(in_the_middle(app, 10), 413)
        refused(Protocol(app.test_client()).chunk(b"x", 0, 2), 413)
    assert nothing_left(app)


def test_a_staged_chunk_lies_in_the_place_of_the_upload_that_it_continues(
    limited: Limited,
) -> None:
    """One chunk for each such upload, for as long as it has room for the chunk."""
    app = limited(max_open_uploads=2)
    client = app.test_client()
    uploads = [Protocol(client).chunk(b"x", 0, 50_000).get_json()["upload_id"] for _ in range(2)]
    with staged(app, 40_000, 1, 50_000), staged(app, 40_000, 1, 50_000):
        refused(in_the_middle(app, 40_000, 1, 50_000), 413)
    refused(in_the_middle(app, 40_000, 2, 50_000), 413)
    refused(in_the_middle(app, 40_000, 1, 50_001), 413)
    with staged(app, 40_000, 1, 50_000):
        # Now the upload needs its place itself, or is gone: the chunk counts.
        refused(Protocol(client).chunk(b"x", 0, 1), 413)
        client.delete(f"/uploads/{uploads[0]}")
        client.delete(f"/uploads/{uploads[1]}")
        refused(Protocol(client).chunk(b"x", 0, 60_001), 413)
        assert Protocol(client).chunk(b"x", 0, 60_000).status_code == 200


def test_a_chunk_whose_id_comes_last_is_stored_when_all_is_held(limited: Limited) -> None:
    app = limited(max_open_uploads=1)
    client = app.test_client()
    upload_id = Protocol(client).chunk(BIG[:10], 0, LIMIT).get_json()["upload_id"]
    for start in range(10, LIMIT, 33_330):
        data = BIG[:33_330]
        answer = post_form(
            client,
            file(data),
            field("upload_id", upload_id),
            span=content_range(start, data, LIMIT),
        )
        assert answer.get_json()["offset"] == start + len(data)
    assert Protocol(client).complete(upload_id, BIG[:LIMIT]).status_code == 200


# At once


@pytest.fixture
def apps(limited: Limited, tmp_path: Path) -> list[Flask]:
    """Two apps with connections of their own to one database, as two processes have."""
    return [limited(root=str(tmp_path / "files")) for _ in range(2)]


def test_the_last_bytes_are_given_once(apps: list[Flask]) -> None:
    answers = at_once(
        8, lambda n: Protocol(apps[n % 2].test_client()).chunk(b"x", 0, LIMIT // 3).status_code
    )
    assert sorted(answers) == [200] * 3 + [413] * 5


def test_uploads_that_grow_at_once(apps: list[Flask]) -> None:
    """Each says one byte and sends more: together they never hold more than the limit."""
    answers = at_once(8, lambda n: one_chunk_kept(apps[n % 2].test_client()).status_code)
    assert set(answers) <= {200, 413}
    assert answers.count(200) <= 3
    sizes = [record.length or 0 for record in records(apps[0])]
    assert sum(sizes) <= LIMIT


def one_chunk_kept(client: FlaskClient) -> TestResponse:
    """Send a long last chunk, the first of its file to arrive, so that the upload stays open."""
    sent = DropzoneFile(client, b"", size=30_000, announced=1, params={"dztotalchunkcount": "2"})
    return sent.send(1, b"x" * 3_000)


def test_lengths_that_become_known_at_once(apps: list[Flask]) -> None:
    clients = [app.test_client() for app in apps]
    started = [
        DropzoneFile(clients[n % 2], b"xx", size=1, announced=7).send(0).get_json()["upload_id"]
        for n in range(6)
    ]
    answers = at_once(
        6,
        lambda n: Protocol(apps[n % 2].test_client()).put(started[n], b"y", 1, 40_000).status_code,
    )
    assert sorted(answers) == [200] * 2 + [413] * 4


def test_parallel_chunks_hold_their_upload_once(apps: list[Flask]) -> None:

    def one(index: int) -> int:
        client = apps[index % 2].test_client()
        return DropzoneFile(client, BIG[:LIMIT], size=12_500, uuid="one").send(index).status_code

    assert at_once(8, one) == [200] * 8


def test_stalled_ones_count_too(limited: Limited) -> None:
    """Nothing is recorded of them yet, and their bytes are on the disk."""
    app = limited()
    with ExitStack() as all_of_them:
        for number in range(2):
            body = form(field("dzuuid", f"{number}"), file(b"x" * 40_000))
            all_of_them.enter_context(stalled(app.test_client(), body, ""))
        refused(Protocol(app.test_client()).chunk(b"x", 0, 40_000), 413)
    assert nothing_left(app)
