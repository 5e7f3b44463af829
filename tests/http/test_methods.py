"""Verbs: what is not offered gets 405 with Allow, OPTIONS tells what is."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.answers import refused
from tests.http.forms import Unreadable, send
from tests.support.protocol import Protocol, nothing_left

pytestmark = pytest.mark.one_database

ABSENT = "0" * 32
OFFERED = {
    "/uploads/": {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"},
    "/uploads": {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"},
    "/uploads/complete": {"POST", "OPTIONS"},
    "/uploads/form": {"POST", "OPTIONS"},
    f"/uploads/{ABSENT}": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
    f"/uploads/{ABSENT}/file": {"GET", "HEAD", "OPTIONS"},
}
VERBS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def allowed(header: str) -> set[str]:
    return {verb.strip() for verb in header.split(",")}


@pytest.mark.parametrize(
    ("path", "verb"),
    [(path, verb) for path, offered in OFFERED.items() for verb in sorted(VERBS - offered)],
)
def test_verbs_not_offered(app: Flask, client: FlaskClient, path: str, verb: str) -> None:
    response = send(client, verb, path, Unreadable(), length="10")
    assert response.status_code == 405
    assert allowed(response.headers["Allow"]) == OFFERED[path]
    if verb != "HEAD":
        refused(response, 405)
    assert nothing_left(app)


@pytest.mark.parametrize("path", OFFERED)
def test_options(client: FlaskClient, path: str) -> None:
    response = client.options(path)
    assert response.status_code == 204
    assert response.data == b""
    assert allowed(response.headers["Allow"]) == OFFERED[path]


@pytest.mark.parametrize("verb", ["TRACE", "PROPFIND", "CONNECT", "X-NEW"])
@pytest.mark.parametrize("path", [path for path in OFFERED if path != "/uploads"])
def test_verbs_nobody_knows(client: FlaskClient, path: str, verb: str) -> None:
    response = client.open(path, method=verb)
    assert response.status_code in (405, 501)


def test_complete_is_no_upload_id(client: FlaskClient, protocol: Protocol) -> None:
    protocol.upload(b"x")
    refused(client.get("/uploads/complete"), 405)
    refused(client.delete("/uploads/complete"), 405)
