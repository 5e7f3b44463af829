"""IETF resumable uploads: the older interop versions, and other versions."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload.http.dialects.resumable.versions import NEWEST, OLDEST, VERSIONS
from tests.http.draft import DATA, append, begun, create, problem, told

pytestmark = pytest.mark.one_database

SERVED = [version.number for version in VERSIONS]


def interop(version: int | str | None, **more: str) -> dict[str, str]:
    """Return the headers of a client of an interop version."""
    return more if version is None else {"Upload-Draft-Interop-Version": str(version), **more}


def old(client: FlaskClient, url: str, data: bytes, offset: int, **headers: str) -> TestResponse:
    """Append as a client of version 3 does."""
    sent = interop(3, **{"Upload-Offset": str(offset), **headers})
    return client.patch(url, data=data, headers=sent)


def test_the_versions_served() -> None:
    assert SERVED == [3, 5, 6, 7, 8]
    assert (OLDEST.number, NEWEST.number) == (3, 8)


def test_version_3_says_what_is_incomplete(client: FlaskClient) -> None:
    """As Apple's URLSession of iOS 17 does."""
    first = client.post(
        "/uploads/", data=DATA[:5], headers=interop(3, **{"Upload-Incomplete": "?1"})
    )
    url = first.headers["Location"]
    assert (first.status_code, first.headers["Upload-Incomplete"]) == (201, "?1")
    assert first.headers["Upload-Offset"] == "5"
    asked = client.head(url, headers=interop(3))
    assert (asked.status_code, asked.headers["Upload-Offset"]) == (204, "5")
    assert asked.headers["Upload-Incomplete"] == "?1"
    more = old(client, url, DATA[5:8], 5, **{"Upload-Incomplete": "?1"})
    assert (more.status_code, more.headers["Upload-Offset"]) == (201, "8")
    last = old(client, url, DATA[8:], 8)  # without the header it is the end
    assert (last.status_code, last.headers["Upload-Offset"]) == (200, "11")
    assert last.headers["Upload-Incomplete"] == "?0"
    for answer in (first, asked, more, last):
        assert "Upload-Complete" not in answer.headers
    assert last.get_json()["status"] == 2


def test_version_3_conflicts(client: FlaskClient) -> None:
    url = begun(client, DATA[:5])
    response = old(client, url, DATA, 0, **{"Upload-Incomplete": "?1"})
    assert (response.status_code, response.headers["Upload-Offset"]) == (409, "5")
    assert response.headers["Upload-Incomplete"] == "?1"


@pytest.mark.parametrize("value", ["?0", "?1"])
def test_incomplete_alone_tells_version_3(client: FlaskClient, value: str) -> None:
    response = client.post("/uploads/", data=DATA, headers={"Upload-Incomplete": value})
    assert response.headers["Upload-Incomplete"] == value
    assert response.status_code == (200 if value == "?0" else 201)


@pytest.mark.parametrize("value", ["?1, ?1", "true", "x"])
def test_incomplete_that_cannot_be_read(client: FlaskClient, value: str) -> None:
    response = client.post("/uploads/?filename=a", data=DATA, headers={"Upload-Incomplete": value})
    assert response.status_code == (400 if "," in value else 200)
    assert "Location" not in response.headers


def test_headers_that_contradict_each_other(client: FlaskClient) -> None:
    headers = {"Upload-Incomplete": "?1"}
    problem(create(client, DATA, complete="?1", headers=headers), 400)
    assert create(client, DATA, complete="?0", headers=headers).status_code == 201


@pytest.mark.parametrize("version", [None, 2, 3, 4, 5, 6, 7, 8, 9, "x", 10**14])
def test_a_file_in_parts_by_any_version(client: FlaskClient, version: Any) -> None:
    headers = interop(version)
    first = create(client, DATA[:5], headers=headers)
    url = first.headers["Location"]
    assert append(client, url, DATA[5:8], offset=5, headers=headers).status_code in (201, 204)
    assert client.head(url, headers=headers).status_code in (200, 204)
    last = append(client, url, DATA[8:], offset=8, complete="?1", headers=headers)
    assert (last.status_code, last.headers["Upload-Offset"]) == (200, "11")


@pytest.mark.parametrize(
    ("version", "status"),
    [(3, 201), (4, 201), (5, 201), (6, 415), (7, 415), (8, 415), (9, 415), (None, 415)],
)
@pytest.mark.parametrize("kind", [None, "application/octet-stream"])
def test_the_type_of_an_append_is_newer(
    client: FlaskClient, version: int | None, status: int, kind: str | None
) -> None:
    url = begun(client)
    response = append(client, url, DATA, kind=kind, headers=interop(version))
    assert response.status_code == status


@pytest.mark.parametrize(
    ("version", "status"), [(3, 201), (5, 201), (6, 201), (7, 204), (8, 204), (None, 204)]
)
def test_the_status_of_an_append(client: FlaskClient, version: int | None, status: int) -> None:
    response = append(client, begun(client), DATA, headers=interop(version))
    assert told(response)[:2] == (status, "11")


@pytest.mark.parametrize(("version", "key"), [(6, "expires"), (7, "max-age"), (8, "max-age")])
def test_the_lifetime_of_an_upload(client: FlaskClient, version: int, key: str) -> None:
    response = create(client, headers=interop(version))
    assert response.headers["Upload-Limit"].startswith(f"{key}=")
    asked = client.head(response.headers["Location"], headers=interop(version))
    assert asked.headers["Upload-Limit"].startswith(f"{key}=")


@pytest.mark.parametrize(("version", "status"), [(3, 400), (5, 400), (6, 400), (7, 204), (8, 204)])
def test_who_cancels_must_not_tell_the_state(
    client: FlaskClient, version: int, status: int
) -> None:
    url = begun(client)
    headers = interop(version, **{"Upload-Offset": "0"})
    assert client.delete(url, headers=headers).status_code == status


def test_two_versions(client: FlaskClient) -> None:
    url = begun(client)
    assert client.head(url, headers=interop("6, 8")).status_code == 400
    problem(append(client, url, DATA, headers=interop("6, 8")), 400)
