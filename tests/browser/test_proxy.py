"""The faults are what they say: what the matrix rests on."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.proxy import Proxy

BODY = bytes(range(256)) * 1000

INTERIM = b"HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /1\r\n\r\n"


class Upstream(ThreadingHTTPServer):
    """Answers each request with the number of bytes it got, and keeps them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        if self.path == "/interim":
            self.wfile.write(INTERIM)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(body)
        answer = str(len(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with Proxy(upstream.server_address[1]) as running:
        yield running


def send(proxy: Proxy, body: bytes = BODY) -> bytes:
    """Send one chunk; returns the answer's body."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    connection.request("POST", "/", body, {"Content-Type": "application/octet-stream"})
    answer = connection.getresponse().read()
    connection.close()
    return answer


def test_without_a_fault_all_goes_through(proxy: Proxy, upstream: Upstream) -> None:
    assert send(proxy) == b"256000"
    assert upstream.got == [BODY]
    proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    [request] = proxy.chunks
    assert (request.received, request.status) == (256000, 200)


def test_a_status_is_known_before_its_client_has_the_whole_answer(proxy: Proxy) -> None:
    for _ in range(50):
        send(proxy)
        assert proxy.chunks[-1].status == 200


def test_a_cut_chunk_arrives_in_part_and_has_no_answer(proxy: Proxy, upstream: Upstream) -> None:
    fault = proxy.cut(1, after=1000)
    send(proxy)
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        send(proxy)
    fault.wait()
    proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    assert [request.received for request in proxy.chunks] == [256000, 1000]
    send(proxy)  # the line is whole again
    assert [got for got in upstream.got if len(got) > 1000] == [BODY, BODY]


def test_interim_responses_go_through_as_they_are(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"POST /interim HTTP/1.1\r\nContent-Length: 1\r\n\r\na")
        answer = connection.makefile("rb").read()
    assert answer.startswith(INTERIM + b"HTTP/1.0 200 OK\r\n")
    assert proxy.requests[0].status == 200


def test_of_a_lost_reply_the_server_knows_nothing(proxy: Proxy, upstream: Upstream) -> None:
    fault = proxy.lose_reply()
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        send(proxy)
    fault.wait()
    assert upstream.got == [BODY]
    assert proxy.chunks[0].status == 200


def test_a_held_chunk_stops_in_its_middle_until_released(proxy: Proxy, upstream: Upstream) -> None:
    fault = proxy.hold()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send, proxy)
        fault.wait()
        assert upstream.got == []
        assert not sending.done()
        fault.release()
        assert sending.result(60) == b"256000"
    assert upstream.got == [BODY]


def test_a_held_chunk_whose_client_hangs_up_ends_when_it_is_released(
    proxy: Proxy, upstream: Upstream
) -> None:
    fault = proxy.hold(after=1000)
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 256000\r\n\r\n" + BODY[:2000])
        fault.wait()
    fault.finish()
    proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    assert proxy.chunks[0].received == 2000


def test_a_server_that_is_not_there_is_counted() -> None:
    with Proxy(1) as proxy:
        with pytest.raises((ConnectionError, http.client.BadStatusLine)):
            send(proxy)
        proxy.wait(lambda proxy: proxy.refused == 1)
