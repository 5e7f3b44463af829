"""Run a cluster for a person: ``python -m tests.cluster [--nodes 4] [--balancer nginx]``.

It prints what runs where, and stops everything on Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from tests.cluster.cluster import BALANCERS, Cluster
from tests.support import guard


def main() -> None:
    """Run a cluster until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--nodes", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--balancer", choices=[*BALANCERS], default="nginx")
    options = parser.parse_args()
    guard.die_with_make()
    guard.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = Path(tempfile.mkdtemp(prefix=f"cluster-{os.environ[guard.TAG][:8]}-"))
    try:
        with (
            suppress(KeyboardInterrupt),
            Cluster(directory, nodes=options.nodes, balancer=options.balancer) as cluster,
        ):
            _tell(cluster, options.balancer)
            signal.pause()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _tell(cluster: Cluster, balancer: str) -> None:
    click.echo(f"{balancer:<11} {cluster.url}")
    for node in cluster.nodes:
        click.echo(
            f"{node.name:<11} {node.url}   kill it: kill -9 -- -{node.pid}   log: {node.log}"
        )
    click.echo(f"PostgreSQL  {cluster.database_uri}")
    click.echo(f"versitygw   {cluster.store.url}   bucket {cluster.bucket}")
    click.echo("Ctrl-C stops everything.")


if __name__ == "__main__":
    main()
