"""IETF resumable uploads: digests of requests and files (section 10 of the draft, RFC 9530)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of
from tests.http.draft import DATA, append, begun, create, cut, digest, id_of, problem, told
from tests.support.protocol import md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

ALGORITHMS = ["sha-256", "sha-512", "md5"]
OTHER = b"other bytes"


def both(data: bytes) -> str:
    """Return a field with a digest of each algorithm."""
    return ", ".join(digest(data, algorithm) for algorithm in ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_content_digest(app: Flask, client: FlaskClient, algorithm: str) -> None:
    url = begun(client, DATA[:5], headers={"Content-Digest": digest(DATA[:5], algorithm)})
    wrong = {"Content-Digest": digest(OTHER, algorithm)}
    problem(append(client, url, DATA[5:], offset=5, headers=wrong), 400)
    assert told(client.head(url))[:2] == (200, "5")
    right = {"Content-Digest": digest(DATA[5:], algorithm)}
    last = append(client, url, DATA[5:], offset=5, complete="?1", headers=right)
    assert told(last)[:3] == (200, "11", "?1")
    assert content_of(app, id_of(url)) == DATA


@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
def test_a_creation_whose_bytes_differ_leaves_nothing(
    app: Flask, client: FlaskClient, header: str
) -> None:
    response = create(client, DATA, complete="?1", headers={header: digest(OTHER)})
    assert header in problem(response, 400)["detail"]
    assert response.headers["Upload-Complete"] == "?0"
    assert nothing_left(app)


def test_one_of_several_digests_differs(client: FlaskClient) -> None:
    url = begun(client)
    headers = {"Content-Digest": f"{digest(DATA)}, {digest(OTHER, 'md5')}"}
    assert "md5" in problem(append(client, url, DATA, headers=headers), 400)["detail"]
    assert append(client, url, DATA, headers={"Content-Digest": both(DATA)}).status_code == 204


def test_with_a_digest_the_bytes_of_a_broken_request_do_not_count(client: FlaskClient) -> None:
    url = begun(client, DATA[:3], length=11)
    options = cut(DATA[3:8], 8)
    headers = {"Content-Digest": digest(DATA[3:])}
    response = append(
        client, url, options.pop("data"), offset=3, complete="?1", headers=headers, **options
    )
    assert told(response)[:3] == (400, "3", "?0")
    assert told(client.head(url))[1] == "3"


def test_an_empty_request_has_a_digest_too(client: FlaskClient) -> None:
    assert create(client, headers={"Content-Digest": digest(b"")}).status_code == 201
    problem(create(client, headers={"Content-Digest": digest(OTHER)}), 400)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_repr_digest_of_the_creation_is_checked_at_the_end(
    client: FlaskClient, algorithm: str
) -> None:
    url = begun(client, DATA[:5], headers={"Repr-Digest": digest(DATA, algorithm)})
    assert told(append(client, url, DATA[5:], offset=5, complete="?1"))[:3] == (200, "11", "?1")
    url = begun(client, DATA[:5], headers={"Repr-Digest": digest(OTHER, algorithm)})
    response = append(client, url, DATA[5:], offset=5, complete="?1")
    problem(response, 400)
    assert response.headers["Upload-Complete"] == "?1"
    assert client.head(url).status_code == 410


def test_repr_digest_of_the_last_request(client: FlaskClient) -> None:
    url = begun(client, DATA[:5])
    headers = {"Repr-Digest": digest(DATA, "sha-512")}
    last = append(client, url, DATA[5:], offset=5, complete="?1", headers=headers)
    assert last.status_code == 200
    url = begun(client, DATA[:5])
    headers = {"Repr-Digest": digest(OTHER)}
    problem(append(client, url, DATA[5:], offset=5, complete="?1", headers=headers), 400)
    assert client.head(url).status_code == 410


@pytest.mark.parametrize("header", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        "sha-256",
        "sha-256=1",
        'sha-256="abc"',
        "sha-256=:AAAA:",
        "sha-256=:!!!!:",
        "sha-256=:AAAA",
        f"{digest(DATA)},",
        f"{digest(DATA)} {digest(DATA)}",
        "md5=(:AAAA:)",
        "é",
    ],
)
def test_malformed_digests(app: Flask, client: FlaskClient, header: str, value: str) -> None:
    response = create(client, DATA, complete="?1", headers={header: value})
    if value == "":  # an empty Dictionary is one that is not sent (RFC 9651 3.2)
        assert response.status_code == 200
        return
    problem(response, 400)
    assert nothing_left(app)


def test_other_algorithms_are_ignored(client: FlaskClient) -> None:
    headers = {"Content-Digest": f"sha=:AAAA:, unixsum=:AA==:, {digest(DATA)}"}
    assert create(client, DATA, complete="?1", headers=headers).status_code == 200


@pytest.fixture
def keeping(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an app that keeps all digests."""
    app = make_app()
    ChunkedUpload(app, checksums=("md5", "sha256", "sha512"))
    create_tables(app)
    return app.test_client()


@pytest.mark.parametrize(
    ("wanted", "told_of"),
    [
        ("sha-256=1", ["sha-256"]),
        ("sha-256=3, sha-512=10", ["sha-512", "sha-256"]),
        ("md5=1, sha-256=0", ["md5"]),
        ("unixsum=10", []),
        ("sha-256=0", []),
    ],
)
def test_want_repr_digest(keeping: FlaskClient, wanted: str, told_of: list[str]) -> None:
    expected = ", ".join(digest(DATA, algorithm) for algorithm in told_of) or None
    headers = {"Want-Repr-Digest": wanted}
    at_creation = create(keeping, DATA, complete="?1", headers=headers)
    assert at_creation.headers.get("Repr-Digest") == expected
    url = at_creation.headers["Location"]
    assert keeping.head(url).headers.get("Repr-Digest") == expected
    plain = create(keeping, DATA, complete="?1").headers["Location"]
    assert "Repr-Digest" not in keeping.head(plain).headers
    assert keeping.head(plain, headers=headers).headers.get("Repr-Digest") == expected


def test_a_creation_in_parts_wants_a_digest_at_the_end(keeping: FlaskClient) -> None:
    url = begun(keeping, DATA[:5], headers={"Want-Repr-Digest": "sha-256=1"})
    assert "Repr-Digest" not in keeping.head(url).headers
    last = append(keeping, url, DATA[5:], offset=5, complete="?1")
    assert last.headers["Repr-Digest"] == digest(DATA)


def test_what_is_not_kept_is_not_told(client: FlaskClient) -> None:
    """It would cost reading the whole file."""
    headers = {"Want-Repr-Digest": "sha-512=9, md5=1"}
    response = create(client, DATA, complete="?1", headers=headers)
    assert response.headers["Repr-Digest"] == digest(DATA, "md5")


@pytest.mark.parametrize(
    "value", ["sha-256", "sha-256=11", "sha-256=-1", "sha-256=1.5", "sha-256=:AAAA:", "=1", "a b"]
)
def test_malformed_wants(app: Flask, client: FlaskClient, value: str) -> None:
    problem(create(client, DATA, headers={"Want-Repr-Digest": value}), 400)
    assert nothing_left(app)


def test_what_is_declared_is_kept_with_the_upload(app: Flask, client: FlaskClient) -> None:
    headers: dict[str, Any] = {"Repr-Digest": digest(DATA, "md5"), "Want-Repr-Digest": "md5=1"}
    begun(client, headers=headers)
    begun(client)
    first, second = records(app)
    assert first.declared == {
        "resumable": {"want_repr_digest": ["md5"]},
        "digests": {"md5": md5_of(DATA)},
    }
    assert second.declared is None
