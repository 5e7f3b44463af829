"""``examples/upload.sh``: any file, any interruption, against the real server."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import call, stored_files
from tests.server.waiting import eventually
from tests.support.missing import skip_without
from tests.support.server import Server
from tests.support.site import Stored

SCRIPT = Path(__file__).parents[2] / "examples" / "upload.sh"
DATA = random.Random(7).randbytes(4_000_000)


@pytest.fixture(autouse=True)
def curl() -> None:
    if shutil.which("curl") is None:
        skip_without("curl", install="the package curl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the client's files lie."""
    made = tmp_path / "client"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of this module's tests."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    """A server without uploads, its log empty."""
    if not shared.running:
        shared.start()
    shared.log.write_bytes(b"")
    yield shared
    if shared.running:
        for row in Stored(shared.instance).rows():
            call(shared, "DELETE", f"/uploads/{row['upload_id']}")


Upload = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(request: pytest.FixtureRequest, folder: Path) -> Iterator[Upload]:
    """Start the script for a file; whatever of it still runs is killed when the test ends.

    Without ``url`` the file goes to the test's server, if it has one.
    """
    at = request.getfixturevalue("server").url if "server" in request.fixturenames else ""
    started: list[subprocess.Popen[str]] = []

    def begin(name: str, *, url: str = "", **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(SCRIPT), name, url or f"{at}/uploads/"],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a run that must succeed; returns what it printed, errors included."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    return out + err


def assert_stored(server: Server, said: str, data: bytes) -> dict[str, Any]:
    """The file is complete, has the content, and is the only one the server holds."""
    md5 = hashlib.md5(data).hexdigest()
    assert f"is complete: md5 {md5}" in said
    [path] = [name for name in stored_files(server) if not name.startswith(".")]
    assert (server.root / path).read_bytes() == data
    upload_id = said.split("/uploads/")[1].split("/file")[0]
    state = call(server, "GET", f"/uploads/{upload_id}").json
    assert (state["status"], state["md5"]) == (2, md5)
    return state


def resumable(folder: Path, name: str) -> bool:
    return (folder / f"{name}.upload").exists()


NAMES = [
    "plain.bin",
    "with space and 'quotes' \"of\" both.bin",
    "-rf",
    "--help.txt",
    "grüße 文件.bin",
    "100%25 & more?.bin",
    "back\\slash [1] {2} $HOME `id`.bin",
    ".hidden",
    "new\nline.bin",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_uploaded(server: Server, folder: Path, start: Upload, name: str) -> None:
    (folder / name).write_bytes(DATA[:100_000])
    state = assert_stored(server, finish(start(name, CHUNK="30000")), DATA[:100_000])
    assert state["filename"] == name.replace("\n", "").replace("\\", "/").split("/")[-1]
    assert os.listdir(folder) == [name]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 131072])
def test_any_size_is_uploaded(server: Server, folder: Path, start: Upload, size: int) -> None:
    (folder / "file").write_bytes(DATA[:size])
    assert_stored(server, finish(start("file", CHUNK="65536")), DATA[:size])


@pytest.mark.parametrize(
    ("chunk", "chunks"), [("1M", 4), ("512k", 8), ("2G", 1), ("01000000", 4), ("1000000", 4)]
)
def test_a_chunks_size_may_have_a_unit(
    server: Server, folder: Path, start: Upload, chunk: str, chunks: int
) -> None:
    (folder / "file").write_bytes(DATA)
    assert_stored(server, finish(start("file", CHUNK=chunk)), DATA)
    assert server.log.read_text().count('"method": "POST"') == chunks + 1  # the completion


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_shown(start: Upload, option: str) -> None:
    out, err = start(option).communicate(timeout=60)
    assert out.startswith("usage: upload.sh FILE [URL]\n")
    for name in ("CHUNK", "TOKEN", "TRIES"):
        assert f"\n  {name} " in out
    assert err == ""


def test_the_time_left_is_shown_until_all_is_sent(
    server: Server, folder: Path, start: Upload
) -> None:
    (folder / "file").write_bytes(DATA)
    said = finish(start("file", CHUNK="1M")).splitlines()
    shown = [line for line in said if re.match(" *[0-9]+%", line)]
    assert len(shown) == 4
    for line in shown[:-1]:
        assert re.match(r" [0-9]{2}%  .* of 3\.8 MiB  .*/s  \d+:\d\d left", line), line
    assert shown[-1].startswith("100%")
    assert "left" not in shown[-1]


def test_the_script_killed_in_the_middle_resumes(
    server: Server, folder: Path, start: Upload
) -> None:
    (folder / "file").write_bytes(DATA)
    first = start("file", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    first.kill()
    first.wait()

    said = finish(start("file", CHUNK="262144"))
    assert "Resuming file at " in said
    assert_stored(server, said, DATA)
    assert os.listdir(folder) == ["file"]


def test_the_server_killed_in_the_middle_is_waited_for(
    server: Server, folder: Path, start: Upload
) -> None:
    (folder / "file").write_bytes(DATA)
    running = start("file", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    server.kill()
    assert running.stderr is not None
    while "No luck" not in running.stderr.readline():
        assert running.poll() is None
    server.start()
    assert_stored(server, finish(running), DATA)


def test_a_lost_last_answer_is_asked_for_again(server: Server, folder: Path, start: Upload) -> None:
    """Killed after the completion was recorded, before the script had forgotten the upload."""
    (folder / "file").write_bytes(DATA[:200_000])
    first = start("file", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    remembered = (folder / "file.upload").read_text()
    finish(first)
    (folder / "file.upload").write_text(remembered)
    assert_stored(server, finish(start("file")), DATA[:200_000])


@pytest.mark.parametrize("changed", [DATA[:-1], DATA[::-1]], ids=["shorter", "same size"])
def test_a_file_that_has_changed_starts_again(
    server: Server, folder: Path, start: Upload, changed: bytes
) -> None:
    (folder / "file").write_bytes(DATA)
    first = start("file", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    first.kill()
    first.wait()
    (folder / "file").write_bytes(changed)
    said = finish(start("file"))
    assert "Resuming" not in said
    assert_stored(server, said, changed)


def test_an_upload_that_the_server_has_forgotten_starts_again(
    server: Server, folder: Path, start: Upload
) -> None:
    (folder / "file").write_bytes(DATA)
    first = start("file", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    upload_id = (folder / "file.upload").read_text().split()[0]
    assert call(server, "DELETE", f"/uploads/{upload_id}").status == 204
    said = finish(start("file"))
    assert "Resuming" not in said
    assert_stored(server, said, DATA)


def test_a_token_is_sent_and_not_shown(
    make_server: Callable[..., Server], folder: Path, start: Upload
) -> None:
    digest = hashlib.sha256(b"swordfish").hexdigest()
    server = make_server(CHUNKED_UPLOAD_TOKENS=f"anna:{digest}")
    (folder / "file").write_bytes(DATA)
    running = start("file", url=server.url + "/uploads", TOKEN="swordfish", CHUNK="65536")
    eventually(lambda: resumable(folder, "file"))
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert b"swordfish" not in entry.read_bytes()
    assert f"md5 {hashlib.md5(DATA).hexdigest()}" in finish(running)


# Refusals


def refused(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert out == ""
    return err


def test_missing_credentials_are_told(
    make_server: Callable[..., Server], folder: Path, start: Upload
) -> None:
    server = make_server(CHUNKED_UPLOAD_TOKENS=f"anna:{'0' * 64}")
    (folder / "file").write_bytes(DATA)
    said = refused(start("file", url=server.url + "/uploads/", TOKEN="wrong"))
    assert "the server refused a chunk (403)" in said
    assert "Authentication credentials were not provided" in said
    assert not resumable(folder, "file")


def test_a_file_too_large_is_told(
    make_server: Callable[..., Server], folder: Path, start: Upload
) -> None:
    server = make_server(CHUNKED_UPLOAD_MAX_BYTES="1000")
    (folder / "file").write_bytes(DATA)
    said = refused(start("file", url=server.url + "/uploads/"))
    assert "Size of file exceeds the limit (1000 bytes)" in said
    assert stored_files(server) == []


def test_a_server_that_is_not_there_is_told(server: Server, folder: Path, start: Upload) -> None:
    (folder / "file").write_bytes(DATA)
    server.kill()
    said = refused(start("file", TRIES="2"))
    assert "gave up after 2 tries" in said
    assert "connect" in said


@pytest.mark.parametrize("path", ["/elsewhere/", "/", "/healthz"])
def test_a_wrong_address_is_told(server: Server, folder: Path, start: Upload, path: str) -> None:
    (folder / "file").write_bytes(DATA)
    said = refused(start("file", url=server.url + path))
    assert f"there is no upload service at {server.url}" in said
    assert "its address ends in /uploads/ unless it was set otherwise" in said
    assert "<" not in said, "the answer's HTML tells nothing"


@pytest.mark.parametrize(
    ("name", "environment", "told"),
    [
        ("", {}, "usage: upload.sh FILE"),
        ("absent", {}, "absent is not a file"),
        (".", {}, ". is not a file"),
        ("file", {"CHUNK": "16X"}, "CHUNK must be a size such as 8388608, 512K or 8M"),
        ("file", {"CHUNK": "M"}, "CHUNK must be a size"),
        ("file", {"CHUNK": "-1"}, "CHUNK must be a size"),
        ("file", {"CHUNK": "8 M"}, "CHUNK must be a size"),
        ("file", {"CHUNK": "9999999999999"}, "CHUNK must be a size"),
        ("file", {"CHUNK": "0"}, "CHUNK must not be 0"),
        ("file", {"CHUNK": "0K"}, "CHUNK must not be 0"),
        ("file", {"TRIES": "many"}, "TRIES must be a plain number"),
    ],
)
def test_wrong_arguments_are_told(
    folder: Path, start: Upload, name: str, environment: dict[str, str], told: str
) -> None:
    (folder / "file").write_bytes(b"x")
    assert told in refused(start(name, **environment))
