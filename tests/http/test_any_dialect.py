"""One upload, any dialect: begun in one, continued in another, completed in a third.

The file has three parts of equal size. Each dialect can send any of them, and each can tell
afterwards how far the upload is. Whichever sends the last part completes the file in its own way.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.answers import content_of
from tests.support.dropzone import DropzoneFile
from tests.support.offset_dialects import DIALECTS, RESUMABLE, TUS, OffsetDialect, id_of
from tests.support.protocol import Protocol, files, md5_of, records

SIZE = 7
FILE = b"first, second, third!"
PARTS = [FILE[start : start + SIZE] for start in range(0, len(FILE), SIZE)]
assert len(PARTS) == 3


class Way(ABC):
    """One dialect's way to send a part of the file."""

    name: ClassVar[str]

    @abstractmethod
    def begin(self, client: FlaskClient) -> str:
        """Send the first part; return the upload's id."""

    @abstractmethod
    def send(self, client: FlaskClient, upload_id: str, index: int) -> TestResponse:
        """Send a part that is not the first."""

    def complete(self, client: FlaskClient, upload_id: str) -> TestResponse:
        """Send the last part, and whatever else completes the upload."""
        return self.send(client, upload_id, 2)


class Forms(Way):
    """The chunk dialect in forms; the MD5 completes it."""

    name = "form"

    def begin(self, client: FlaskClient) -> str:
        answer = Protocol(client).chunk(PARTS[0], 0, len(FILE))
        return _created(answer)

    def send(self, client: FlaskClient, upload_id: str, index: int) -> TestResponse:
        return Protocol(client).chunk(PARTS[index], index * SIZE, len(FILE), upload_id=upload_id)

    def complete(self, client: FlaskClient, upload_id: str) -> TestResponse:
        _accepted(self.send(client, upload_id, 2))
        return Protocol(client).complete(upload_id, FILE)


class Raw(Forms):
    """The chunk dialect in raw bodies."""

    name = "raw"

    def begin(self, client: FlaskClient) -> str:
        headers = {"Content-Range": f"bytes 0-{SIZE - 1}/{len(FILE)}"}
        return _created(client.post("/uploads/", data=PARTS[0], headers=headers))

    def send(self, client: FlaskClient, upload_id: str, index: int) -> TestResponse:
        return Protocol(client).put(upload_id, PARTS[index], index * SIZE, len(FILE))


class Dropzone(Way):
    """Dropzone, which is told the id by the page."""

    name = "dropzone"

    def begin(self, client: FlaskClient) -> str:
        return _created(DropzoneFile(client, FILE, SIZE).send(0))

    def send(self, client: FlaskClient, upload_id: str, index: int) -> TestResponse:
        return DropzoneFile(client, FILE, SIZE).send(index, upload_id=upload_id)


class Offsets(Way):
    """An offset dialect."""

    def __init__(self, dialect: OffsetDialect) -> None:
        self.dialect = dialect
        self.name = dialect.name  # type: ignore[misc]

    def begin(self, client: FlaskClient) -> str:
        answer = self.dialect.create(len(FILE), PARTS[0]).over(client)
        assert answer.status_code == 201, answer.text
        assert answer.headers["Upload-Offset"] == str(SIZE)
        return id_of(answer.headers["Location"])

    def send(self, client: FlaskClient, upload_id: str, index: int) -> TestResponse:
        asked = self.dialect.append(upload_id, index * SIZE, PARTS[index], last=index == 2)
        return asked.over(client)


WAYS: list[Way] = [Forms(), Raw(), Dropzone(), Offsets(TUS), Offsets(RESUMABLE)]


#: Every ordered pair of dialects, at each two of the three places (a Latin square).
TRIPLES = [
    pytest.param(first, second, third, id=f"{first.name}-{second.name}-{third.name}")
    for (i, first), (j, second) in itertools.product(enumerate(WAYS), repeat=2)
    for third in [WAYS[(i + j) % len(WAYS)]]
]


def _created(answer: TestResponse) -> str:
    _accepted(answer)
    assert answer.json is not None
    return str(answer.json["upload_id"])


def _accepted(answer: TestResponse) -> None:
    assert 200 <= answer.status_code < 300, answer.text


def told(client: FlaskClient, upload_id: str) -> Iterator[tuple[str, str, str]]:
    """Ask in every dialect how far the upload is: the question, the offset, the length."""
    state = client.get(f"/uploads/{upload_id}")
    assert state.json is not None
    yield "GET", str(state.json["offset"]), str(state.json["length"])
    listed = client.get("/uploads/").json
    assert listed is not None
    [item] = listed["uploads"]
    yield "list", str(item["offset"]), str(item["length"])
    for dialect in DIALECTS:
        head = dialect.head(upload_id).over(client).headers
        yield f"{dialect.name} HEAD", head["Upload-Offset"], head["Upload-Length"]


def check_told(client: FlaskClient, upload_id: str, offset: int) -> None:
    """Check that every dialect tells this offset."""
    for question, told_offset, length in told(client, upload_id):
        assert (told_offset, length) == (str(offset), str(len(FILE))), question


@pytest.mark.one_database
@pytest.mark.parametrize(("first", "second", "third"), TRIPLES)
def test_an_upload_goes_through_any_three_dialects(
    app: Flask, client: FlaskClient, first: Way, second: Way, third: Way
) -> None:
    client.get("/uploads/")  # which gives a visitor the session that lists are of
    upload_id = first.begin(client)
    check_told(client, upload_id, SIZE)
    _accepted(second.send(client, upload_id, 1))
    check_told(client, upload_id, 2 * SIZE)
    assert content_of(app, upload_id) == FILE[: 2 * SIZE]
    _accepted(third.complete(client, upload_id))
    check_complete(app, client, upload_id)


def check_complete(app: Flask, client: FlaskClient, upload_id: str) -> None:
    """Check that the file is complete, whoever asks, and that nothing else is stored."""
    check_told(client, upload_id, len(FILE))
    state = client.get(f"/uploads/{upload_id}").json
    assert state is not None
    assert (state["status"], state["md5"]) == (2, md5_of(FILE))
    assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == FILE
    assert client.get(f"/uploads/tus/{upload_id}", buffered=True).data == FILE
    # As a client does that has lost the last answer.
    assert Protocol(client).complete(upload_id, FILE).status_code == 200
    assert len(records(app)) == len(files(app)) == 1


@pytest.mark.one_database
@pytest.mark.parametrize("third", WAYS, ids=lambda way: way.name)
def test_a_digest_declared_at_the_beginning_is_checked_by_whichever_completes(
    client: FlaskClient, third: Way
) -> None:
    """The IETF's dialect lets a client declare it; others know no such header."""
    digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    asked = RESUMABLE.create(len(FILE), FILE[: 2 * SIZE]).but(repr_digest=f"sha-256=:{digest}:")
    answer = third.complete(client, id_of(asked.over(client).headers["Location"]))
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json is not None
    assert answer.json["detail"] == "sha256 checksum does not match"


# An upload whose bytes are all there, and that its own dialect has not completed yet


@pytest.mark.one_database
@pytest.mark.parametrize("way", [Forms(), Raw()], ids=["form", "raw"])
def test_tus_tells_the_end_only_of_a_complete_upload(
    app: Flask, client: FlaskClient, way: Way
) -> None:
    """A tus client takes offset == length for a success and sends nothing more."""
    client.get("/uploads/")
    upload_id = way.begin(client)
    for index in (1, 2):
        _accepted(way.send(client, upload_id, index))
    state = client.get(f"/uploads/{upload_id}").json
    assert state is not None
    assert state["status"] == 1
    assert TUS.head(upload_id).over(client).headers["Upload-Offset"] == str(len(FILE))
    check_complete(app, client, upload_id)


@pytest.mark.one_database
def test_the_md5_is_still_checked_after_tus_has_completed_an_upload(client: FlaskClient) -> None:
    upload_id = Protocol(client).upload(FILE)
    assert TUS.head(upload_id).over(client).status_code == 200
    answer = Protocol(client).complete(upload_id, md5_of(b"other"))
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["detail"] == "md5 checksum does not match"
