"""Webhooks by https: the connection goes to a checked address, the certificate is the name's."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chunked_upload.webhooks.client import WebhookFailed, post
from tests.support.missing import skip_without
from tests.support.receiver import LOOPBACK, Receiver, receiving
from tests.unit.test_webhook_client import answer_with

NAME = "app.example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of app.example.org, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        skip_without("openssl", install="the package openssl")
    place = tmp_path_factory.mktemp("tls")
    made, key = place / "certificate.pem", place / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-out", str(made), "-keyout", str(key)]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)
    return made, key


class Secure:
    """A receiver by https, and the names that its clients have asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str | None] = []


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[Secure]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # clients that do not trust the certificate
                super().handle()

    running = Secure()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda connection, name, context: running.asked.append(name)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        running.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def posted(secure: Secure, name: str = NAME) -> int:
    url = f"https://{name}:{secure.port}/hook"
    return post(url, b"{}", {}, networks=[LOOPBACK], seconds=10).status


def test_the_name_is_asked_for_and_the_certificate_is_its(
    secure: Secure, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    answer_with(monkeypatch, ["127.0.0.1"])
    assert posted(secure) == 204
    assert secure.asked == [NAME]


def test_a_certificate_of_another_name_is_refused(
    secure: Secure, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    answer_with(monkeypatch, ["127.0.0.1"])
    with pytest.raises(WebhookFailed, match="Hostname mismatch"):
        posted(secure, "other.example.org")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, ["127.0.0.1"])
    with pytest.raises(WebhookFailed, match="self-signed"):
        posted(secure)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url, b"{}", {}, networks=[LOOPBACK], seconds=5).status == 200


@pytest.mark.parametrize(
    "host", ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fd00::1]", "[64:ff9b::7f00:1]"]
)
def test_an_ipv6_address_in_a_url_is_checked_as_any_other(host: str) -> None:
    with pytest.raises(WebhookFailed, match="not public"):
        post(f"http://{host}/hook", b"{}", {}, networks=[], seconds=5)
