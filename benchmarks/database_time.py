"""What a chunk costs PostgreSQL, and the nodes.

``python -m benchmarks.database_time`` prints processor time a chunk of 64 KiB: with the bytes on a
disk, and in a store with chunks that come to one node or to two in turns. Machines that do other
things make the times longer by little, since nobody waits in them.
"""

from __future__ import annotations

import argparse
import http.client
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.support import postgres, s3
from tests.support.concurrency import at_once
from tests.support.server import Server

CHUNK = bytes(range(256)) * 256

_TICKS = os.sysconf("SC_CLK_TCK")
#: Fields of /proc/PID/stat behind the name: user and system time, also of children that ended.
_TIMES = slice(11, 15)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chunks", type=int, default=600, help="chunks a run (600)")
    parser.add_argument("--clients", type=int, default=4, help="clients at once (4)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each case, in turns (3)")
    options = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="database-time-")))
        cluster = stack.enter_context(postgres.cluster(fsync=True))
        (place / "versitygw").mkdir()
        store = stack.enter_context(s3.versitygw(place / "versitygw"))
        in_store = {
            "CHUNKED_UPLOAD_STORAGE": f"s3://{store.bucket()}",
            "CHUNKED_UPLOAD_S3_ENDPOINT": store.url,
        }
        disk = [_server(place / "disk", cluster.fresh_database(), {}, stack)]
        both = [
            _server(place / name, cluster.another_database("nodes"), in_store, stack)
            if name == "first"
            else _server(
                place / name, cluster.uri.replace("/postgres?", "/nodes?"), in_store, stack
            )
            for name in ("first", "second")
        ]
        cases = {"disk": disk, "store, one node": both[:1], "store, two nodes in turns": both}
        print("| bytes in | PostgreSQL, ms a chunk | nodes, ms a chunk |\n|---|---:|---:|")
        for run in range(options.runs + 1):
            for name, servers in cases.items():
                costs = _cost(cluster, servers, options.chunks, options.clients)
                if run:  # the first one warms up
                    print(f"| {name} | {costs[0]:.2f} | {costs[1]:.2f} |", flush=True)


def _server(directory: Path, uri: str, more: dict[str, str], stack: ExitStack) -> Server:
    directory.mkdir()
    environment = {"CHUNKED_UPLOAD_DATABASE_URI": uri, **more}
    return stack.enter_context(Server(directory, environment))


def _cost(
    cluster: postgres.Cluster, servers: Sequence[Server], chunks: int, clients: int
) -> tuple[float, float]:
    """Send chunks; return the processor time of the database and of the nodes, in ms a chunk."""
    main = int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])
    databases, nodes = [main], [server.pid for server in servers]
    before = _seconds(databases), _seconds(nodes)
    at_once(clients, lambda _: _send(servers, chunks // clients))
    after = _seconds(databases), _seconds(nodes)
    took = [1000 * (later - earlier) / chunks for earlier, later in zip(before, after, strict=True)]
    return took[0], took[1]


def _send(servers: Sequence[Server], chunks: int) -> None:
    """Send an upload's chunks to the servers in turns."""
    connections = [http.client.HTTPConnection("127.0.0.1", server.port) for server in servers]
    total, url = (chunks + 1) * len(CHUNK), "/uploads/?filename=file"
    for nth in range(chunks):
        start = nth * len(CHUNK)
        connection = connections[nth % len(connections)]
        headers = {"Content-Range": f"bytes {start}-{start + len(CHUNK) - 1}/{total}"}
        connection.request("PUT" if nth else "POST", url, CHUNK, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {told.decode()}")
        if not nth:
            url = f"/uploads/{told.split(b'upload_id')[1].split(bytes([34]))[2].decode()}"


def _seconds(processes: list[int]) -> float:
    """Return the processor time of processes and of all below them."""
    spent, left = 0, list(processes)
    while left:
        process = left.pop()
        try:
            stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        except OSError:  # it has just ended, and counts as its parent's
            continue
        spent += sum(map(int, stat[_TIMES]))
        left += map(int, children)
    return spent / _TICKS


if __name__ == "__main__":
    main()
