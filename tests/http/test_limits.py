"""Every limit: its answer, enforced while bytes arrive, and nothing left behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask, Request, render_template_string

from chunked_upload import ChunkedUpload, ChunkedUploadView
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.forms import FORM, content_range, field, file, form, post_form, send
from tests.support.protocol import Protocol, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello world"
MiB = 2**20


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """Make an app with limits, given by the short names of settings."""

    def make(**settings: Any) -> Flask:
        app = make_app()
        ChunkedUpload(app, **settings)
        create_tables(app)
        return app

    return make


class Endless(io.RawIOBase):
    """A form whose file never ends; fails the test when far more is read than is allowed."""

    def __init__(self, head: bytes, patience: int) -> None:
        self.head, self.patience, self.given = head, patience, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.head:
            data, self.head = self.head, b""
            return data
        self.given += size
        assert self.given < self.patience, "read on past the limit"
        return b"x" * size


def endless_form(patience: int = 4 * MiB) -> Endless:
    return Endless(form(file(b""), end=b"").rpartition(b"\r\n--")[0], patience)


# Size of the file


@pytest.mark.parametrize("ranged", [False, True])
def test_max_bytes_is_enforced_while_reading(limited: Callable[..., Flask], ranged: bool) -> None:
    app = limited(max_bytes=MiB)
    value = f"bytes 0-{MiB}/{MiB + 1}"
    environ: dict[str, Any] = {"HTTP_CONTENT_RANGE": value} if ranged else {}
    response = send(
        app.test_client(),
        "POST",
        "/uploads/",
        endless_form(),
        chunked=True,
        CONTENT_TYPE=FORM,
        **environ,
    )
    refused(response, 400, f"Size of file exceeds the limit ({MiB} bytes)")
    assert nothing_left(app)


def test_a_declared_size_is_enforced_while_reading(limited: Callable[..., Flask]) -> None:
    app = limited()
    response = send(
        app.test_client(),
        "POST",
        "/uploads/",
        endless_form(),
        chunked=True,
        CONTENT_TYPE=FORM,
        HTTP_CONTENT_RANGE="bytes 0-9/10",
    )
    refused(response, 400, "File size doesn't match headers")
    assert nothing_left(app)


def test_max_bytes_holds_for_all_chunks_together(limited: Callable[..., Flask]) -> None:
    """django-chunked-upload believed each chunk's own total."""
    app = limited(max_bytes=10)
    protocol = Protocol(app.test_client())
    refused(protocol.chunk(b"hello ", 0, 11), 400, "Size of file exceeds the limit (10 bytes)")
    upload_id = protocol.chunk(b"hello ", 0, 10).get_json()["upload_id"]
    refused(protocol.put(upload_id, b"world", 6, 11), 400)
    assert protocol.put(upload_id, b"worl", 6, 10).status_code == 200


def test_max_bytes_may_be_a_function_of_the_request(limited: Callable[..., Flask]) -> None:
    def limit(request: Request) -> int | None:
        return {"free": 5, "paid": 100}.get(request.headers.get("X-Plan", ""))

    app = limited(max_bytes=limit)
    protocol = Protocol(app.test_client())
    refused(protocol.chunk(DATA, headers={"X-Plan": "free"}), 400)
    assert nothing_left(app)
    assert protocol.chunk(DATA, headers={"X-Plan": "paid"}).status_code == 200
    assert protocol.chunk(DATA).status_code == 200


def test_a_views_own_max_bytes(limited: Callable[..., Flask], make_app: Any) -> None:
    class Small(ChunkedUploadView):
        max_bytes = 5

    app = make_app(CHUNKED_UPLOAD_MAX_BYTES=100)
    ChunkedUpload(app, upload_view=Small)
    create_tables(app)
    refused(
        Protocol(app.test_client()).chunk(DATA), 400, "Size of file exceeds the limit (5 bytes)"
    )


@pytest.mark.both_databases
def test_a_limit_that_shrinks_holds_for_uploads_under_way(
    limited: Callable[..., Flask],
) -> None:
    limit = [100]
    app = limited(max_bytes=lambda request: limit[0])
    protocol = Protocol(app.test_client())
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    limit[0] = 8
    refused(protocol.put(upload_id, b"world", 6, 11), 400)
    assert protocol.state(upload_id).get_json()["offset"] == 6


# Size of a chunk


@pytest.mark.parametrize("as_form", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_max_chunk_bytes(limited: Callable[..., Flask], as_form: bool, chunked: bool) -> None:
    app = limited(max_chunk_bytes=10)
    client = app.test_client()
    body, content_type = (form(file(DATA)), FORM) if as_form else (DATA, "a/b")
    environ: dict[str, Any] = {"CONTENT_TYPE": content_type}
    ranges: list[dict[str, Any]] = [{}, {"HTTP_CONTENT_RANGE": "bytes 0-10/11"}]
    for more in ranges:
        if chunked and not as_form and not more:
            continue  # that is 411
        response = send(
            client,
            "POST",
            "/uploads/",
            body,
            chunked=chunked,
            **environ,
            **more,
        )
        refused(response, 413)
        assert "10 bytes" in response.get_json()["detail"]
    assert nothing_left(app)
    assert Protocol(client).chunk(DATA[:10], 0, 1000).status_code == 200


def test_max_chunk_bytes_is_enforced_while_reading(limited: Callable[..., Flask]) -> None:
    app = limited(max_chunk_bytes=MiB)
    response = send(
        app.test_client(), "POST", "/uploads/", endless_form(), chunked=True, CONTENT_TYPE=FORM
    )
    refused(response, 413)
    assert nothing_left(app)


# Quotas


@pytest.mark.both_databases
def test_max_open_uploads(limited: Callable[..., Flask]) -> None:
    app = limited(max_open_uploads=2)
    protocol = Protocol(app.test_client())
    first, second = (protocol.chunk(b"x", 0, 2).get_json()["upload_id"] for _ in range(2))
    for response in (protocol.chunk(b"x", 0, 2), protocol.chunk(b"x")):
        refused(response, 413)
    assert len(records(app)) == 2
    assert len(stored(app)) == 2
    assert protocol.put(first, b"y", 1, 2).status_code == 200  # those under way go on
    protocol.client.delete(f"/uploads/{second}")
    assert protocol.chunk(b"x", 0, 2).status_code == 200
    refused(protocol.chunk(b"x", 0, 2), 413)
    protocol.complete(first, b"xy")
    assert protocol.chunk(b"x", 0, 2).status_code == 200


def test_a_chunk_whose_id_comes_last_is_not_one_more_upload(
    limited: Callable[..., Flask],
) -> None:
    app = limited(max_open_uploads=1, max_open_bytes=11)
    client = app.test_client()
    upload_id = Protocol(client).chunk(b"hello ", 0, 11).get_json()["upload_id"]
    response = post_form(
        client,
        file(b"world"),
        field("upload_id", upload_id),
        span=content_range(6, b"world", 11),
    )
    assert response.status_code == 200, response.text


@pytest.mark.both_databases
@pytest.mark.parametrize("ranged", [True, False])
def test_max_open_bytes(limited: Callable[..., Flask], ranged: bool) -> None:
    app = limited(max_open_bytes=1000)
    protocol = Protocol(app.test_client())
    upload_id = protocol.chunk(b"x", 0, 900).get_json()["upload_id"]
    big = protocol.chunk(b"x", 0, 101) if ranged else protocol.chunk(b"x" * 101)
    refused(big, 413)
    assert len(stored(app)) == 1
    assert protocol.chunk(b"x", 0, 100).status_code == 200
    protocol.client.delete(f"/uploads/{upload_id}")
    assert protocol.chunk(b"x", 0, 900).status_code == 200


@pytest.mark.both_databases
def test_bytes_of_unknown_length_cannot_pass_a_quota(limited: Callable[..., Flask]) -> None:
    app = limited(max_open_bytes=MiB)
    response = send(
        app.test_client(), "POST", "/uploads/", endless_form(), chunked=True, CONTENT_TYPE=FORM
    )
    refused(response, 413)
    assert nothing_left(app)


@pytest.mark.both_databases
def test_completed_files_do_not_count(limited: Callable[..., Flask]) -> None:
    app = limited(max_open_uploads=1, max_open_bytes=500)
    protocol = Protocol(app.test_client())
    for _ in range(3):
        protocol.completed(b"x" * 100)


@pytest.mark.both_databases
def test_owners_have_quotas_of_their_own(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_open_uploads=1).user_loader(lambda request: request.headers["X-User"])
    create_tables(app)
    protocol = Protocol(app.test_client())
    for user, status in (("ann", 200), ("bob", 200), ("ann", 413), ("bob", 413)):
        response = protocol.chunk(b"x", 0, 2, headers={"X-User": user})
        assert response.status_code == status


@pytest.mark.both_databases
def test_anonymous_callers_share_a_quota_by_address(limited: Callable[..., Flask]) -> None:
    """A cookie can be dropped at will, so it is not what is counted."""
    app = limited(max_open_uploads=1)
    assert Protocol(app.test_client()).chunk(b"x", 0, 2).status_code == 200
    refused(Protocol(app.test_client()).chunk(b"x", 0, 2), 413)
    elsewhere = app.test_client().post(
        "/uploads/",
        data=form(file(b"x")),
        content_type=FORM,
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert elsewhere.status_code == 200
    assert not any("127.0.0.1" in record.quota_key for record in records(app))


@pytest.mark.both_databases
def test_the_last_place_is_given_once(limited: Callable[..., Flask]) -> None:
    """Counting and inserting are one step, however many ask at once."""
    app = limited(max_open_uploads=3)
    barrier, answers = threading.Barrier(8), []

    def create() -> None:
        client = app.test_client()
        barrier.wait()
        answers.append(Protocol(client).chunk(b"x", 0, 2).status_code)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 3 + [413] * 5
    assert len(records(app)) == 3
    assert len(stored(app)) == 3


# Metadata


def test_max_metadata_fields(limited: Callable[..., Flask]) -> None:
    app = limited(max_metadata_fields=3)
    client = app.test_client()
    fields = [field(f"f{n}", "x") for n in range(4)]
    own = [field("csrf_token", "t")]
    for parts in (
        [*fields, file(DATA)],
        [file(DATA), *fields],
        [*fields[:2], file(DATA), *fields[2:]],
    ):
        refused(post_form(client, *parts), 413)
    assert nothing_left(app)
    response = post_form(client, *own, *fields[:3], file(DATA))
    assert response.status_code == 200
    upload_id = response.get_json()["upload_id"]
    assert len(Protocol(client).state(upload_id).get_json()["metadata"]) == 3


def test_max_metadata_bytes(limited: Callable[..., Flask]) -> None:
    app = limited(max_metadata_bytes=1000)
    client = app.test_client()
    for parts in (
        [field("a", "x" * 1000), file(DATA)],
        [file(DATA), field("a", "x" * 1000)],
        [field("n" * 1001, ""), file(DATA)],
        [field("a", "é" * 500), file(DATA)],
        [field("a", "x" * 500), file(DATA), field("b", "x" * 500)],
    ):
        refused(post_form(client, *parts), 413)
    assert nothing_left(app)
    assert post_form(client, field("a", "x" * 900), file(DATA)).status_code == 200


def test_the_protocols_own_fields_are_no_metadata(limited: Callable[..., Flask]) -> None:
    app = limited(max_metadata_bytes=1, max_metadata_fields=1)
    client = app.test_client()
    upload_id = Protocol(client).chunk(b"hello ", 0, 11).get_json()["upload_id"]
    own = [field("upload_id", upload_id), field("csrf_token", "t" * 100)]
    response = post_form(client, *own, file(b"world"), span="bytes 6-10/11")
    assert response.status_code == 200
    refused(post_form(client, field("csrf_token", "t" * MiB), file(DATA)), 413)


def test_metadata_limits_hold_for_a_form_parsed_before(make_app: Callable[..., Flask]) -> None:
    from flask import request

    app = make_app()
    app.before_request(lambda: request.form and None)
    ChunkedUpload(app, max_metadata_fields=3, max_metadata_bytes=1000)
    create_tables(app)
    client = app.test_client()
    refused(post_form(client, *[field(f"f{n}", "x") for n in range(4)], file(DATA)), 413)
    refused(post_form(client, field("a", "x" * 1000), file(DATA)), 413)
    assert nothing_left(app)


# Names


def test_max_filename_length(limited: Callable[..., Flask]) -> None:
    app = limited(max_filename_length=10)
    protocol = Protocol(app.test_client())
    refused(protocol.chunk(DATA, filename="x" * 11), 413)
    assert nothing_left(app)
    assert protocol.chunk(DATA, filename="é" * 10).status_code == 200


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("a.jpg", True),
        ("a.JPG", True),
        ("a.b.png", True),
        ("a.jpg.exe", False),
        ("a.exe", False),
        ("jpg", False),
        ("a", False),
        ("a.jpg.", True),  # the dot at the end goes
    ],
)
def test_allowed_extensions(limited: Callable[..., Flask], name: str, accepted: bool) -> None:
    app = limited(allowed_extensions=("jpg", ".PNG"))
    client = app.test_client()
    responses = [
        post_form(client, file(DATA, name)),
        client.post(f"/uploads/?filename={name}", data=DATA, content_type="a/b"),
    ]
    if accepted:
        assert all(response.status_code == 200 for response in responses)
    else:
        for response in responses:
            refused(response, 415)
        assert nothing_left(app)


def test_an_extension_may_have_several_parts(limited: Callable[..., Flask]) -> None:
    app = limited(allowed_extensions=("tar.gz", "*.JPG "), denied_extensions=(".old.jpg",))
    client = app.test_client()
    refused(post_form(client, file(DATA, "a.gz")), 415)
    refused(post_form(client, file(DATA, "tar.gz")), 415)
    answer = refused(post_form(client, file(DATA, "a.old.jpg")), 415)
    assert answer["detail"] == "Files of type 'old.jpg' are not accepted"
    assert nothing_left(app)
    for name in ("a.tar.gz", "a.b.TAR.GZ", "a.jpg", "old.jpg"):
        assert post_form(client, file(DATA, name)).status_code == 200
    with app.test_request_context():
        zone = unescape(render_template_string("{{ chunked_upload.dropzone() }}"))
    assert '"accept": ".tar.gz,.jpg"' in zone


@pytest.mark.parametrize(
    "name",
    ["a.php", "a.PHP", "a.b.php", "a.php.", "a.php ", "a.php. . .", ".php", "a．php", "a.ｐｈｐ",
     "a.p\u200bhp", "a.php\u202e", "a.php\\", "a.php/", "a.php\0"],
    ids=ascii,
)  # fmt: skip
def test_denied_extensions(limited: Callable[..., Flask], name: str) -> None:
    """What decides is the name that the file would get on disk."""
    app = limited(denied_extensions=("php",))
    client = app.test_client()
    for way in ("form", "query"):
        if way == "form":
            response = post_form(client, file(DATA, name))
        else:
            response = client.post(
                "/uploads/", query_string={"filename": name}, data=DATA, content_type="a/b"
            )
        if response.status_code == 200:
            assert name[-1] in "/\\\0"  # the last component has no name, or a parser cut it
            upload_id = response.get_json()["upload_id"]
            Protocol(client).complete(upload_id, DATA)
            assert not any(place.lower().endswith("php") for place in stored(app))
            client.delete(f"/uploads/{upload_id}")
        elif name.endswith("\\") and way == "form":
            refused(response, 400)  # the backslash takes the quote with it, no file name is left
        else:
            refused(response, 415)
        assert nothing_left(app)


def test_limits_refuse_before_the_body_is_read(limited: Callable[..., Flask]) -> None:
    app = limited(max_bytes=MiB, max_chunk_bytes=1000, denied_extensions=("exe",))
    client = app.test_client()
    patience = 300_000  # one buffer

    def post(name: str, value: str) -> Any:
        head = form(file(b"", name), end=b"").rpartition(b"\r\n--")[0]
        return send(
            client,
            "POST",
            "/uploads/",
            Endless(head, patience),
            length=str(100 * MiB),
            CONTENT_TYPE=FORM,
            HTTP_CONTENT_RANGE=value,
        )

    refused(post("a", f"bytes 0-99/{2 * MiB}"), 400)
    refused(post("a", "bytes 0-9999/100000"), 413)
    refused(post("a.exe", "bytes 0-99/100"), 415)
    assert nothing_left(app)
