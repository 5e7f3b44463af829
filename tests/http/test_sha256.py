"""SHA-256 beside or instead of MD5: what is kept, what a completion needs, what is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView
from chunked_upload.errors import ConfigurationError
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import Protocol, md5_of, records

pytestmark = pytest.mark.one_database

DATA = b"hello world"
SHA256 = hashlib.sha256(DATA).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()

Make = Callable[..., FlaskClient]


@pytest.fixture
def make(make_app: Callable[..., Flask]) -> Make:
    def make(*names: str, **options: Any) -> FlaskClient:
        app = make_app(CHUNKED_UPLOAD_CHECKSUMS=names)
        ChunkedUpload(app, **options)
        create_tables(app)
        return app.test_client()

    return make


def upload(client: FlaskClient) -> str:
    """Upload the data in two chunks."""
    protocol = Protocol(client)
    upload_id: str = protocol.chunk(DATA[:5], 0, len(DATA)).json["upload_id"]  # type: ignore[index]
    assert protocol.chunk(DATA[5:], 5, len(DATA), upload_id=upload_id).status_code == 200
    return upload_id


def complete(client: FlaskClient, upload_id: str, **digests: str) -> Any:
    return client.post("/uploads/complete", data={"upload_id": upload_id, **digests})


@pytest.fixture(params=["form", "json"])
def send(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def send(client: FlaskClient, upload_id: str, **digests: str) -> Any:
        fields = {"upload_id": upload_id, **digests}
        return client.post(
            "/uploads/complete", **{"data" if request.param == "form" else "json": fields}
        )

    return send


@pytest.mark.both_databases
def test_sha256_alone(make: Make, send: Callable[..., Any]) -> None:
    client = make("sha256")
    upload_id = upload(client)
    assert client.get(f"/uploads/{upload_id}").get_json()["sha256"] is None
    answer = send(client, upload_id, md5=md5_of(DATA))
    refused(answer, 400, "Both 'upload_id' and 'sha256' are required")
    refused(send(client, upload_id, sha256=OTHER), 400, "sha256 checksum does not match")
    answer = send(client, upload_id, sha256=SHA256.upper())
    assert answer.status_code == 200
    for state in (answer, client.get(f"/uploads/{upload_id}")):
        assert (state.get_json()["md5"], state.get_json()["sha256"]) == (None, SHA256)


def test_one_of_two_kept_is_enough_and_both_are_told(make: Make, send: Callable[..., Any]) -> None:
    client = make("md5", "sha256")
    for digests in ({"md5": md5_of(DATA)}, {"sha256": SHA256}):
        answer = send(client, upload(client), **digests)
        state = answer.get_json()
        assert (answer.status_code, state["md5"], state["sha256"]) == (200, md5_of(DATA), SHA256)


def test_both_are_checked_when_both_are_sent(make: Make) -> None:
    client = make("md5", "sha256")
    upload_id = upload(client)
    answer = complete(client, upload_id, md5=md5_of(DATA), sha256=OTHER)
    refused(answer, 400, "sha256 checksum does not match")
    for sha256 in (SHA256, OTHER):
        answer = complete(client, upload_id, md5=md5_of(b"other"), sha256=sha256)
        refused(answer, 400, "md5 checksum does not match")
    assert complete(client, upload_id, md5=md5_of(DATA), sha256=SHA256).status_code == 200


def test_without_any_the_refusal_says_what_can_be_sent(make: Make) -> None:
    client = make("sha256", "md5")
    answer = complete(client, upload(client))
    content = refused(answer, 400, "Both 'upload_id' and 'md5' are required")
    assert content["reason"] == "instead of 'md5' send any of ['sha256']"


def test_one_that_is_not_kept_is_checked_beside_one_that_is(client: FlaskClient) -> None:
    """The default: MD5 alone is kept."""
    upload_id = upload(client)
    assert "sha256" not in client.get(f"/uploads/{upload_id}").get_json()
    answer = complete(client, upload_id, sha256=SHA256)
    refused(answer, 400, "Both 'upload_id' and 'md5' are required")
    answer = complete(client, upload_id, md5=md5_of(DATA), sha256=OTHER)
    refused(answer, 400, "sha256 checksum does not match")
    answer = complete(client, upload_id, md5=md5_of(DATA), sha256=SHA256)
    assert answer.get_json()["sha256"] == SHA256
    assert client.get(f"/uploads/{upload_id}").get_json()["sha256"] == SHA256


def test_a_finished_upload_is_checked_by_one_that_it_does_not_have(client: FlaskClient) -> None:
    upload_id = upload(client)
    assert complete(client, upload_id, md5=md5_of(DATA)).status_code == 200
    answer = complete(client, upload_id, md5=md5_of(DATA), sha256=OTHER)
    refused(answer, 400, "sha256 checksum does not match")
    assert complete(client, upload_id, md5=md5_of(DATA), sha256=SHA256).status_code == 200


def test_md5_switched_off_leaves_the_others(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_CHECKSUMS=("md5", "sha256"), CHUNKED_UPLOAD_MD5=False)
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    answer = complete(client, upload(client), sha256=SHA256)
    assert (answer.get_json()["md5"], answer.get_json()["sha256"]) == (None, SHA256)


@pytest.mark.both_databases
def test_one_added_while_an_upload_is_under_way(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id: str = protocol.chunk(DATA[:5], 0, len(DATA)).json["upload_id"]  # type: ignore[index]
    again = make_app(
        CHUNKED_UPLOAD_ROOT=f"{app.instance_path}/uploads",
        CHUNKED_UPLOAD_CHECKSUMS=("md5", "sha256"),
    )
    ChunkedUpload(again)
    client = again.test_client()
    Protocol(client).chunk(DATA[5:], 5, len(DATA), upload_id=upload_id)
    [record] = records(app)
    assert {name: state["offset"] for name, state in record.checksum_states.items()} == {
        "md5": len(DATA),
        "sha256": len(DATA),
    }
    answer = complete(client, upload_id, sha256=SHA256)
    assert (answer.get_json()["md5"], answer.get_json()["sha256"]) == (md5_of(DATA), SHA256)


def test_hooks(make: Make) -> None:
    checked: list[tuple[str, ...]] = []

    class Complete(ChunkedUploadCompleteView):
        def md5_check(self, chunked_upload: Any, md5: str) -> None:
            checked.append(("md5", md5))

        def checksum_check(self, chunked_upload: Any, name: str, value: str) -> None:
            checked.append((name, value))

        def on_completion(self, uploaded_file: Any, request: Any) -> None:
            checked.append((uploaded_file.md5, uploaded_file.checksums["sha256"]))

    client = make("md5", "sha256", complete_view=Complete)
    complete(client, upload(client), md5="1", sha256="2")
    assert checked == [("md5", "1"), ("sha256", "2"), (md5_of(DATA), SHA256)]


@pytest.mark.parametrize("digest", [SHA256, OTHER])
@pytest.mark.parametrize("how", ["dropzone form", "dropzone raw", "plain form"])
def test_files_that_are_complete_with_their_last_byte(make: Make, how: str, digest: str) -> None:
    client = make("sha256")
    dropzone = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
    dropzone["Cache-Control"] = "no-cache"
    if how == "dropzone raw":
        url = f"/uploads/?filename=a&sha256={digest}"
        answer = client.post(url, data=DATA, headers=dropzone)
    else:
        url = "/uploads/form" if how == "plain form" else "/uploads/"
        form = {"sha256": digest, "file": (BytesIO(DATA), "a")}
        answer = client.post(url, data=form, headers={} if how == "plain form" else dropzone)
    if digest == OTHER:
        refused(answer, 400, "sha256 checksum does not match")
    else:
        assert answer.status_code == 200, answer.text


def test_an_unknown_checksum_is_refused_at_start(make: Make) -> None:
    with pytest.raises(ConfigurationError, match="unknown checksum 'crc'"):
        make("crc")
