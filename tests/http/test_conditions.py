"""Conditional headers: what cannot be read is ignored, on every endpoint."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database

DATA = b"hello world"

IMPOSSIBLE = [
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 10000 00:00:00 GMT",
    "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT",
    "Mon, 01 Jan 2024 25:61:61 GMT",
    "Mon, 99 Jan 2024 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +99999999999999",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "0",
    "",
    "-",
]


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
def test_impossible_dates_are_ignored(
    client: FlaskClient, protocol: Protocol, name: str, value: str
) -> None:
    done = protocol.completed(DATA)
    paths = ["/", f"/{done}", f"/{done}/file", "/static/chunked-upload.js", "/csrf-token"]
    for path in paths:
        response = client.get(f"/uploads{path}", headers={name: value}, buffered=True)
        assert response.status_code == 200, path
    ranged = {name: value, "Range": "bytes=0-1"}
    response = client.get(f"/uploads/{done}/file", headers=ranged, buffered=True)
    assert response.status_code == (200 if name == "If-Range" else 206)
