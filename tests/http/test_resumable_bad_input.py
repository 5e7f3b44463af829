"""Bad input in the IETF's dialect: each header of each request spoilt.

A field of the draft that cannot be read counts as absent (RFC 9651, 4.2), so a few of them change
nothing. Whatever is refused leaves everything as it was.
"""

from __future__ import annotations

import base64
import hashlib

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.bad_input import bad_base64, bad_booleans, bad_numbers, check_refused, snapshot
from tests.support.offset_dialects import RESUMABLE, Asked, id_of
from tests.support.protocol import nothing_left

pytestmark = pytest.mark.one_database

FILE = b"hello, world! 20 byt"
SHA_256 = base64.b64encode(hashlib.sha256(FILE).digest()).decode()
OTHER = base64.b64encode(hashlib.sha256(b"other").digest()).decode()

#: Not a dictionary of byte sequences, or not with a digest of that name.
MALFORMED_DIGESTS = [
    *("sha-256", "sha-256=", f"sha-256={SHA_256}", f"sha-256=:{SHA_256}", f'sha-256="{SHA_256}"'),
    *("é", "=:YQ==:", "sha-256=:YQ==:", "sha-256=:YQ==:,", "SHA-256=:YQ==:", "sha-256=1"),
    *(f"sha-256=:{value}:" for value in bad_base64() if value != "YQ\t=="),
]
WRONG_DIGESTS = [
    f"sha-256=:{OTHER}:",
    f"sha-256=:{SHA_256}:, sha-256=:{OTHER}:",
    f"unknown=:YQ==:, sha-256=:{OTHER}:",
]
BAD_TYPES = [None, "", "text/plain", "application/octet-stream", "é", "multipart/form-data"]
CREATION: dict[str, list[str | None]] = {
    "Upload-Complete": [*bad_booleans()],
    "Upload-Length": ["4", *bad_numbers("20")],
    "Content-Digest": [*MALFORMED_DIGESTS, *WRONG_DIGESTS],
    "Repr-Digest": [*MALFORMED_DIGESTS],
    "Want-Repr-Digest": ["é", "sha-256", "sha-256=11", "sha-256=-1", "sha-256=x", "=1"],
    "Content-Disposition": ["", "é", "attachment; filename=", 'attachment; filename="', "x" * 5000],
    "Upload-Draft-Interop-Version": [*bad_numbers("8")],
    "Content-Type": [*BAD_TYPES],
    "Upload-Offset": ["5", *bad_numbers("5")],
}
APPEND: dict[str, list[str | None]] = {
    "Upload-Offset": [None, *bad_numbers("5")],
    "Upload-Complete": [None, *bad_booleans()],
    "Upload-Length": ["21", "4", *bad_numbers("20")],
    "Content-Digest": [*MALFORMED_DIGESTS, *WRONG_DIGESTS],
    "Repr-Digest": [*MALFORMED_DIGESTS, *WRONG_DIGESTS],
    "Upload-Draft-Interop-Version": [*bad_numbers("8")],
    "Content-Type": [*BAD_TYPES],
}
#: What shows that the bytes already stored are wrong too.
ENDS_THE_UPLOAD = {"Repr-Digest", "Upload-Length"}
#: What must be refused, whatever the value.
NEVER_IGNORED = {"Upload-Offset", "Content-Digest"}


def spoilt(asked: Asked, header: str, value: str | None) -> Asked:
    return asked.but(**{header.replace("-", "_"): value})


@pytest.mark.parametrize("header", CREATION)
def test_a_creation_with_a_spoilt_header_is_refused_or_does_without(
    app: Flask, client: FlaskClient, header: str
) -> None:
    good = RESUMABLE.create(len(FILE), FILE[:5])
    for value in CREATION[header]:
        answer = spoilt(good, header, value).over(client)
        if 200 <= answer.status_code < 300:
            remove_all(client)
        else:
            check_refused(answer, about=value)
        assert nothing_left(app), value


def remove_all(client: FlaskClient) -> None:
    """Remove the caller's uploads."""
    listed = client.get("/uploads/").json
    assert listed is not None
    for upload in listed["uploads"]:
        assert client.delete(f"/uploads/{upload['upload_id']}").status_code == 204


@pytest.mark.parametrize("header", APPEND)
def test_an_append_with_a_spoilt_header_is_refused_or_does_without(
    app: Flask, client: FlaskClient, header: str
) -> None:
    for value in APPEND[header]:
        created = RESUMABLE.create(len(FILE), FILE[:5]).over(client)
        upload_id = id_of(created.headers["Location"])
        before = snapshot(app)
        good = RESUMABLE.append(upload_id, 5, FILE[5:], last=True)
        answer = spoilt(good, header, value).over(client)
        if 200 <= answer.status_code < 300:
            assert header not in NEVER_IGNORED, value
            assert stored_bytes(app) == FILE, value
        else:
            check_refused(answer, about=value)
            gone = RESUMABLE.head(upload_id).over(client).status_code == 410
            assert snapshot(app) == before or (gone and header in ENDS_THE_UPLOAD), value
        assert client.delete(f"/uploads/{upload_id}").status_code == 204


def stored_bytes(app: Flask) -> bytes:
    """Return the bytes of the only file."""
    [data] = snapshot(app)[0].values()
    return data


@pytest.mark.parametrize("header", ["Upload-Offset", "Upload-Complete"])
def test_a_question_for_the_offset_tells_no_state(
    app: Flask, client: FlaskClient, header: str
) -> None:
    created = RESUMABLE.create(len(FILE), FILE[:5]).over(client)
    before = snapshot(app)
    asked = RESUMABLE.head(id_of(created.headers["Location"]))
    value = "5" if header == "Upload-Offset" else "?1"
    check_refused(spoilt(asked, header, value).over(client), 400)
    assert snapshot(app) == before
