"""How long a newcomer waits for a hanging request, and what a killed server costs.

``python -m benchmarks.takeover`` prints two tables. In the first, a PATCH stalls in the middle of
its body; another request for the same upload is timed until its answer: at the same worker, at
another worker, and at another server that shares storage and database. In the second, the server is
killed while a long PATCH is under way: what was written and not recorded has to be sent again.
"""

from __future__ import annotations

import argparse
import http.client
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.server import tus
from tests.server.client import connect, head, read_answer
from tests.support import postgres
from tests.support.server import Server

#: What arrives of the older request, and what it declares.
ARRIVED, DECLARED = bytes(range(256)) * 2000, 10_000_000

#: More than a PATCH sends until its server is killed.
LONG = 64 * 2**30


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=150, help="how often each case (150)")
    parser.add_argument("--kills", type=int, default=20, help="how often the server dies (20)")
    options = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="takeover-")))
        cluster = stack.enter_context(postgres.cluster(fsync=True))
        print("| newcomer | at | database | median, ms | worst, ms |\n|---|---|---|---:|---:|")
        for database, uri in [("SQLite", ""), ("PostgreSQL", cluster.fresh_database())]:
            with _two_servers(place / database, uri) as servers:
                _take_over(servers, database, options.rounds)
        print("\n| sender | written, MiB | sent again, MiB: median | worst |\n|---|---:|---:|---:|")
        with _server(place, place / "instance", "") as server:
            for name, rate in [("as fast as it can", 0), ("10 MiB/s", 10), ("1 MiB/s", 1)]:
                _kill(server, name, rate, options.kills)


def _server(directory: Path, instance: Path, uri: str) -> Server:
    environment = {"WORKERS": "2", "CHUNKED_UPLOAD_INSTANCE": str(instance)}
    if uri:
        environment["CHUNKED_UPLOAD_DATABASE_URI"] = uri
    directory.mkdir(exist_ok=True)
    server = Server(directory, environment)
    server.instance = instance
    return server


@contextmanager
def _two_servers(place: Path, uri: str) -> Iterator[list[Server]]:
    """Run two servers of two workers each, with the same storage and database."""
    place.mkdir()
    with ExitStack() as stack:
        yield [
            stack.enter_context(_server(place / name, place / "instance", uri))
            for name in ("first", "second")
        ]


# Takeover


def _take_over(servers: list[Server], database: str, rounds: int) -> None:
    first, second = servers
    for newcomer, ask in NEWCOMERS.items():
        for where, server in [
            ("the same worker", first),
            ("another worker", first),
            ("another server", second),
        ]:
            took = [_round(first, server, where, ask) for _ in range(rounds)]
            middle, worst = statistics.median(took), max(took)
            print(f"| {newcomer} | {where} | {database} | {middle:.1f} | {worst:.1f} |", flush=True)


Ask = Callable[[str], tuple[bytes, int]]


def _round(first: Server, server: Server, where: str, ask: Ask) -> float:
    """Let a PATCH hang, and time the newcomer; return milliseconds."""
    upload_id = tus.create(first, DECLARED)
    request, status = ask(upload_id)
    with ExitStack() as stack:
        older = stack.enter_context(tus.hanging(first, upload_id, ARRIVED, declared=DECLARED))
        wanted = {"the same worker": True, "another worker": False}.get(where)
        newer = stack.enter_context(_connection(first, server, older, same=wanted))
        began = time.perf_counter()
        newer.sendall(request)
        method = request.split(b" ")[0].decode()
        answer = http.client.HTTPResponse(newer, method=method)
        answer.begin()
        took = (time.perf_counter() - began) * 1000
        assert answer.status == status, answer.status
        if method == "HEAD":
            assert answer.headers["Upload-Offset"] == str(len(ARRIVED)), answer.headers
    return took


@contextmanager
def _connection(
    first: Server, server: Server, older: socket.socket, *, same: bool | None
) -> Iterator[socket.socket]:
    """Connect to the worker that serves the older request, or to another one."""
    while True:
        with connect(server) as connection:
            connection.sendall(head("GET", "/healthz"))
            assert read_answer(connection).status == 200
            if same is None or same == (_owner(first, older) == _owner(server, connection)):
                yield connection
                return


def _owner(server: Server, client: socket.socket) -> int:
    """Return the worker that has the server's end of a connection."""
    ends = [f"{server.port:04X}", f"{client.getsockname()[1]:04X}"]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [field.partition(":")[2] for field in fields[1:3]] == ends:
            name = f"socket:[{fields[9]}]"
            return next(pid for pid in server.workers() if name in _open_files(pid))
    raise LookupError("the server has no such connection")


def _open_files(pid: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return found


def _tus_head(upload_id: str) -> tuple[bytes, int]:
    return head("HEAD", f"/uploads/tus/{upload_id}", Tus_Resumable="1.0.0"), 200


def _tus_patch(upload_id: str) -> tuple[bytes, int]:
    return tus.patch_head(upload_id, len(ARRIVED), Content_Length=1000) + bytes(1000), 204


def _resumable_head(upload_id: str) -> tuple[bytes, int]:
    return head("HEAD", f"/uploads/{upload_id}"), 200


def _resumable_patch(upload_id: str) -> tuple[bytes, int]:
    sent = {"Upload_Complete": "?0", "Content_Type": "application/partial-upload"}
    path, offset = f"/uploads/{upload_id}", len(ARRIVED)
    return head("PATCH", path, Upload_Offset=offset, Content_Length=1000, **sent) + bytes(1000), 204


def _progress(upload_id: str) -> tuple[bytes, int]:
    return head("GET", f"/uploads/{upload_id}"), 200


NEWCOMERS: dict[str, Ask] = {
    "tus HEAD": _tus_head,
    "tus PATCH": _tus_patch,
    "IETF HEAD": _resumable_head,
    "IETF PATCH": _resumable_patch,
    "GET (takes nothing over)": _progress,
}


# A killed server


def _kill(server: Server, name: str, rate: int, kills: int) -> None:
    written, again = [], []
    for _ in range(kills):
        upload_id = tus.create(server, LONG)
        with connect(server) as client:
            client.sendall(tus.patch_head(upload_id, 0, Content_Length=LONG))
            sending = threading.Thread(target=_send, args=(client, rate), daemon=True)
            sending.start()
            time.sleep(random.uniform(1.5, 4))
            server.kill()
            sending.join()
        part = server.root / ".incoming" / upload_id[:2] / f"{upload_id}.part"
        end = part.stat().st_size
        server.start()
        written.append(end / 2**20)
        again.append((end - tus.offset(server, upload_id)) / 2**20)
        tus.delete(server, upload_id)
    middle = statistics.median(again)
    print(
        f"| {name} | {statistics.median(written):,.0f} | {middle:.1f} | {max(again):.1f} |",
        flush=True,
    )


def _send(client: socket.socket, rate: int) -> None:
    """Send until the connection breaks; so many MiB in a second, or as fast as it takes them."""
    piece = bytes(64 * 1024)
    with suppress(OSError):
        while True:
            client.sendall(piece)
            if rate:
                time.sleep(len(piece) / (rate * 2**20))


if __name__ == "__main__":
    main()
