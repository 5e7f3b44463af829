"""tus: OPTIONS tells what the server can do, and every answer has the version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request

from chunked_upload import ChunkedUpload
from tests.http.answers import refused
from tests.http.forms import Unreadable, send
from tests.support.tus import BODY_TYPE, Tus

pytestmark = pytest.mark.one_database

ABSENT = f"/uploads/tus/{'0' * 32}"


@pytest.mark.parametrize("url", ["/uploads/tus/", "/uploads/tus", ABSENT])
def test_options_tells_what_is_served(tus: Tus, url: str) -> None:
    response = tus.client.options(url)
    assert response.status_code == 200
    assert response.headers["Tus-Resumable"] == "1.0.0"
    assert response.headers["Tus-Version"] == "1.0.0"
    extensions = response.headers["Tus-Extension"].split(",")
    assert {"creation", "creation-with-upload", "creation-defer-length"} <= {*extensions}
    assert {"checksum", "expiration", "termination"} <= {*extensions}
    assert "sha1" in response.headers["Tus-Checksum-Algorithm"].split(",")
    assert "Tus-Max-Size" not in response.headers


def test_the_largest_file_is_told(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=1000)
    assert app.test_client().options("/uploads/tus/").headers["Tus-Max-Size"] == "1000"


def test_a_limit_that_needs_its_caller_is_not_told_to_nobody(
    make_app: Callable[..., Flask],
) -> None:
    """Browsers ask without credentials before they cross origins."""

    def limit(request: Request) -> int:
        raise LookupError("nobody has signed in")

    app = make_app()
    ChunkedUpload(app, max_bytes=limit)
    response = app.test_client().options("/uploads/tus/")
    assert response.status_code == 200
    assert "Tus-Max-Size" not in response.headers


@pytest.mark.parametrize("version", ["0.2.2", "nonsense", ""])
def test_options_ignores_the_client_s_version(tus: Tus, version: str) -> None:
    response = tus.client.options("/uploads/tus/", headers={"Tus-Resumable": version})
    assert response.status_code == 200


REQUESTS = [("POST", "/uploads/tus/"), *((verb, ABSENT) for verb in ("HEAD", "PATCH", "DELETE"))]


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "1.0.1", "", "1.0.0 "])
@pytest.mark.parametrize(("verb", "url"), REQUESTS)
def test_another_version_is_refused_unread(
    tus: Tus, verb: str, url: str, version: str | None
) -> None:
    headers = {"Upload-Length": "1", "Upload-Offset": "0", "Content-Type": BODY_TYPE}
    if version is not None:
        headers["Tus-Resumable"] = version
    response = send(tus.client, verb, url, Unreadable(), length="1", headers=headers)
    assert response.status_code == 412
    assert response.headers["Tus-Version"] == "1.0.0"
    assert response.headers["Tus-Resumable"] == "1.0.0"


def test_a_version_that_comes_twice_is_malformed(tus: Tus) -> None:
    refused(tus.create(1, {"Tus-Resumable": "1.0.0,1.0.0"}), 400)


@pytest.mark.parametrize(
    ("verb", "url"),
    [("GET", "/uploads/tus/"), ("PUT", "/uploads/tus/"), ("PUT", ABSENT), ("GET", ABSENT)],
)
def test_every_answer_has_the_version(tus: Tus, verb: str, url: str) -> None:
    response = tus.client.open(url, method=verb)
    assert response.status_code in (404, 405)
    assert response.headers["Tus-Resumable"] == "1.0.0"


def test_a_verb_that_is_not_offered(tus: Tus) -> None:
    response = tus.request("PUT", ABSENT)
    refused(response, 405)
    offered = {verb.strip() for verb in response.headers["Allow"].split(",")}
    assert offered == {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"}


def override(tus: Tus, url: str, verb: str, **more: Any) -> Any:
    headers = {"X-HTTP-Method-Override": verb, "Content-Type": BODY_TYPE, **more}
    return tus.request("POST", url, headers, b"hello")


def test_a_client_that_cannot_patch_or_delete_may_post(tus: Tus) -> None:
    url = tus.created(10)
    response = override(tus, url, "PATCH", **{"Upload-Offset": "0"})
    assert (response.status_code, response.headers["Upload-Offset"]) == (204, "5")
    assert override(tus, url, "DELETE").status_code == 204
    assert tus.head(url).status_code == 404


@pytest.mark.parametrize("verb", ["HEAD", "GET", "PUT", "patch", "PATCH,PATCH", ""])
def test_no_other_verb_is_overridden(tus: Tus, verb: str) -> None:
    url = tus.created(10)
    refused(override(tus, url, verb, **{"Upload-Offset": "0"}), 405)
    assert tus.offset(url) == 0


def test_other_dialects_know_no_override(tus: Tus) -> None:
    url = tus.created(10)
    path = url.replace("/tus/", "/")
    response = tus.client.post(path, headers={"X-HTTP-Method-Override": "DELETE"})
    assert response.status_code >= 400
    assert tus.head(url).status_code == 200
