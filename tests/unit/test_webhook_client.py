"""What posts to webhooks trusts nothing about them: their addresses, their answers, their time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from chunked_upload.webhooks import client
from chunked_upload.webhooks.addresses import AddressRefused, resolve
from chunked_upload.webhooks.client import WebhookFailed, post
from chunked_upload.webhooks.signing import signed_headers
from tests.support.receiver import LOOPBACK, NEW_SECRET, SECRET, Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def posted(receiver: Receiver, seconds: float = 5) -> client.Answer:
    return post(receiver.url, b"{}", {"x-test": "1"}, networks=[LOOPBACK], seconds=seconds)


def test_a_message_arrives_as_it_was_sent(receiver: Receiver) -> None:
    receiver.status, receiver.body = 201, b"thanks"
    assert posted(receiver) == client.Answer(201, b"thanks")
    [received] = receiver.received
    assert (received.body, received.headers["x-test"]) == (b"{}", "1")
    assert received.headers["Content-Type"] == "application/json"


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    assert posted(receiver).status == 307
    assert len(receiver.received) == 1


def test_a_target_that_hangs_costs_the_time_that_it_may_take(receiver: Receiver) -> None:
    receiver.answer = lambda stream: time.sleep(1)
    began = time.monotonic()
    with pytest.raises(WebhookFailed, match=r"no answer within 0\.3 seconds"):
        posted(receiver, seconds=0.3)
    assert time.monotonic() - began < 1


def test_a_target_that_drips_bytes_costs_no_more(receiver: Receiver) -> None:
    def drip(stream: Any) -> None:
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10:
                stream.write(bytes([byte]))
                time.sleep(0.05)

    receiver.answer = drip
    began = time.monotonic()
    with pytest.raises(WebhookFailed, match="no answer within"):
        posted(receiver, seconds=0.3)
    assert time.monotonic() - began < 1


def test_of_a_gibibyte_a_few_kib_are_read(receiver: Receiver) -> None:
    sent = 0

    def flood(stream: Any) -> None:
        nonlocal sent
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        with suppress(OSError):
            for _ in range(1024):
                sent += stream.write(bytes(2**20))

    receiver.answer = flood
    answer = posted(receiver)
    assert (answer.status, len(answer.body)) == (200, 8 * 1024)
    assert sent < 64 * 2**20  # what buffers between the two took


def test_a_head_without_end_is_not_read_to_its_end(receiver: Receiver) -> None:
    def flood(stream: Any) -> None:
        with suppress(OSError):
            stream.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(90):
                stream.write(b"X-%d: %s\r\n" % (number, b"y" * 60_000))

    receiver.answer = flood
    with pytest.raises(WebhookFailed, match="too long"):
        posted(receiver)


@pytest.mark.parametrize("said", [b"", b"hello\r\n\r\n", b"HTTP/1.1 99999 no\r\n\r\n"])
def test_what_is_no_answer_is_a_failure(receiver: Receiver, said: bytes) -> None:
    receiver.answer = lambda stream: stream.write(said)
    with pytest.raises(WebhookFailed):
        posted(receiver)


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WebhookFailed, match="refused"):
        post(f"http://127.0.0.1:{port}/", b"", {}, networks=[LOOPBACK], seconds=5)


NOT_PUBLIC = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1:a00:1::8.8.8.8",  # RFC 8215: of a local network, which says where the address is
    "::ffff:0:10.0.0.1",
    "100::1",
    "fec0::1",
    "2001:db8::1",
    "2001:0:a00:1::f5ff:fffe",
    "2002:7f00:1::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        resolve(address, 80, networks=[], seconds=5)


@pytest.mark.parametrize("written", ["2130706433", "0x7f.1", "127.1", "localhost"])
def test_this_host_is_refused_however_it_is_written(written: str) -> None:
    with pytest.raises(AddressRefused):
        resolve(written, 80, networks=[], seconds=5)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_taken(address: str) -> None:
    assert resolve(address, 80, networks=[], seconds=5) == [address]


def test_a_network_of_the_settings_is_allowed_and_nothing_beside_it() -> None:
    assert resolve("10.1.2.3", 80, networks=["10.1.0.0/16"], seconds=5) == ["10.1.2.3"]
    assert resolve("::1", 80, networks=["::1/128"], seconds=5) == ["::1"]
    with pytest.raises(AddressRefused):
        resolve("10.2.2.3", 80, networks=["10.1.0.0/16"], seconds=5)


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(AddressRefused):
        resolve("app.example.org", 80, networks=[], seconds=5)


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A name server that answers differently the second time changes nothing (DNS rebinding)."""
    asked = answer_with(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    url = f"http://app.example.org:{receiver.port}/hook"
    assert post(url, b"", {}, networks=["127.0.0.1/32"], seconds=5).status == 200
    assert asked == ["app.example.org"]
    assert receiver.received[0].headers["Host"] == f"app.example.org:{receiver.port}"


def test_a_name_server_that_hangs_costs_the_time_that_the_target_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enough = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        enough.wait()
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(WebhookFailed, match="no answer within"):
        post("http://app.example.org/", b"", {}, networks=[], seconds=0.1)
    enough.set()


def test_receivers_know_a_message_by_the_old_and_the_new_secret() -> None:
    body = b'{"type": "upload.completed"}'
    seconds = int(time.time())
    headers = signed_headers("evt_1", body, seconds=seconds, secrets=[NEW_SECRET, SECRET])
    for secret in (SECRET, NEW_SECRET):
        assert Webhook(secret).verify(body, headers) == {"type": "upload.completed"}
    assert len(headers["webhook-signature"].split()) == 2


def answer_with(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names mean these addresses, one list after another; return what was asked for."""
    real, left, asked = socket.getaddrinfo, list(answers), list[str]()

    def answer(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host[0].isdigit():
            return real(host, port, *arguments, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked
