"""The server does what its description says: schemathesis asks, and a generated client uploads."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import preloaded
from tests.support.server import PROGRAM, Server

PROJECT = Path(__file__).parents[2]

#: All checks are on, but for what is said here.
CONFIG = """
[checks]
# What a request is answered depends on the upload as well: an offset, a checksum or a state that
# does not fit is refused, and no schema can say what fits. That refusals are described is checked.
positive_data_acceptance.enabled = false
# tus asks for 412 where the version is missing or another one, and a server that lacks a length, or
# has another limit, says so.
negative_data_rejection.expected-statuses = [
    400, 403, 404, 405, 409, 410, 411, 412, 413, 415, 416, 460
]
# As above; and 405 is for a POST or PUT that without its header is no request of this URL.
missing_required_header.expected-statuses = [400, 403, 404, 405, 411, 412, 415]

# The list and the question of jQuery-File-Upload have one URL, and each ignores the other's
# parameters.
[[operations]]
include-path = "/uploads/"
include-method = ["GET", "HEAD"]
checks.negative_data_rejection.enabled = false
"""

#: What a short run leaves out.
_LEFT_OUT = [
    *("--exclude-method", "HEAD", "--exclude-tag", "Files"),
    *("--exclude-tag", "Links", "--exclude-tag", "Pages"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, {"CHUNKED_UPLOAD_SHARE": "1"}) as running:
        yield running


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "with_tokens",
    # A caller with a token meets all that another does, and what the token may do.
    [pytest.param(False, marks=pytest.mark.full), True],
    ids=["anonymous", "tokens"],
)
def test_schemathesis_finds_nothing(tmp_path: Path, with_tokens: bool) -> None:
    """With ``LONG=1`` many more examples, and chains of requests; with ``-m ""`` anonymous too."""
    environment = {"CHUNKED_UPLOAD_SHARE": "1"}
    if with_tokens:
        environment["CHUNKED_UPLOAD_REQUIRE_TOKENS"] = "1"
    with Server(tmp_path, environment) as server:
        _run(server, tmp_path, _authorization(server) if with_tokens else [])


def _authorization(server: Server) -> list[str]:
    """Yield the options by which schemathesis sends a token."""
    made = preloaded.run(
        [PROGRAM, "create-token", "schemathesis", "--json"],
        cwd=server.directory,
        env=server.environment,
    )
    return ["--header", f"Authorization: Bearer {json.loads(made.stdout)['token']}"]


def _run(server: Server, place: Path, options: list[str]) -> None:
    few = ["--phases", "coverage", "--max-examples", "1", "--no-shrink", *_LEFT_OUT]
    many = ["--max-examples", "300"]
    (place / "schemathesis.toml").write_text(CONFIG)
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
            *("--seed", "1", "--continue-on-failure", "--no-color"),
            *options,
            *(many if os.environ.get("LONG") else few),
        ],
        cwd=place,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "PYTHONPATH": str(PROJECT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Tested: " in result.stdout


def test_a_generated_client_uploads_a_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two chunks, a form and raw bytes; it completes the upload and reads it back."""
    generate = Path(sys.executable).with_name("openapi-python-client")
    made = subprocess.run(
        [
            *(generate, "generate", "--url", f"{server.url}/openapi.json"),
            *("--meta", "none", "--output-path", tmp_path / "generated_client"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout
    monkeypatch.syspath_prepend(tmp_path)
    data = os.urandom(100_000)
    first, second = data[:60_000], data[60_000:]

    def module(name: str) -> Any:
        return importlib.import_module(f"generated_client.{name}")

    file, models = module("types").File, module("models")
    with module("client").Client(base_url=server.url) as client:
        chunk = module("api.chunks.send_chunk").sync(
            client=client,
            body=models.SendChunkFilesBody(file=file(io.BytesIO(first), "video.mp4")),
            content_range="bytes 0-59999/100000",
        )
        assert (type(chunk), chunk.offset) == (models.ChunkReply, 60_000)
        module("api.chunks.put_chunk").sync(
            chunk.upload_id,
            client=client,
            body=file(io.BytesIO(second)),
            content_range="bytes 60000-99999/100000",
        )
        wanted = models.Complete(upload_id=chunk.upload_id, md5="0" * 32)
        complete = module("api.chunks.complete_upload")
        refused = complete.sync(client=client, body=wanted)
        assert (type(refused), refused.detail) == (models.Error, "md5 checksum does not match")
        wanted.md5 = hashlib.md5(data).hexdigest()
        upload = complete.sync(client=client, body=wanted)
        assert (type(upload), upload.status, upload.filename) == (models.Upload, 2, "video.mp4")
        downloaded = module("api.files.download_file").sync(chunk.upload_id, client=client)
        assert downloaded.payload.read() == data
