"""Flask's own upload pattern beside uploads in chunks: the app of docs/extension.md."""

from __future__ import annotations

import importlib
import io
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, UploadSet
from chunked_upload.testing import UploadRefused, upload_file
from tests.conftest import create_tables
from tests.extension.helpers import FlaskProcess
from tests.support.protocol import md5_of

pytestmark = pytest.mark.one_database

PAGE = (Path(__file__).parents[2] / "docs" / "extension.md").read_text()

LIMIT = 100_000


def block(heading: str) -> str:
    """Return the first Python block under a heading of the page."""
    _, _, text = PAGE.partition(f"## {heading}\n")
    found = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The page's app, configured as it says, by Flask's environment."""
    (tmp_path / "pattern_app.py").write_text(block("Beside views of your own"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("FLASK_SECRET_KEY", "tests")
    monkeypatch.setenv("FLASK_MAX_CONTENT_LENGTH", str(LIMIT))
    monkeypatch.setenv("FLASK_CHUNKED_UPLOAD_MAX_BYTES", "250K")
    app: Flask = importlib.import_module("pattern_app").app
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    del sys.modules["pattern_app"]


@pytest.fixture
def client(pattern: Flask) -> FlaskClient:
    return pattern.test_client()


def field(data: bytes, name: str) -> dict[str, Any]:
    return {"file": (io.BytesIO(data), name)}


def test_a_view_saves_beside_chunks(client: FlaskClient) -> None:
    answer = client.post("/", data=field(b"by the view", "a.txt"))
    assert (answer.status_code, answer.location) == (302, "/files/a.txt")
    upload_file(client, "/uploads/", b"in chunks", filename="b.txt", chunk_size=4)
    assert client.get("/files/a.txt", buffered=True).data == b"by the view"
    assert client.get("/files/b.txt", buffered=True).data == b"in chunks"
    assert client.post("/", data=field(b"x", "a.exe")).status_code == 415


def test_the_redirect_after_a_form_carries_the_new_name(client: FlaskClient) -> None:
    page = {"Accept": "text/html"}
    for expected in ("a b.txt", "a b-"):
        answer = client.post("/uploads/form", data=field(b"form", "a b.txt"), headers=page)
        assert answer.status_code == 303
        assert answer.location.replace("%20", " ").startswith(f"/files/{expected}")
        assert client.get(answer.location, buffered=True).data == b"form"


def test_unfinished_bytes_are_not_served(client: FlaskClient, pattern: Flask) -> None:
    half = upload_file(client, "/uploads/", b"secret", filename="b.txt", complete=False)
    upload_id = half["upload_id"]
    parts = list(Path(pattern.instance_path).rglob(f"{upload_id}.part"))
    assert [part.read_bytes() for part in parts] == [b"secret"]
    for name in ("b.txt", f".incoming/{upload_id[:2]}/{upload_id}.part", f"{upload_id}.part"):
        assert client.get(f"/files/{name}").status_code == 404


def test_max_content_length_limits_a_request_in_both_and_not_a_file(client: FlaskClient) -> None:
    large = bytes(2 * LIMIT)
    assert client.post("/", data=field(large, "a.txt")).status_code == 413
    with pytest.raises(UploadRefused, match="Size of request exceeds the limit") as refused:
        upload_file(client, "/uploads/", large, filename="b.txt")
    assert refused.value.response.status_code == 413
    done = upload_file(client, "/uploads/", large, filename="b.txt", chunk_size=LIMIT // 2)
    assert done["md5"] == md5_of(large)
    with pytest.raises(UploadRefused, match="Size of file exceeds the limit"):
        upload_file(client, "/uploads/", bytes(260 * 1024), chunk_size=LIMIT // 2)


def test_the_tests_of_the_page_pass(pattern: Flask) -> None:
    names: dict[str, Any] = {}
    exec(block("Testing your app"), names)
    names["test_a_photo_is_uploaded"](pattern)
    names["test_an_upload_too_large_is_refused"](pattern)


def test_the_endpoints_of_the_page_are_those_of_an_upload_set(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    ChunkedUpload(app, name="photos")
    _, _, section = PAGE.partition("### Endpoints\n")
    told = re.findall(r'^\| `("[^`]*)` \|', section.partition("\n## ")[0], re.MULTILINE)
    made = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    assert {call.split('"')[1] for call in told} == made
    with app.test_request_context():
        for call in told:
            assert eval(f"url_for({call.replace('…', repr('x'))})", {"url_for": url_for})


def test_an_upload_of_the_helper(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(CHUNKED_UPLOAD_CHECKSUMS="sha256", UPLOADED_DOCS_DEST=str(tmp_path / "docs"))
    UploadSet("docs", ("txt",), app=app, field_name="document")
    create_tables(app)
    client = app.test_client()
    options: dict[str, Any] = {"field_name": "document", "checksum": "sha256"}
    with io.BytesIO(b"from a file") as file:
        upload = upload_file(
            client, "/uploads/docs", file, filename="a.txt", fields={"title": "T"}, **options
        )
    assert (upload["status"], upload["metadata"]) == (2, {"title": "T"})
    assert upload_file(client, "/uploads/docs", b"", filename="e.txt", **options)["length"] == 0
    with pytest.raises(UploadRefused) as refused:
        upload_file(client, "/uploads/docs", b"x", filename="a.exe", **options)
    assert refused.value.response.status_code == 415


def test_the_helper_needs_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; from chunked_upload.testing import upload_file"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def put(url: str) -> int:
    kind = {"Content-Type": "application/octet-stream"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, b"hello", kind, method="PUT"), timeout=60
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_flask_run_with_flasks_environment_and_its_log(tmp_path: Path) -> None:
    """Nothing is configured, and the developer sees what a hook has done wrong."""
    failing = (
        "\n\n@uploads.on_completion\ndef fails(file, request):\n    raise KeyError('my mistake')\n"
        "\n\n@uploads.validate\ndef checks(request, upload):\n"
        "    if upload.filename == 'b.txt':\n        raise KeyError('another mistake')\n"
    )
    (tmp_path / "hello.py").write_text(block("Beside views of your own") + failing)
    environment = {"FLASK_SECRET_KEY": "x", "FLASK_CHUNKED_UPLOAD_URL_PREFIX": "/send"}
    with FlaskProcess("hello", tmp_path, environment) as running:
        statuses = {name: put(f"{running.url}/send/{name}") for name in ("a.txt", "b.txt")}
        log = running.log.read_text()
    assert statuses == {"a.txt": 200, "b.txt": 500}
    assert "on_completion failed for upload" in log
    assert "KeyError: 'my mistake'" in log
    assert "KeyError: 'another mistake'" in log
