"""IETF resumable uploads on the bundled server: 104, broken requests, takeover, and curl."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.http.draft import digest
from tests.server.client import Heads, call, connect, head
from tests.server.conftest import PROJECT
from tests.server.waiting import eventually
from tests.support.missing import skip_without
from tests.support.server import Server

DATA = bytes(range(256)) * 400
PARTIAL = "application/partial-upload"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server"), {"CHUNKED_UPLOAD_MAX_BYTES": "1000000"}) as run:
        yield run


def creation(version: object = 8, *, complete: str = "?1", **more: str | int) -> bytes:
    """Write the head of a creation."""
    named = {} if version is None else {"Upload_Draft_Interop_Version": str(version)}
    state = {"Upload_Complete": complete}
    if version == 3:
        state = {"Upload_Incomplete": "?0" if complete == "?1" else "?1"}
    return head("POST", "/uploads/", **{"Content_Length": len(DATA), **state, **named, **more})


def path_of(url: str | None) -> str:
    assert url is not None
    return urlsplit(url).path


def until_written(server: Server, url: str, size: int) -> None:
    """Wait until so many bytes of an unfinished upload are in its file."""
    name = f"{url.rpartition('/')[2]}.part"
    eventually(lambda: [part.stat().st_size for part in server.root.rglob(name)] == [size])


@pytest.mark.parametrize("version", [3, 5, 6, 7, 8])
def test_the_url_is_told_before_the_body_is_read(server: Server, version: int) -> None:
    with connect(server) as client:
        heads = Heads(client)
        client.sendall(creation(version))
        status, told = heads.next()
        assert status == 104
        assert told["Upload-Draft-Interop-Version"] == str(version)
        lifetime = "expires" if version == 6 else "max-age"
        assert re.fullmatch(rf"max-size=1000000, {lifetime}=\d+", told["Upload-Limit"])
        assert sorted(told) == ["Location", "Upload-Draft-Interop-Version", "Upload-Limit"]
        assert call(server, "GET", path_of(told["Location"])).json["offset"] == 0
        client.sendall(DATA)
        status, final = heads.next()
    assert (status, final["Location"]) == (200, told["Location"])
    assert call(server, "GET", f"{path_of(final['Location'])}/file").body == DATA


@pytest.mark.parametrize("version", [None, 2, 4, 9, 80, "8.0", "x", "?1", "8,8"])
def test_other_versions_are_told_nothing_on_the_way(server: Server, version: object) -> None:
    with connect(server) as client:
        client.sendall(creation(version) + DATA)
        status, told = Heads(client).next()
    assert status == (400 if version == "8,8" else 200)
    assert ("Location" in told) == (status == 200)


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Via", "Forwarded", "X_Real_IP"])
def test_proxies_might_take_it_for_the_answer(server: Server, name: str) -> None:
    with connect(server) as client:
        client.sendall(creation(**{name: "1.1 front"}) + DATA)
        assert Heads(client).next()[0] == 200


def test_the_interim_response_does_not_replace_100(server: Server) -> None:
    """Section 5: a client that expects 100 gets it as well."""
    with connect(server) as client:
        heads = Heads(client)
        client.sendall(creation(Expect="100-continue"))
        assert {heads.next()[0], heads.next()[0]} == {100, 104}
        client.sendall(DATA)
        assert heads.next()[0] == 200


def test_a_refused_creation_gets_neither(server: Server) -> None:
    with connect(server) as client:
        client.sendall(creation(Expect="100-continue", Upload_Length=1_000_001, Content_Length=9))
        status, told = Heads(client).next()
    assert status == 400
    assert "max-size=1000000" in told["Upload-Limit"]


@pytest.mark.parametrize("version", [3, 5, 8])
def test_progress_is_told(server: Server, version: int) -> None:
    """Not by version 3, which does not know of it; and without the URL."""
    created = call(server, "POST", "/uploads/", b"", {"Upload-Complete": "?0"})
    completeness = {"Upload_Incomplete": "?1"} if version == 3 else {"Upload_Complete": "?0"}
    with connect(server) as client:
        heads = Heads(client)
        url = path_of(created.headers["Location"])
        client.sendall(
            head(
                "PATCH",
                url,
                Content_Length=2000,
                Content_Type=PARTIAL,
                Upload_Offset=0,
                Upload_Draft_Interop_Version=version,
                **completeness,
            )
        )
        client.sendall(DATA[:1000])
        until_written(server, url, 1000)
        time.sleep(1.1)
        client.sendall(DATA[:1000])
        answers: list[tuple[int, http.client.HTTPMessage]] = []
        while not answers or answers[-1][0] < 200:
            answers.append(heads.next())
    *interim, (status, final) = answers
    assert status == (201 if version < 7 else 204)
    assert final["Upload-Offset"] == "2000"
    offsets = [int(told["Upload-Offset"]) for _, told in interim]
    assert offsets == sorted(offsets)
    assert bool(offsets) == (version != 3)
    assert set(offsets) <= {1000, 2000}
    assert all("Location" not in told for _, told in interim)


def interrupted(server: Server, sent: bytes, **more: str | int) -> str:
    """Begin to send a file to a server, and leave; returns the path of its URL."""
    with connect(server) as client:
        client.sendall(creation(**more) + sent)  # type: ignore[arg-type]
        status, told = Heads(client).next()
        assert status == 104
    return path_of(told["Location"])


def test_a_creation_that_breaks_off_is_resumed(server: Server) -> None:
    url = interrupted(server, DATA[:5000])
    asked = call(server, "HEAD", url)
    offset = int(asked.headers["Upload-Offset"])
    assert (asked.status, asked.headers["Upload-Length"]) == (200, str(len(DATA)))
    assert asked.headers["Upload-Complete"] == "?0"
    headers = {"Upload-Offset": str(offset), "Upload-Complete": "?1", "Content-Type": PARTIAL}
    rest = call(server, "PATCH", url, DATA[offset:], headers)
    assert (rest.status, rest.headers["Upload-Complete"]) == (200, "?1")
    assert call(server, "GET", f"{url}/file").body == DATA


def test_what_a_silent_creation_has_sent_is_kept_at_once(server: Server) -> None:
    """HEAD ends it, and tells an offset at which the next append is accepted."""
    with connect(server) as client:
        client.sendall(creation() + DATA[:5000])
        heads = Heads(client)
        status, told = heads.next()
        url = path_of(told["Location"])
        until_written(server, url, 5000)
        began = time.monotonic()
        asked = call(server, "HEAD", url)
        assert time.monotonic() - began < 5  # the client stays silent for ever
        assert (status, asked.headers["Upload-Offset"]) == (104, "5000")
        headers = {"Upload-Offset": "5000", "Upload-Complete": "?1", "Content-Type": PARTIAL}
        assert call(server, "PATCH", url, DATA[5000:], headers).status == 200
    assert call(server, "GET", f"{url}/file").body == DATA


def test_a_creation_that_was_taken_over_leaves_the_upload(server: Server) -> None:
    """Its client was told no URL, but another request has found the upload."""
    before = set(server.root.rglob("*.part"))
    with connect(server) as client:
        client.sendall(creation(None) + DATA[:5000])
        eventually(lambda: set(server.root.rglob("*.part")) > before)
        [part] = set(server.root.rglob("*.part")) - before
        url = f"/uploads/{part.stem}"
        until_written(server, url, 5000)
        assert call(server, "HEAD", url).headers["Upload-Offset"] == "5000"
        client.sendall(DATA[5000:])
        status, told = Heads(client).next()
        assert (status, told["Upload-Offset"]) == (409, "5000")
    headers = {"Upload-Offset": "5000", "Upload-Complete": "?1", "Content-Type": PARTIAL}
    assert call(server, "PATCH", url, DATA[5000:], headers).status == 200


def test_a_question_by_get_disturbs_nobody(server: Server) -> None:
    with connect(server) as client:
        heads = Heads(client)
        client.sendall(creation() + DATA[:5000])
        url = path_of(heads.next()[1]["Location"])
        time.sleep(0.3)
        assert call(server, "GET", url).json["status"] == 1
        client.sendall(DATA[5000:])
        while (answer := heads.next())[0] < 200:
            pass
    assert answer[0] == 200


def test_a_client_that_knows_the_url_can_send_other_bytes(server: Server) -> None:
    """Those that differ from their digest do not count, but the upload stays."""
    with connect(server) as client:
        client.sendall(creation(Content_Digest=digest(b"other")) + DATA)
        heads = Heads(client)
        url = path_of(heads.next()[1]["Location"])
        assert heads.next()[0] == 400
    assert call(server, "HEAD", url).headers["Upload-Offset"] == "0"
    headers = {"Upload-Offset": "0", "Upload-Complete": "?1", "Content-Type": PARTIAL}
    assert call(server, "PATCH", url, DATA, headers).status == 200


def test_cancellation_ends_what_is_under_way(server: Server) -> None:
    with connect(server) as client:
        client.sendall(creation() + DATA[:5000])
        heads = Heads(client)
        url = path_of(heads.next()[1]["Location"])
        assert call(server, "DELETE", url).status == 204
        client.sendall(DATA[5000:])
        assert heads.next()[0] == 404
    assert call(server, "HEAD", url).status == 404


def test_the_curl_lines_of_the_documentation(server: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        skip_without("curl", install="the package curl")
    text = (PROJECT / "docs/protocol.md").read_text()
    section = text[text.index("## Resumable Uploads for HTTP") :]
    lines = section[section.index("```sh\n") + 6 : section.index("\n```\n")]
    data = hashlib.shake_256(b"video").digest(1_500)
    (tmp_path / "video.mp4").write_bytes(data)
    lines = lines.replace("1000000", "1000").replace("1000001", "1001")
    done = subprocess.run(
        ["bash", "-euc", lines],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "URL": f"{server.url}/uploads"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert "upload-offset: 1000" in said.lower()
    assert said.count('"status": 2') + said.count('"status":2') == 2
    listed = re.findall(r'"url": ?"([^"]+)"', said)
    assert [call(server, "GET", url).body for url in listed] == [data, data]
