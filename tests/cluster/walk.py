"""The walk: a large file arrives while the node that receives it is killed, again and again.

    python -m tests.cluster.walk [--size 5120] [--kills 2]

Two nodes behind nginx with ``deploy/nginx-nodes.conf``, PostgreSQL and versitygw;
``examples/upload.sh`` sends the file, and is started once. Printed are the seconds since its start.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tests.cluster.cluster import BALANCERS, Cluster
from tests.cluster.node import Node
from tests.support import guard, nginx

MIB = 2**20

UPLOAD_SH = nginx.ROOT / "examples" / "upload.sh"

#: How long a killed node is away.
_AWAY_SECONDS = 1

#: Over how long the nodes' work is compared, to find the one that receives.
_COMPARED_SECONDS = 0.4

_TICKS = os.sysconf("SC_CLK_TCK")

Say = Callable[[str], None]


def walk(
    cluster: Cluster,
    directory: Path,
    *,
    size: int,
    kills: int,
    chunk: str,
    rate: str = "",
    say: Say,
) -> None:
    """Upload a file through the balancer and kill the node that receives it, spread over the file.

    :param directory: where the file is made and removed.
    :param size: of the file, in bytes.
    :param chunk: of a request, as ``upload.sh`` takes it.
    :param rate: most bytes in a second, as curl takes it; a small file would be there too soon.
    :param say: gets what happens.
    :raises AssertionError: when the upload fails, or what is stored is another file.
    """
    file = directory / "walk.bin"
    wanted = make_file(file, size)
    began = time.monotonic()

    def tell(text: str) -> None:
        say(f"{time.monotonic() - began:7.1f} s  {text}")

    tell(f"upload.sh sends {size / MIB:,.0f} MiB, MD5 {wanted}, in chunks of {chunk}")
    (directory / ".curlrc").write_text(f"limit-rate = {rate}\n" if rate else "")
    with (
        (directory / "upload.log").open("wb") as log,
        subprocess.Popen(
            ["bash", str(UPLOAD_SH), str(file), f"{cluster.url}/uploads/"],
            env={**os.environ, "CHUNK": chunk, "CURL_HOME": str(directory)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            for number in range(1, kills + 1):
                reached = wait_for(cluster, file, process, size * number // (kills + 1))
                node = busiest(cluster.nodes)
                node.kill()
                tell(f"{reached / MIB:,.0f} MiB are acknowledged; kill -9 of {node.name}")
                time.sleep(_AWAY_SECONDS)
                node.start()
                tell(f"{node.name} is back, at {offset(cluster, file) / MIB:,.0f} MiB")
            said, _ = process.communicate(timeout=3600)
        finally:
            process.kill()
    assert process.returncode == 0, (directory / "upload.log").read_text()[-2000:]
    tell(said.strip())
    stored = md5_of_url(said.split()[-1])
    tell(f"MD5 of the file that is downloaded: {stored}")
    assert stored == wanted
    file.unlink()


def make_file(file: Path, size: int) -> str:
    """Make a file of which no two MiB are the same; return its MD5."""
    block, md5 = os.urandom(MIB), hashlib.md5(usedforsecurity=False)
    with file.open("wb") as out:
        for start in range(0, size, MIB):
            piece = (start.to_bytes(8, "big") + block[8:])[: size - start]
            out.write(piece)
            md5.update(piece)
    return md5.hexdigest()


def wait_for(cluster: Cluster, file: Path, process: subprocess.Popen[str], least: int) -> int:
    """Wait until so many bytes are acknowledged; return how many are."""
    while True:
        assert process.poll() is None, "the upload has ended before a node was killed"
        reached = offset(cluster, file)
        if reached >= least:
            return reached
        time.sleep(0.1)


def offset(cluster: Cluster, file: Path) -> int:
    """Return how much is acknowledged, as another client is told through the balancer."""
    state = Path(f"{file}.upload")
    if not state.exists():
        return 0
    upload_id = state.read_text().split()[0]
    with urllib.request.urlopen(f"{cluster.url}/uploads/{upload_id}", timeout=60) as answer:
        return int(json.load(answer)["offset"])


def busiest(nodes: list[Node]) -> Node:
    """Return the node that computes most at the moment: the one that receives the chunk."""
    before = [work(node) for node in nodes]
    time.sleep(_COMPARED_SECONDS)
    done = [work(node) - then for node, then in zip(nodes, before, strict=True)]
    return nodes[done.index(max(done))]


def work(node: Node) -> float:
    """Return the seconds of processor time that a node's processes have had."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in node.pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS


def md5_of_url(url: str) -> str:
    """Download a file; return its MD5."""
    md5 = hashlib.md5(usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=300) as answer:
        for piece in pieces(answer):
            md5.update(piece)
    return md5.hexdigest()


def pieces(answer: object) -> Iterator[bytes]:
    """Yield a download in pieces."""
    while piece := answer.read(MIB):  # type: ignore[attr-defined]
        yield piece


def main() -> None:
    """Run it on a cluster of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.walk")
    parser.add_argument("--size", type=int, default=5120, help="MiB (default: 5120)")
    parser.add_argument("--kills", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--chunk", default="64M", help="of a request (default: 64M)")
    parser.add_argument("--balancer", choices=[*BALANCERS], default="nginx")
    options = parser.parse_args()
    guard.die_with_make()
    guard.start()
    directory = Path(tempfile.mkdtemp(prefix=f"walk-{os.environ[guard.TAG][:8]}-"))
    try:
        with Cluster(directory, nodes=2, balancer=options.balancer) as cluster:
            walk(
                cluster,
                directory,
                size=options.size * MIB,
                kills=options.kills,
                chunk=options.chunk,
                say=click.echo,
            )
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
