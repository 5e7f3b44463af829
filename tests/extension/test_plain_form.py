"""The plain form: whole files from a browser without scripts, completed, then a redirect."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, get_flashed_messages, render_template_string
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadError,
    ConfigurationError,
    UploadedFile,
    upload_aborted,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.http.answers import refused, stored
from tests.http.forms import FORM, Unreadable, field, file, form, post_form, send
from tests.support.protocol import Protocol, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

PATH = "/uploads/form"

#: As browsers ask when a form is sent.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def make(make_app: MakeApp) -> MakeApp:
    """Make an app with a page at ``/page``; keywords are settings of the upload set."""

    def make(**settings: Any) -> Flask:
        app = make_app()
        ChunkedUpload(app, **settings)
        create_tables(app)
        app.add_url_rule("/page", "page", lambda: "the page")
        return app

    return make


def browse(client: FlaskClient, *parts: bytes, **headers: str) -> TestResponse:
    """Send a form as a browser does."""
    sent = {"Accept": BROWSER, "Referer": "http://localhost/page?tab=2"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(PATH, data=form(*parts), content_type=FORM, headers=sent)


def flashed(client: FlaskClient) -> list[tuple[str, str]]:
    """Return the messages that the next page would show."""
    with client.session_transaction() as session:
        return list(session.get("_flashes", []))


# Files


@pytest.mark.parametrize("data", [b"", b"x", b"\r\n--b0undar\r" * 1000])
def test_a_file_is_complete_at_once(app: Flask, client: FlaskClient, data: bytes) -> None:
    [upload] = answer(post_form(client, file(data, "a.bin"), path=PATH))["uploads"]
    assert (upload["status"], upload["filename"], upload["md5"]) == (2, "a.bin", md5_of(data))
    assert client.get(upload["url"], buffered=True).data == data
    assert list(stored(app).values()) == [data]


def test_several_files_with_fields(app: Flask, client: FlaskClient) -> None:
    parts = [field("album", "summer"), file(b"one", "1.txt"), file(b"two", "2.txt"), file(b"", "")]
    uploads = answer(post_form(client, *parts, field("late", "x"), path=PATH))["uploads"]
    assert [upload["filename"] for upload in uploads] == ["1.txt", "2.txt"]
    assert [upload["metadata"]["album"] for upload in uploads] == ["summer", "summer"]
    assert sorted(stored(app).values()) == [b"one", b"two"]


def test_hooks_run_once_per_file_and_after_all_have_come(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    seen: list[tuple[str, int, str]] = []

    @uploads.on_completion
    def note(uploaded: UploadedFile, request: Any) -> None:
        seen.append((uploaded.filename or "", len(records(app)), request.form["album"]))

    post_form(app.test_client(), field("album", "a"), file(b"1", "1"), file(b"2", "2"), path=PATH)
    assert seen == [("1", 2, "a"), ("2", 2, "a")]


def test_an_md5_is_checked(app: Flask, client: FlaskClient) -> None:
    answer(post_form(client, field("md5", md5_of(b"data").upper()), file(b"data"), path=PATH))
    wrong = post_form(client, field("md5", md5_of(b"date")), file(b"data"), path=PATH)
    refused(wrong, 400, "md5 checksum does not match")
    assert len(stored(app)) == len(records(app)) == 1


def test_an_md5_is_of_one_file(app: Flask, client: FlaskClient) -> None:
    parts = [field("md5", md5_of(b"data")), file(b"data"), file(b"more")]
    refused(post_form(client, *parts, path=PATH), 400)
    assert nothing_left(app)


# Refusals leave nothing


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ([field("a", "b")], "No file part"),
        ([file(b"", "")], "No selected file"),
        ([field("a", "b"), file(b"", ""), file(b"", "")], "No selected file"),
        ([file(b"x", field_name="picture")], "No file part"),
    ],
)
def test_forms_without_a_file(
    app: Flask, client: FlaskClient, parts: list[bytes], detail: str
) -> None:
    refused(post_form(client, *parts, path=PATH), 400, detail)
    assert nothing_left(app)


def test_a_form_without_enctype_is_told_so(client: FlaskClient) -> None:
    said = refused(client.post(PATH, data={"file": "a.txt"}), 400, "No file part")
    assert "enctype" in said["reason"]
    refused(client.post(PATH, data=b"x", content_type="application/octet-stream"), 415)
    refused(client.post(PATH), 415)


@pytest.mark.parametrize(
    ("settings", "status", "detail"),
    [
        ({"max_bytes": 3}, 400, "Size of file exceeds the limit (3 bytes)"),
        ({"max_chunk_bytes": 3}, 413, "Size of chunk exceeds the limit (3 bytes)"),
        ({"allowed_extensions": "txt"}, 415, "Files of type 'exe' are not accepted, only: txt"),
        ({"max_form_files": 1}, 400, "Only one file can be submitted in one request"),
        ({"max_open_uploads": 1}, 413, None),
        ({"max_open_bytes": 5}, 413, None),
        ({"max_filename_length": 6}, 413, "File name exceeds the limit (6 characters)"),
    ],
)
def test_limits_hold_for_every_file(
    make: MakeApp, settings: dict[str, Any], status: int, detail: str | None
) -> None:
    app = make(**settings)
    response = post_form(
        app.test_client(), file(b"ok", "ok.txt"), file(b"four", "bad.exe"), path=PATH
    )
    refused(response, status, detail)
    assert nothing_left(app)


def test_cut_short_in_the_second_file(app: Flask, client: FlaskClient) -> None:
    body = form(file(b"one"), file(b"two" * 100))[:-100]
    aborted: list[Any] = []
    with upload_aborted.connected_to(lambda sender, upload, upload_set: aborted.append(upload)):
        refused(client.post(PATH, data=body, content_type=FORM), 400)
    assert len(aborted) == 1
    assert nothing_left(app)


def test_permissions_are_asked_before_the_body_is_read(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: None)
    create_tables(app)
    response = send(app.test_client(), "POST", PATH, Unreadable(), length="9", CONTENT_TYPE=FORM)
    refused(response, 403, "Authentication credentials were not provided")


def test_validators_refuse_before_a_byte_is_stored(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)

    @uploads.validate
    def titled(request: Any) -> None:
        if not request.form.get("title"):
            raise ChunkedUploadError(status=400, detail="A title is required")

    client = app.test_client()
    refused(post_form(client, file(b"data"), path=PATH), 400, "A title is required")
    assert nothing_left(app)
    answer(post_form(client, field("title", "x"), file(b"data"), path=PATH))


def test_a_quota_counts_what_is_still_to_come_once(make: MakeApp) -> None:
    """Three files of a body that fits: none is held against the quota with the whole body."""
    app = make(max_open_bytes=9 * 2**20)
    parts = [file(b"x" * 2**20 * 2, f"{number}") for number in range(3)]
    answer(post_form(app.test_client(), *parts, path=PATH))


def test_with_csrf_the_token_comes_before_the_files(make: MakeApp) -> None:
    app = make(csrf=True)
    client = app.test_client()
    refused(post_form(client, file(b"data"), path=PATH), 400, "The CSRF token is missing or wrong")
    assert nothing_left(app)
    token = answer(client.get("/uploads/csrf-token"))["csrf_token"]
    answer(post_form(client, field("csrf_token", token), file(b"data"), path=PATH))


# Where the browser goes


def test_a_browser_is_redirected_and_told(make: MakeApp) -> None:
    for redirect, location in (
        ("page", "/page"),
        ("/documents?new=1", "/documents?new=1"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
    ):
        client = make(form_redirect=redirect).test_client()
        response = browse(client, file(b"1", "grüße.txt"))
        assert (response.status_code, response.location) == (303, location)
        assert flashed(client) == [("success", "grüße.txt uploaded")]


def test_a_function_of_the_uploads_says_where(make: MakeApp) -> None:
    client = make(form_redirect=lambda uploads: f"/show/{uploads[0].filename}").test_client()
    response = browse(client, file(b"one", "1.txt"), file(b"two", "2.txt"))
    assert (response.status_code, response.location) == (303, "/show/1.txt")
    assert flashed(client) == [("success", "2 files uploaded")]


def test_a_function_may_name_an_endpoint_and_next_wins(make: MakeApp) -> None:
    client = make(form_redirect=lambda uploads: "page").test_client()
    assert browse(client, file(b"x", "a.txt")).location == "/page"
    assert browse(client, field("next", "/other"), file(b"x", "a.txt")).location == "/other"


def test_a_zone_without_scripts_goes_where_the_function_says(make: MakeApp) -> None:
    app = make(form_redirect=lambda uploads: f"/show/{uploads[0].filename}")
    app.add_url_rule(
        "/zone", "zone", lambda: render_template_string("{{ chunked_upload.dropzone() }}")
    )
    client = app.test_client()
    page = client.get("/zone").text
    assert 'action="/uploads/form"' in page
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    sent = [field(name, value) for name, value in hidden.items()]
    assert browse(client, *sent, file(b"x", "a.txt")).location == "/show/a.txt"


def test_a_refusal_does_not_call_the_function(make: MakeApp) -> None:
    called: list[Any] = []
    client = make(form_redirect=called.append, max_bytes=3).test_client()
    response = browse(client, file(b"large", "a.txt"))
    assert (response.status_code, response.location) == (303, "/page?tab=2")
    assert browse(client, file(b"large", "a.txt"), Referer="").status_code == 400
    assert answer(post_form(client, file(b"x", "a.txt"), path=PATH))["uploads"]  # a script
    assert called == []


def test_a_function_that_returns_no_address_is_an_error(make: MakeApp) -> None:
    client = make(form_redirect=lambda uploads: None).test_client()
    with pytest.raises(TypeError, match="CHUNKED_UPLOAD_FORM_REDIRECT returned None"):
        browse(client, file(b"x", "a.txt"))


def test_a_function_of_nothing_stops_the_app(make: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="of one argument, the list of uploads"):
        make(form_redirect=lambda: "/")


def test_several_files_are_one_message(make: MakeApp) -> None:
    client = make(form_redirect="page").test_client()
    browse(client, file(b"1"), file(b"2"))
    assert flashed(client) == [("success", "2 files uploaded")]


def test_the_form_may_say_where(app: Flask, client: FlaskClient) -> None:
    response = browse(client, field("next", "/albums/7?sort=new#last"), file(b"1"))
    assert (response.status_code, response.location) == (303, "/albums/7?sort=new#last")
    [record] = records(app)
    assert record.extra_fields == {}


def test_a_refusal_too_goes_where_the_form_says(app: Flask, client: FlaskClient) -> None:
    for parts in ([file(b"", "")], [], [field("md5", "0" * 32), file(b"data")]):
        response = browse(client, field("next", "/albums"), *parts, Referer="")
        assert (response.status_code, response.location) == (303, "/albums")
    assert [message for _, message in flashed(client)] == [
        "No selected file",
        "No file part",
        "md5 checksum does not match",
    ]
    assert nothing_left(app)


def test_a_form_without_its_token_goes_where_it_says(make: MakeApp) -> None:
    client = make(csrf=True).test_client()
    for part in (file(b"data"), file(b"", "")):
        response = browse(client, field("next", "/albums"), part, Referer="")
        assert (response.status_code, response.location) == (303, "/albums")
    assert flashed(client) == [("error", "The CSRF token is missing or wrong")] * 2


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "javascript:alert(1)",
        "evil",
        "/ok\r\nSet-Cookie: a=b",
    ],
)
def test_never_to_another_site(app: Flask, client: FlaskClient, target: str) -> None:
    response = browse(client, field("next", target), file(b"1"))
    refused(response, 400, "'next' must be a path of this site, as /documents")
    assert nothing_left(app)


def test_scripts_get_json_whatever_is_configured(make: MakeApp) -> None:
    client = make(form_redirect="page").test_client()
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
        assert answer(browse(client, file(b"1"), Accept=accept))["uploads"]
    refused(browse(client, file(b"", ""), Accept="*/*"), 400, "No selected file")
    assert flashed(client) == []


def test_without_configuration_a_browser_gets_json_too(client: FlaskClient) -> None:
    assert answer(browse(client, file(b"1")))["uploads"]
    refused(browse(client, file(b"", "")), 400, "No selected file")


@pytest.mark.parametrize(
    ("referrer", "location"),
    [
        ("http://localhost/page?tab=2", "/page?tab=2"),
        ("http://localhost", "/"),
        ("http://evil.example/page", "/after"),
        ("http://localhost.evil.example/", "/after"),
        ("http://localhost@evil.example/", "/after"),
        ("http://localhost//evil.example/", "/after"),
        ("", "/after"),
    ],
)
def test_a_refusal_leads_back_to_the_form(make: MakeApp, referrer: str, location: str) -> None:
    client = make(form_redirect="/after", max_bytes=3).test_client()
    response = browse(client, file(b"four"), Referer=referrer)
    assert (response.status_code, response.location) == (303, location)
    assert flashed(client) == [("error", "Size of file exceeds the limit (3 bytes)")]


def test_without_flashing_a_refusal_is_an_answer(make: MakeApp) -> None:
    client = make(form_redirect="page", form_flash=False).test_client()
    refused(browse(client, file(b"", "")), 400, "No selected file")
    assert browse(client, file(b"1")).status_code == 303
    assert flashed(client) == []


def test_without_a_session_a_refusal_is_an_answer(make: MakeApp) -> None:
    app = make(form_redirect="page")
    app.secret_key = None
    client = app.test_client()
    refused(browse(client, file(b"", "")), 400, "No selected file")
    assert browse(client, file(b"1")).status_code == 303


def test_flashed_messages_are_flasks(make: MakeApp) -> None:
    app = make(form_redirect="messages")
    app.add_url_rule("/messages", "messages", lambda: repr(get_flashed_messages(True)))
    client = app.test_client()
    browse(client, file(b"1", "a.txt"))
    assert client.get("/messages").text == "[('success', 'a.txt uploaded')]"


def test_other_dialects_keep_a_field_named_next(app: Flask, client: FlaskClient) -> None:
    Protocol(client).upload(b"data", next="track 2")
    [record] = records(app)
    assert record.extra_fields == {"next": "track 2"}
