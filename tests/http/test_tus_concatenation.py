"""tus: partial uploads become one final upload, without passing through the server again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, ChunkedUploadError
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.completion import Completion
from chunked_upload.http.dialects.tus import concatenation
from chunked_upload.records.clock import DatabaseClock
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.expiry import expire
from tests.http.forms import send
from tests.support.protocol import Protocol, files, md5_of, nothing_left, records
from tests.support.tus import VERSION, Tus, encoded, id_of

pytestmark = pytest.mark.one_database

PIECES = [b"hello ", b"", b"wide ", b"world"]
WHOLE = b"".join(PIECES)
PARTIAL = {"Upload-Concat": "partial"}


def partial(tus: Tus, data: bytes, **metadata: str) -> str:
    """Upload a partial upload; return its URL."""
    url = tus.created(len(data), headers=PARTIAL, **metadata)
    if data:
        assert tus.patch(url, data, 0).status_code == 204
    return url


def partials(tus: Tus) -> list[str]:
    return [partial(tus, data) for data in PIECES]


def final(tus: Tus, urls: list[str], headers: dict[str, str] | None = None) -> TestResponse:
    """Ask for the final upload of partial ones."""
    sent = {"Upload-Concat": f"final;{' '.join(urls)}", **(headers or {})}
    return tus.request("POST", tus.url, sent)


def content(tus: Tus, response: TestResponse) -> bytes:
    assert response.status_code == 201, response.text
    return bytes(tus.client.get(response.headers["Location"], buffered=True).data)


def test_it_is_offered(tus: Tus) -> None:
    extensions = tus.client.options(tus.url).headers["Tus-Extension"].split(",")
    assert "concatenation" in extensions
    assert "concatenation-unfinished" not in extensions


# Partial uploads


def test_a_partial_upload_is_not_found_as_the_file_to_resume(tus: Tus) -> None:
    """tus-js-client has an option that gives the file's name to its parts."""
    partial(tus, b"hello", filename="a.bin")
    assert tus.client.get("/uploads/?file=a.bin").get_json() == {"file": None}


def test_a_partial_upload_says_that_it_is_one(tus: Tus) -> None:
    url = tus.created(5, headers=PARTIAL)
    for offset in (0, 5):
        head = tus.head(url)
        assert head.headers["Upload-Concat"] == "partial"
        assert head.headers["Upload-Offset"] == str(offset)
        assert "Upload-Expires" in head.headers
        tus.patch(url, b"hello", 0)


def test_a_partial_upload_is_no_file(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    done: list[Any] = []
    uploads.on_completion(lambda file, request: done.append(file))
    tus = Tus(app.test_client())
    url = partial(tus, b"hello")
    tus.head(url)
    refused(tus.client.get(url), 400, "Upload is not complete")
    refused(Protocol(tus.client).complete(id_of(url), b"hello"), 400, "Upload is not complete")
    refused(tus.client.post("/uploads/complete", data={"upload_id": id_of(url)}), 400)
    assert tus.client.get(f"/uploads/{id_of(url)}").get_json()["status"] == 1
    assert done == []


def test_its_last_bytes_may_be_repeated(tus: Tus) -> None:
    url = partial(tus, b"hello")
    assert tus.patch(url, b"hello", 0).status_code == 204


def test_partial_uploads_may_defer_their_length(tus: Tus) -> None:
    url = tus.created(headers=PARTIAL)
    tus.patch(url, b"hello", 0, {"Upload-Length": "5"})
    assert content(tus, final(tus, [url])) == b"hello"


@pytest.mark.parametrize(
    "given", ["", "Partial", "partial,partial", "partial;/a", "final", "final;", "final; ", "x;/a"]
)
def test_a_malformed_header_is_refused(app: Flask, tus: Tus, given: str) -> None:
    refused(tus.create(5, {"Upload-Concat": given}), 400, "Error in request headers")
    assert nothing_left(app)


# The final upload


def test_the_bytes_of_partial_uploads_in_order(app: Flask, tus: Tus) -> None:
    urls = partials(tus)
    response = final(tus, urls, {"Upload-Metadata": encoded(filename="a.txt")})
    assert content(tus, response) == WHOLE
    url = response.headers["Location"]
    head = tus.head(url)
    assert head.headers["Upload-Concat"] == f"final;{' '.join(urls)}"
    assert head.headers["Upload-Offset"] == head.headers["Upload-Length"] == str(len(WHOLE))
    assert head.headers["Upload-Metadata"] == encoded(filename="a.txt")
    state = tus.client.get(f"/uploads/{id_of(url)}").get_json()
    assert (state["filename"], state["status"], state["md5"]) == ("a.txt", 2, md5_of(WHOLE))


def test_another_order_is_another_file(tus: Tus) -> None:
    assert content(tus, final(tus, partials(tus)[::-1])) == b"worldwide hello "


def test_a_partial_upload_may_be_named_several_times(tus: Tus) -> None:
    urls = [partial(tus, data) for data in (b"ab", b"c")]
    assert content(tus, final(tus, [urls[0], urls[1], urls[0], urls[0]])) == b"abcabab"


def test_a_final_upload_of_nothing_is_an_empty_file(tus: Tus) -> None:
    assert content(tus, final(tus, [partial(tus, b""), partial(tus, b"")])) == b""


def test_used_partial_uploads_are_removed(app: Flask, tus: Tus) -> None:
    urls = partials(tus)
    response = final(tus, urls)
    for url in urls:
        assert tus.head(url).status_code == 404
    assert [record.upload_id for record in records(app)] == [id_of(response.headers["Location"])]
    assert len(files(app)) == 1


@pytest.mark.parametrize("write", [str, lambda url: url[len("http://localhost") :], id_of])
def test_urls_may_be_absolute_or_relative(tus: Tus, write: Callable[[str], str]) -> None:
    assert content(tus, final(tus, [write(url) for url in partials(tus)])) == WHOLE


def test_metadata_of_partial_uploads_is_not_taken_over(tus: Tus) -> None:
    response = final(tus, [partial(tus, b"hello", filename="a.txt", x="y")])
    assert "Upload-Metadata" not in tus.head(response.headers["Location"]).headers
    state = tus.client.get(f"/uploads/{id_of(response.headers['Location'])}").get_json()
    assert state["metadata"] == {}


def test_no_copy_passes_through_the_process(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = partials(tus)
    monkeypatch.setattr(Chunk, "write", None)
    assert content(tus, final(tus, urls)) == WHOLE


def test_patch_of_a_final_upload_is_forbidden(tus: Tus) -> None:
    url = final(tus, partials(tus)).headers["Location"]
    refused(tus.patch(url, b"x", len(WHOLE)), 403)
    refused(tus.patch(url, b"hello", 0), 403)
    assert tus.client.get(url, buffered=True).data == WHOLE


def test_a_final_upload_can_be_deleted(tus: Tus) -> None:
    urls = partials(tus)
    url = final(tus, urls).headers["Location"]
    assert tus.delete(url).status_code == 204
    assert tus.head(url).status_code == 404
    refused(final(tus, urls), 400)


# What cannot be joined


def test_a_length_must_not_come_with_it(tus: Tus) -> None:
    urls = partials(tus)
    refused(final(tus, urls, {"Upload-Length": str(len(WHOLE))}), 400)
    refused(final(tus, urls, {"Upload-Defer-Length": "1"}), 400)
    assert content(tus, final(tus, urls)) == WHOLE


def test_bytes_must_not_come_with_it(tus: Tus) -> None:
    urls = partials(tus)
    sent = {"Upload-Concat": f"final;{' '.join(urls)}"}
    refused(tus.request("POST", tus.url, sent, b"hello"), 403)


UNUSABLE: dict[str, Callable[[Tus], str]] = {
    "none": lambda tus: f"/uploads/tus/{'0' * 32}",
    "no id": lambda tus: "/uploads/tus/non-existent",
    "a list": lambda tus: "/uploads/tus/a,/uploads/tus/b",
    "no URL": lambda tus: "http://[",
    "unfinished": lambda tus: tus.created(5, headers=PARTIAL),
    "of unknown length": lambda tus: tus.created(headers=PARTIAL),
    "a whole upload": lambda tus: tus.upload(b"hello"),
    "an unfinished upload": lambda tus: tus.created(5),
    "a final upload": lambda tus: final(tus, [partial(tus, b"x")]).headers["Location"],
    "of another dialect": lambda tus: f"/uploads/tus/{Protocol(tus.client).upload(b'x')}",
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_is_no_finished_partial_upload(app: Flask, tus: Tus, what: str) -> None:
    good, bad = partial(tus, b"hello"), UNUSABLE[what](tus)
    before = len(records(app))
    refused(final(tus, [good, bad]), 400)
    assert len(records(app)) == before
    assert content(tus, final(tus, [good])) == b"hello"


def test_an_expired_partial_upload(app: Flask, tus: Tus) -> None:
    url = partial(tus, b"hello")
    expire(app, id_of(url))
    refused(final(tus, [url]), 400)


def test_the_databases_clock_tells_whether_a_partial_upload_has_expired(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, other = partial(tus, b"hello"), partial(tus, b"world")
    in_two_days = utcnow() + timedelta(days=2)
    monkeypatch.setattr("chunked_upload.records.model.utcnow", lambda: in_two_days)  # this host's
    assert content(tus, final(tus, [url])) == b"hello"
    monkeypatch.setattr(DatabaseClock, "now", lambda clock: in_two_days)
    refused(final(tus, [other]), 400)


def test_a_partial_upload_of_another_owner(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    alice, bob = app.test_client(), app.test_client()
    alice.environ_base["HTTP_X_USER"], bob.environ_base["HTTP_X_USER"] = "alice", "bob"
    url = partial(Tus(alice), b"hello")
    refused(final(Tus(bob), [url]), 400)
    assert content(Tus(alice), final(Tus(alice), [url])) == b"hello"


@pytest.mark.parametrize("between", ["\t", "\xa0", ",", ",final;", ";", " \r\nX-Evil:", "é/"])
def test_only_spaces_are_between_urls(app: Flask, tus: Tus, between: str) -> None:
    urls = [partial(tus, b"a"), partial(tus, b"b")]
    response = send(
        tus.client,
        "POST",
        tus.url,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_CONCAT=f"final;{between.join(urls)}",
    )
    refused(response, 400)
    assert len(records(app)) == 2


def test_too_many_partial_uploads(app: Flask, tus: Tus) -> None:
    refused(final(tus, ["/uploads/tus/" + "0" * 32] * 10_000), 400)
    assert nothing_left(app)


def test_many_partial_uploads(app: Flask, tus: Tus) -> None:
    urls = [partial(tus, bytes([number])) for number in range(60)]
    assert content(tus, final(tus, urls * 15)) == bytes(range(60)) * 15


# Rules of the upload set


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Callable[..., tuple[Flask, Tus, ChunkedUpload]]:
    """Make an app with limits."""

    def make(**settings: Any) -> tuple[Flask, Tus, ChunkedUpload]:
        app = make_app()
        uploads = ChunkedUpload(app, **settings)
        create_tables(app)
        return app, Tus(app.test_client()), uploads

    return make


def test_types_are_asked_of_the_final_upload(
    limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]],
) -> None:
    _, tus, uploads = limited(allowed_extensions="txt")
    seen: list[str] = []
    uploads.validate(lambda request, upload: seen.append(upload.filename))
    urls = partials(tus)
    refused(final(tus, urls, {"Upload-Metadata": encoded(filename="a.exe")}), 415)
    response = final(tus, urls, {"Upload-Metadata": encoded(filename="a.txt")})
    assert content(tus, response) == WHOLE
    assert {*seen} == {"a.exe", "a.txt"}


def test_the_size_is_asked_of_the_final_upload(
    limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]],
) -> None:
    _, tus, _ = limited(max_bytes=10)
    refused(final(tus, partials(tus)), 413)


def test_partial_and_final_uploads_count_for_the_quota(
    limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]],
) -> None:
    _, tus, _ = limited(max_open_bytes=len(WHOLE) + 1)
    urls = partials(tus)
    refused(tus.create(2, PARTIAL), 413)
    refused(final(tus, urls), 413)
    assert tus.delete(urls.pop()).status_code == 204


def test_a_refusal_leaves_the_partial_uploads(
    limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]],
) -> None:
    refusing = [True]

    class Completing(ChunkedUploadCompleteView):
        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            if refusing:
                raise ChunkedUploadError(422, detail="not now")

    app, tus, _ = limited(complete_view=Completing)
    urls = partials(tus)
    before = files(app)
    refused(final(tus, urls), 422, "not now")
    assert files(app) == before
    assert len(records(app)) == len(PIECES)
    refusing.clear()
    assert content(tus, final(tus, urls)) == WHOLE


# Repeated: the answer was lost, or the server died


def test_a_repeated_request_is_the_same_upload(app: Flask, tus: Tus) -> None:
    urls = partials(tus)
    first, again = final(tus, urls), final(tus, urls)
    assert again.status_code == 201
    assert again.headers["Location"] == first.headers["Location"]
    assert len(records(app)) == 1


class Killed(BaseException):
    """The server dies here."""


def die(*_: Any, **__: Any) -> Any:
    raise Killed


DEATHS: dict[str, tuple[Any, str]] = {
    "before the first byte is copied": (Chunk, "append_part"),
    "before the copy is recorded": (Chunk, "finish_whole"),
    "while it is recorded": (Chunk, "_swap"),
    "before it is complete": (Completion, "promote"),
    "before that is recorded": (Completion, "commit"),
    "before the hook": (Completion, "settle"),
}


@pytest.mark.parametrize("when", DEATHS)
def test_a_server_that_dies_costs_nothing(
    app: Flask, tus: Tus, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    urls = partials(tus)
    with monkeypatch.context() as dying:
        dying.setattr(*DEATHS[when], die)
        with pytest.raises(Killed):
            final(tus, urls)
    assert len(records(app)) == len(PIECES) + 1
    assert content(tus, final(tus, urls)) == WHOLE
    assert len(records(app)) == 1
    assert len(files(app)) == 1


def test_a_server_that_dies_before_the_partial_uploads_are_removed(
    app: Flask, tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = partials(tus)
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    with monkeypatch.context() as dying:
        dying.setattr(engine, "abort", die)
        with pytest.raises(Killed):
            final(tus, urls)
    assert content(tus, final(tus, urls)) == WHOLE
    assert len(records(app)) == 1


def test_what_has_been_copied_is_not_copied_again(
    app: Flask, tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concatenation, "_PROGRESS", 4)
    copied: list[tuple[str, int, int]] = []
    append = Chunk.append_part

    def count(chunk: Chunk, source: Any, *, start: int, stop: int) -> None:
        if len(copied) == 4:
            copied.append(("dead", 0, 0))
            raise Killed
        copied.append((source.upload_id, start, stop))
        append(chunk, source, start=start, stop=stop)

    monkeypatch.setattr(Chunk, "append_part", count)
    urls = partials(tus)
    with pytest.raises(Killed):
        final(tus, urls)
    [record] = [record for record in records(app) if record.client_key]
    assert record.offset == 8
    assert "Upload-Offset" not in tus.head(f"/uploads/tus/{record.upload_id}").headers
    assert content(tus, final(tus, urls)) == WHOLE
    hello, _, wide, world = (id_of(url) for url in urls)
    assert copied[:4] == [(hello, 0, 4), (hello, 4, 6), (wide, 0, 2), (wide, 2, 5)]
    assert copied[5:] == [(wide, 2, 5), (world, 0, 1), (world, 1, 5)]


def test_two_at_once_are_one(app: Flask, tus: Tus) -> None:
    urls = partials(tus)
    answers: list[TestResponse] = []

    def ask() -> None:
        answers.append(final(Tus(app.test_client()), urls))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    assert len({answer.headers["Location"] for answer in good}) == 1
    assert content(tus, final(tus, urls)) == WHOLE
    assert len(records(app)) == 1
    assert len(files(app)) == 1


def test_the_checksum_of_the_first_bytes_is_not_computed_again(
    app: Flask, tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = b"a" * 100_000
    urls = [partial(tus, first), partial(tus, b"b")]
    read: list[int] = []
    storage = app.extensions["chunked_upload"]["chunked_upload"].engine.storage
    read_part = storage.read_part

    def counted(upload: Any, start: int, stop: int) -> Any:
        read.append(stop - start)
        return read_part(upload, start, stop)

    monkeypatch.setattr(storage, "read_part", counted)
    response = final(tus, urls)
    assert sum(read) == 1
    state = tus.client.get(f"/uploads/{id_of(response.headers['Location'])}").get_json()
    assert state["md5"] == md5_of(first + b"b")


# Before the partial uploads are finished, where that is switched on


@pytest.fixture
def waiting(limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]]) -> tuple[Flask, Tus]:
    app, tus, _ = limited(tus_concatenation_unfinished=True)
    return app, tus


def test_waiting_is_offered_where_it_is_switched_on(waiting: tuple[Flask, Tus]) -> None:
    extensions = waiting[1].client.options(waiting[1].url).headers["Tus-Extension"]
    assert "concatenation-unfinished" in extensions.split(",")


def test_a_final_upload_may_wait(waiting: tuple[Flask, Tus]) -> None:
    app, tus = waiting
    first, second = (tus.created(length, headers=PARTIAL) for length in (5, 6))
    response = final(tus, [first, second])
    assert response.status_code == 201
    url = response.headers["Location"]
    head = tus.head(url)
    assert head.headers["Upload-Length"] == "11"
    assert "Upload-Offset" not in head.headers
    refused(tus.client.get(url), 400, "Upload is not complete")
    assert tus.patch(second, b" world", 0).status_code == 204
    assert tus.patch(first, b"hel", 0).status_code == 204
    assert "Upload-Offset" not in tus.head(url).headers
    assert tus.patch(first, b"lo", 3).headers["Upload-Offset"] == "5"
    assert tus.head(url).headers["Upload-Offset"] == "11"
    assert tus.client.get(url, buffered=True).data == b"hello world"
    assert len(records(app)) == 1
    assert final(tus, [first, second]).headers["Location"] == url


def test_its_length_is_told_as_soon_as_it_is_known(waiting: tuple[Flask, Tus]) -> None:
    _, tus = waiting
    first, second = tus.created(headers=PARTIAL), partial(tus, b" world")
    url = final(tus, [first, second]).headers["Location"]
    head = tus.head(url).headers
    assert (head["Upload-Defer-Length"], head.get("Upload-Length")) == ("1", None)
    tus.patch(first, b"h", 0, {"Upload-Length": "5"})
    head = tus.head(url).headers
    assert (head.get("Upload-Defer-Length"), head["Upload-Length"]) == (None, "11")
    tus.patch(first, b"ello", 1)
    assert tus.client.get(url, buffered=True).data == b"hello world"


def test_a_waiting_upload_lives_as_long_as_what_it_waits_for(waiting: tuple[Flask, Tus]) -> None:
    app, tus = waiting
    first = tus.created(5, headers=PARTIAL)
    url = final(tus, [first]).headers["Location"]
    tus.patch(first, b"hel", 0)
    by_id = {record.upload_id: record for record in records(app)}
    assert by_id[id_of(url)].expires_on == by_id[id_of(first)].expires_on


def test_a_server_that_dies_while_it_joins_costs_nothing(
    waiting: tuple[Flask, Tus], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, tus = waiting
    first = tus.created(5, headers=PARTIAL)
    url = final(tus, [first]).headers["Location"]
    with monkeypatch.context() as dying:
        dying.setattr(Chunk, "append_part", die)
        with pytest.raises(Killed):
            tus.patch(first, b"hello", 0)
    assert tus.offset(first) == 5  # its client asks
    assert tus.client.get(url, buffered=True).data == b"hello"
    assert len(records(app)) == 1


def test_a_refused_one_is_gone(limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]]) -> None:
    _, tus, _ = limited(tus_concatenation_unfinished=True, max_bytes=8)
    first, second = tus.created(headers=PARTIAL), partial(tus, b" world")
    url = final(tus, [first, second]).headers["Location"]
    refused(tus.patch(first, b"hello", 0, {"Upload-Length": "5"}), 413)
    assert tus.head(url).status_code == 410


def test_checks_of_the_app_see_its_length_once_it_is_known(
    limited: Callable[..., tuple[Flask, Tus, ChunkedUpload]],
) -> None:
    _, tus, uploads = limited(tus_concatenation_unfinished=True)

    @uploads.validate
    def check(request: Any, upload: Any) -> None:
        if (upload.length or 0) > 8:
            raise ChunkedUploadError(422, detail="too long")

    first, second = tus.created(headers=PARTIAL), partial(tus, b" world")
    url = final(tus, [first, second]).headers["Location"]
    refused(tus.patch(first, b"hello", 0, {"Upload-Length": "5"}), 422, "too long")
    assert tus.head(url).status_code == 410


def test_a_waiting_upload_can_be_deleted(waiting: tuple[Flask, Tus]) -> None:
    _, tus = waiting
    first = tus.created(5, headers=PARTIAL)
    url = final(tus, [first]).headers["Location"]
    assert tus.delete(url).status_code == 204
    assert tus.patch(first, b"hello", 0).status_code == 204
    assert tus.head(url).status_code == 404


def test_two_final_uploads_may_wait_for_the_same(waiting: tuple[Flask, Tus]) -> None:
    _, tus = waiting
    first = tus.created(5, headers=PARTIAL)
    urls = [final(tus, [first] * number).headers["Location"] for number in (1, 2)]
    tus.patch(first, b"hello", 0)
    assert [tus.head(url).status_code for url in urls] == [200, 200]
    contents = [tus.client.get(url, buffered=True).data for url in urls]
    assert contents == [b"hello", b"hellohello"]
    assert tus.head(first).status_code == 404
