"""curl itself, as people type it: curl -T, names as they come, streams of unknown length."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import call
from tests.support.missing import skip_without
from tests.support.protocol import md5_of
from tests.support.server import Server

DATA = bytes(range(256)) * 8000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if shutil.which("curl") is None:
        skip_without("curl", install="the package curl")
    with Server(tmp_path_factory.mktemp("curl")) as running:
        yield running


def curl(*arguments: str, cwd: Path, data: bytes = b"") -> Any:
    command = ["curl", "-sS", *arguments]
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name",
    ["video.mp4", "my holiday.mp4", "日本語 ü.txt", "100%.txt", "a+b&c#d?.txt", "-T", "f" * 31],
)
def test_a_file_sent_to_the_url_has_its_own_name(server: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(DATA)
    state = curl("-T", f"./{name}", f"{server.url}/uploads/", cwd=tmp_path)
    assert (state["filename"], state["status"], state["length"]) == (name, 2, len(DATA))
    assert state["md5"] == md5_of(DATA)
    assert call(server, "GET", state["url"]).body == DATA


def test_a_stream_of_unknown_length(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/uploads/from%20a%20pipe.bin"
    state = curl("-T", "-", url, cwd=tmp_path, data=DATA)
    assert (state["filename"], state["status"]) == ("from a pipe.bin", 2)
    assert (state["length"], state["md5"]) == (len(DATA), md5_of(DATA))


def test_a_stream_that_breaks_off_is_not_taken_for_a_file(server: Server) -> None:
    before = call(server, "GET", "/healthz").status
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(
            b"PUT /uploads/broken.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n"
        )
        raw.shutdown(socket.SHUT_WR)
        answer = raw.makefile("rb").read()
    assert before == 200
    assert not answer.startswith(b"HTTP/1.1 2"), answer
    assert not list(server.root.rglob("broken*"))
    assert not list(server.root.rglob("*.part"))


@pytest.mark.parametrize("name", ["complete", "form", "0" * 32, "ABCDEF" + "0" * 26])
def test_names_that_cannot_be_are_told(server: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"hello")
    refusal = curl("-T", name, f"{server.url}/uploads/", cwd=tmp_path)
    assert "/uploads/?filename=" in refusal["reason"]
    assert "upload_id" not in refusal
    sent = curl(
        *("-H", "Content-Type: application/octet-stream", "--data-binary", f"@{name}"),
        f"{server.url}/uploads/?filename={name}",
        cwd=tmp_path,
    )
    assert sent["offset"] == 5


def test_a_hidden_file_and_one_in_a_directory(server: Server, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in (".profile", "folder/inside.txt"):
        (tmp_path / name).write_bytes(b"hello")
    hidden = curl("-T", ".profile", f"{server.url}/uploads/", cwd=tmp_path)
    inside = curl("-T", "folder/inside.txt", f"{server.url}/uploads/", cwd=tmp_path)
    assert (hidden["filename"], inside["filename"]) == (".profile", "inside.txt")


def test_a_stream_needs_a_name(server: Server, tmp_path: Path) -> None:
    refusal = curl("-T", "-", f"{server.url}/uploads", cwd=tmp_path, data=DATA)
    assert refusal["reason"] == "put a file at its name: /uploads/NAME"
