"""Nodes that die, stop or are taken out behind nginx and HAProxy: what clients get meanwhile."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.server import tus
from tests.server.balancing import FRONTS, Front, address, before, requests
from tests.server.client import Answer, call, connect, create, read_answer
from tests.server.waiting import eventually
from tests.support.haproxy import HAProxy
from tests.support.server import Server

DATA = hashlib.shake_256(b"lost").digest(300_000)


@pytest.fixture
def nodes(nodes: tuple[Server, Server]) -> tuple[Server, Server]:
    """Both nodes, running again where an earlier test has ended one."""
    for node in nodes:
        if not node.running:
            node.start()
    return nodes


@pytest.fixture(params=FRONTS)
def front(
    request: pytest.FixtureRequest, nodes: tuple[Server, Server], tmp_path: Path
) -> Iterator[Front]:
    """A balancer of the test's own, which takes both nodes for well."""
    with before(request.param, tmp_path, [address(node) for node in nodes]) as running:
        yield running


@contextmanager
def under_way(front: Front, on: Server, beside: Server) -> Iterator[Append]:
    """Have one node receive a request, which has sent half of its bytes."""
    front.drain(address(beside))
    append = Append(front)
    with append:
        tus.wait_until_written(on, append.upload_id, append.half)
        front.drain()
        yield append


class Append:
    """A PATCH of tus with all of DATA, on a connection of its own."""

    half = len(DATA) // 2

    def __init__(self, front: Front) -> None:
        self.upload_id = tus.create(front, len(DATA))
        self._stack = ExitStack()
        self._front = front

    def __enter__(self) -> Append:
        self._client = self._stack.enter_context(connect(self._front))
        head = tus.patch_head(self.upload_id, 0, Content_Length=len(DATA))
        self._client.sendall(head + DATA[: self.half])
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def finish(self) -> Answer:
        """Send the rest, and read the answer."""
        self._client.sendall(DATA[self.half :])
        return self.answer()

    def answer(self) -> Answer:
        """Read the answer."""
        return read_answer(self._client)


def test_nobody_notices_a_node_that_is_gone(front: Front, nodes: tuple[Server, Server]) -> None:
    nodes[0].kill()
    for _ in range(20):
        create(front, DATA[:10], len(DATA))


def test_an_upload_goes_on_when_the_node_that_receives_it_is_killed(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    with under_way(front, *nodes) as append:
        nodes[0].kill()
        said = append.answer()
    assert (said.status, said.headers["Retry-After"]) == (502, "1")
    assert "ask for the offset and resume" in said.json["detail"]
    offset = tus.offset(front, append.upload_id)
    assert 0 <= offset <= append.half
    assert tus.patch(front, append.upload_id, DATA[offset:], offset).status == 204
    assert call(front, "GET", f"/uploads/{append.upload_id}/file").body == DATA


def test_a_drained_node_finishes_what_it_has_and_gets_nothing_new(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    with under_way(front, *nodes) as append:
        front.drain(address(nodes[0]))
        then = requests(nodes[0], "/uploads/account")
        for _ in range(20):
            assert call(front, "GET", "/uploads/account").status == 200
        assert requests(nodes[0], "/uploads/account") == then
        assert append.finish().status == 204


def test_a_node_that_is_told_to_stop_costs_nobody_a_request(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    """Without draining it first: what is under way ends, what is new goes to the other one."""
    with under_way(front, *nodes) as append:
        nodes[0].terminate()
        for _ in range(40):
            create(front, DATA[:10], len(DATA))
        assert append.finish().status == 204
        assert nodes[0].wait() == 0


def test_without_any_node_the_client_is_told_to_try_again(
    front: Front, nodes: tuple[Server, Server]
) -> None:
    for node in nodes:
        node.kill()
    answer = call(front, "POST", "/uploads/?filename=a", DATA)
    assert answer.status in (502, 503)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["detail"] == answer.json["error"]


class Dying(http.server.BaseHTTPRequestHandler):
    """A node that takes whole requests, and is gone before it answers; well, as far as it says."""

    healthy = True

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.send_response(200 if self.healthy else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._die()

    def do_POST(self) -> None:
        self._die()

    def do_PUT(self) -> None:
        self._die()

    def do_DELETE(self) -> None:
        self._die()

    def do_PATCH(self) -> None:
        self._die()

    def _die(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(self.command)  # type: ignore[attr-defined]
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Sick(Dying):
    """A node whose database or storage does not answer."""

    healthy = False


@contextmanager
def stand_in(handler: type[Dying]) -> Iterator[tuple[str, list[str]]]:
    """Start a node that is none of ours; yield its address and the requests it has seen."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", server.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_a_node_has_begun_is_not_sent_to_another(
    name: str, method: str, tmp_path: Path
) -> None:
    with (
        stand_in(Dying) as (one, seen),
        stand_in(Dying) as (two, also),
        before(name, tmp_path, [one, two]) as front,
    ):
        answer = call(front, method, "/uploads/a.bin", DATA)
    assert answer.status == 502
    assert seen + also == [method]


@pytest.mark.parametrize(
    ("name", "method"), [("nginx", "GET"), ("haproxy", "GET"), ("nginx", "DELETE")]
)
def test_what_may_be_repeated_is_sent_to_another_node(
    name: str, method: str, tmp_path: Path
) -> None:
    with (
        stand_in(Dying) as (one, seen),
        stand_in(Dying) as (two, also),
        before(name, tmp_path, [one, two]) as front,
    ):
        assert call(front, method, "/uploads/").status == 502
    assert (len(seen) > 0, len(also) > 0) == (True, True)


def test_haproxy_sends_nothing_to_a_node_that_is_not_well(
    nodes: tuple[Server, Server], tmp_path: Path
) -> None:
    well = address(nodes[0])
    with stand_in(Sick) as (sick, seen), before("haproxy", tmp_path, [well, sick]) as front:
        assert isinstance(front, HAProxy)
        eventually(lambda: front.well() == [well])
        seen.clear()
        for _ in range(10):
            assert call(front, "GET", "/uploads/account").status == 200
        assert seen == []
