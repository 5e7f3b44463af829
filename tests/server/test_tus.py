"""tus at the bundled server: what only a real connection has."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

from tests.server.conftest import PROJECT
from tests.support.missing import skip_without
from tests.support.server import Server
from tests.support.tus import BODY_TYPE, VERSION

DATA = b"hello world" * 1000


def request(
    server: Server, verb: str, url: str, headers: dict[str, str], body: bytes = b""
) -> http.client.HTTPResponse:
    """Send the bytes of a request as they are."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest(verb, urlsplit(url).path)
    for name, value in {"Tus-Resumable": VERSION, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def chunked(data: bytes, **trailers: str) -> bytes:
    """Return a chunked body with trailers."""
    sent = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in trailers.items())
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(data), data, sent.encode())


def test_a_checksum_as_a_trailer(server: Server) -> None:
    creation = f"{server.url}/uploads/tus/"
    offered = request(server, "OPTIONS", creation, {}).headers["Tus-Extension"]
    assert "checksum-trailer" in offered.split(",")
    url = request(server, "POST", creation, {"Upload-Length": str(len(DATA))}).headers["Location"]
    headers = {
        "Content-Type": BODY_TYPE,
        "Upload-Offset": "0",
        "Transfer-Encoding": "chunked",
        "Trailer": "Upload-Checksum",
    }
    for data, status, offset in ((b"other", 460, "0"), (DATA, 204, str(len(DATA)))):
        checksum = f"sha1 {b64encode(hashlib.sha1(data).digest()).decode()}"
        sent = chunked(DATA, Upload_Checksum=checksum)
        assert request(server, "PATCH", url, headers, sent).status == status
        assert request(server, "HEAD", url, {}).headers["Upload-Offset"] == offset


def test_the_curl_lines_of_the_documentation(server: Server, tmp_path: Path) -> None:
    for program in ("curl", "openssl"):
        if shutil.which(program) is None:
            skip_without(program, install=f"the package {program}")
    text = (PROJECT / "docs/protocol.md").read_text()
    block = re.search(r"```sh\n(# Create the upload.*?)```", text, re.DOTALL)
    assert block is not None
    data = DATA * 200
    (tmp_path / "video.mp4").write_bytes(data)
    environ = {**os.environ, "URL": f"{server.url}/uploads"}
    script = f"set -eu\n{block[1]}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert b"Upload-Offset: 1000000" in done.stdout
    assert (tmp_path / "copy.mp4").read_bytes() == data
