"""A real PostgreSQL of the tests' own: a cluster in a temporary directory, on a Unix socket.

PostgreSQL refuses to run as root, so then it runs as the user ``postgres`` of Debian's package.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from tests.support import guard


def find_programs() -> Path | None:
    """Return the directory with initdb and pg_ctl, or None when PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return Path(found[-1]).parent if found else None


class Cluster:
    """A running server; ``uri`` is SQLAlchemy's."""

    def __init__(self, directory: Path, *, fsync: bool = False) -> None:
        programs = find_programs()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._programs = programs
        self.directory = directory
        self._data = directory / "data"
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "tests", "--no-sync", "-D", str(self._data))
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{directory}'\n")
            conf.write(f"max_connections = 200\nfsync = {'on' if fsync else 'off'}\n")
        self.uri = f"postgresql+psycopg://tests@/postgres?host={directory}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is as if it crashed."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop", check=False)

    def fresh_database(self) -> str:
        """Empty the database and return its URI."""
        engine = create_engine(self.uri, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        return self.uri

    def another_database(self, name: str) -> str:
        """Make an empty database beside the usual one and return its URI."""
        engine = create_engine(self.uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return self.uri.replace("/postgres?", f"/{name}?")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # Not captured: the server inherits the pipes and would keep them open.
        subprocess.run(
            command, check=check, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextmanager
def cluster(*, fsync: bool = False) -> Iterator[Cluster]:
    """Run a cluster for as long as the block lasts."""
    # A short path: the name of a Unix socket holds about a hundred characters. The tag is for the
    # guard, which removes what a killed run leaves.
    directory = Path(
        tempfile.mkdtemp(prefix=f"pg-{os.environ.get(guard.TAG, '')[:8]}-", dir="/tmp")
    )
    try:
        server = Cluster(directory, fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
