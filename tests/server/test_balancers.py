"""``deploy/nginx-nodes.conf`` and ``deploy/haproxy.cfg`` in the real programs: every request."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server import tus
from tests.server.balancing import FRONTS, Front, address, before, requests
from tests.server.client import (
    FORM_TYPE,
    Heads,
    call,
    complete,
    connect,
    create,
    form,
    head,
    put,
    read_answer,
)
from tests.support import haproxy, nginx
from tests.support.missing import skip_without
from tests.support.server import Server

DATA = bytes(range(256)) * 2000
GIB = 2**30
MIB = 2**20


@pytest.fixture(scope="module", params=FRONTS)
def front(
    request: pytest.FixtureRequest, nodes: tuple[Server, Server], nodes_place: Path
) -> Iterator[Front]:
    with before(request.param, nodes_place, [address(node) for node in nodes]) as running:
        yield running


def by_chunks(front: Front) -> str:
    upload_id = create(front, DATA[:200_000], len(DATA))
    assert put(front, upload_id, DATA[200_000:], 200_000, len(DATA)).status == 200
    assert complete(front, upload_id, DATA).status == 200
    return upload_id


def by_form(front: Front) -> str:
    answer = call(front, "POST", "/uploads/", form(DATA), FORM_TYPE)
    upload_id: str = answer.json["upload_id"]
    assert complete(front, upload_id, DATA).status == 200
    return upload_id


def by_dropzone(front: Front) -> str:
    named, size = str(uuid.uuid4()), 200_000
    starts = range(0, len(DATA), size)
    for index in (1, 2, 0):
        fields = {
            "dzuuid": named,
            "dzchunkindex": index,
            "dztotalfilesize": len(DATA),
            "dzchunksize": size,
            "dztotalchunkcount": len(starts),
            "dzchunkbyteoffset": starts[index],
        }
        body = form(DATA[starts[index] :][:size], **{key: str(v) for key, v in fields.items()})
        answer = call(front, "POST", "/uploads/", body, FORM_TYPE)
        assert answer.status == 200, answer
    return str(answer.json["upload_id"])


def by_tus(front: Front) -> str:
    upload_id = tus.create(front, len(DATA))
    assert tus.patch(front, upload_id, DATA[:200_000], 0).status == 204
    assert tus.offset(front, upload_id) == 200_000
    assert tus.patch(front, upload_id, DATA[200_000:], 200_000).status == 204
    return upload_id


def by_draft(front: Front) -> str:
    begun = call(
        front,
        "POST",
        "/uploads/",
        DATA[:9],
        {"Upload-Complete": "?0", "Upload-Length": f"{len(DATA)}"},
    )
    assert begun.status == 201, begun
    sent = {
        "Content-Type": "application/partial-upload",
        "Upload-Offset": "9",
        "Upload-Complete": "?1",
    }
    upload_id = begun.headers["Location"].rpartition("/")[2]
    assert call(front, "PATCH", f"/uploads/{upload_id}", DATA[9:], sent).status == 200
    return upload_id


def by_stream(front: Front) -> str:
    """As ``curl -T -``: the length is not known before its end."""
    answer = call(front, "PUT", "/uploads/stream.bin", iter([DATA[:100], DATA[100:]]))
    assert answer.status in (200, 201), answer
    return str(answer.json["upload_id"])


@pytest.mark.parametrize(
    "send", [by_chunks, by_form, by_dropzone, by_tus, by_draft, by_stream], ids=lambda f: f.__name__
)
def test_each_dialect_goes_through(
    front: Front, nodes: tuple[Server, Server], send: Callable[[Front], str]
) -> None:
    before_it = [requests(node) for node in nodes]
    upload_id = send(front)
    assert call(front, "GET", f"/uploads/{upload_id}/file").body == DATA
    after = [requests(node) for node in nodes]
    assert all(now > then for now, then in zip(after, before_it, strict=True))  # no affinity


def test_one_connection_serves_many_requests_of_both_nodes(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    before_it = [requests(node, "/uploads/account") for node in nodes]
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        kept = connection.sock
        for _ in range(40):
            connection.request("GET", "/uploads/account")
            response = connection.getresponse()
            assert (response.status, len(response.read()) > 0) == (200, True)
        assert connection.sock is kept
    served = [requests(node, "/uploads/account") for node in nodes]
    shares = [now - then for now, then in zip(served, before_it, strict=True)]
    assert sum(shares) == 40
    assert min(shares) > 4


def test_what_a_client_says_about_itself_is_not_believed(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    told = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "4711",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-IP": "203.0.113.7",
        "Forwarded": "for=203.0.113.7;host=evil.example;proto=https",
        "Upload-Length": "5",
    }
    answer = call(front, "POST", "/uploads/tus/", headers={**tus.VERSION, **told})
    assert answer.headers["Location"].startswith(f"{front.url}/uploads/tus/")
    for node in nodes:
        assert "203.0.113.7" not in node.log.read_text()


def test_bytes_pass_as_they_come_also_of_the_largest_request(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    """5 GiB in one request from a slow client: nothing is gathered, and nothing is too large."""
    upload_id = tus.create(front, 5 * GIB)
    with connect(front) as client:
        client.sendall(tus.patch_head(upload_id, 0, Content_Length=5 * GIB))
        for megabyte in range(3):
            client.sendall(bytes(MIB))
            tus.wait_until_written(nodes[0], upload_id, (megabyte + 1) * MIB)
        for byte in range(5):
            client.sendall(b"x")
            tus.wait_until_written(nodes[0], upload_id, 3 * MIB + byte + 1)
        assert tus.offset(front, upload_id) == 3 * MIB + 5
    tus.delete(front, upload_id)


def test_a_refusal_in_the_middle_of_a_body_arrives(front: Front) -> None:
    upload_id = tus.create(front, 64 * MIB)
    answer = tus.patch(front, upload_id, bytes(16 * MIB), 7)
    assert answer.status == 409


def test_a_client_that_waits_for_100_continue_is_told(
    front: Front, request: pytest.FixtureRequest
) -> None:
    """nginx says 100 by itself; HAProxy asks the node, so a refused body is never sent."""
    upload_id = tus.create(front, 5)
    for start, statuses in ((1, [409]), (0, [204])):
        with connect(front) as client:
            client.sendall(
                tus.patch_head(upload_id, start, Content_Length=5, Expect="100-continue")
            )
            heads = Heads(client)
            said = [heads.next()[0]]
            if said == [100]:
                client.sendall(b"hello")
                said.append(heads.next()[0])
        asked = start == 0 or "nginx" in request.node.name
        assert said == ([100] if asked else []) + statuses


def test_a_resumable_upload_has_one_answer(front: Front) -> None:
    """No 104: through nginx it would be taken for the answer."""
    with connect(front) as client:
        heads = Heads(client)
        for _ in range(2):
            client.sendall(
                head(
                    "POST",
                    "/uploads/",
                    Content_Length=5,
                    Upload_Complete="?1",
                    Upload_Draft_Interop_Version=8,
                )
                + b"hello"
            )
            statuses, answer = heads.final()
            assert (statuses, "upload_id" in answer) == ([200], True)


def test_haproxy_passes_interim_responses_on(tmp_path: Path) -> None:
    """So that behind it they can be switched on."""
    environment = {"CHUNKED_UPLOAD_RESUMABLE_INTERIM_RESPONSES": "1"}
    with (
        Server(tmp_path, environment) as node,
        before("haproxy", tmp_path, [address(node)]) as front,
        connect(front) as client,
    ):
        sent = {"Upload_Complete": "?1", "Upload_Draft_Interop_Version": "8"}
        client.sendall(head("POST", "/uploads/", Content_Length="5", **sent))
        heads = Heads(client)
        status, told = heads.next()
        assert (status, "/uploads/" in told["Location"]) == (104, True)
        client.sendall(b"hello")
        assert heads.final()[0][-1] == 200


def test_long_heads_go_through(front: Front) -> None:
    metadata = {"Upload-Metadata": f"note {'YWFh' * 3000}", "Upload-Length": "5"}
    answer = call(front, "POST", "/uploads/tus/", headers={**tus.VERSION, **metadata})
    assert answer.status == 201


def test_errors_of_nodes_pass_unchanged(front: Front) -> None:
    answer = call(front, "GET", f"/uploads/{'0' * 32}")
    assert (answer.status, answer.json["detail"]) == (404, "Upload not found")


def behind_another(name: str) -> str:
    """Return the configuration with the lines that its comments give for the PROXY protocol."""
    if name == "haproxy":
        text = haproxy.recipe()
        plain, proxied = (line for line in text.splitlines() if "bind :::443" in line)
        return text.replace(proxied, "").replace(plain, proxied.replace("# ", ""))
    text = nginx.recipe("nginx-nodes.conf")
    text = text.replace("    listen 443 ssl;\n", "").replace("    listen [::]:443 ssl;\n", "")
    for line in ("listen 443 ssl proxy_protocol;", "set_real_ip_from ", "real_ip_header "):
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    return text.replace("10.0.0.2;", "127.0.0.1;")


@pytest.mark.parametrize("name", FRONTS)
def test_the_client_s_address_comes_with_the_proxy_protocol(
    name: str, nodes: tuple[Server, Server], tmp_path: Path
) -> None:
    with before(name, tmp_path, [address(node) for node in nodes], behind_another(name)) as front:
        path = f"/uploads/{uuid.uuid4().hex}"
        with connect(front) as client:
            client.sendall(b"PROXY TCP4 198.51.100.9 127.0.0.1 4711 443\r\n")
            client.sendall(head("GET", path, X_Forwarded_For="203.0.113.7"))
            assert read_answer(client).status == 404
        with connect(front) as client, contextlib.suppress(ConnectionError):
            client.sendall(head("GET", f"{path[:-1]}x"))
            assert not client.recv(100).startswith(b"HTTP/1.1 404")
    lines = [line for node in nodes for line in node.log.read_text().splitlines() if path in line]
    assert [json.loads(line)["remote"] for line in lines] == ["198.51.100.9"]


def test_both_files_are_right_as_they_are_but_for_the_certificate(tmp_path: Path) -> None:
    """TLS too, which no other test here has."""
    if shutil.which("openssl") is None:
        skip_without("openssl", install="the package openssl")
    key, certificate, both = (tmp_path / name for name in ("key.pem", "own.pem", "both.pem"))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=uploads.example.com", "-days", "1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_text(certificate.read_text() + key.read_text())
    own = tmp_path / "haproxy.cfg"
    own.write_text(haproxy.recipe().replace("/etc/ssl/uploads.example.com.pem", str(both)))
    checked = subprocess.run(
        [haproxy.program(), "-c", "-f", str(own)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, ""), checked
    site = nginx.recipe("nginx-nodes.conf").replace("/etc/ssl/uploads.example.com.key", str(key))
    site = site.replace("/etc/ssl/uploads.example.com.pem", str(certificate))
    site = site.replace("/var/log/nginx/access.log", str(tmp_path / "access.log"))
    frame = tmp_path / "nginx.conf"
    frame.write_text(f"pid {tmp_path}/pid; events {{ }} http {{ {site} }}")
    command = [nginx.program(), "-t", "-p", str(tmp_path), "-c", str(frame), "-e", "log"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
