"""A real PostgreSQL of the tests' own: a cluster in a temporary directory, on a Unix socket.

PostgreSQL refuses to run as root, so then it runs as the user ``postgres`` of Debian's package.
"""

from __future__ import annotations

import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from tests.support import guard
from tests.support.ports import free_port


def find_programs() -> Path | None:
    """Return the directory with initdb and pg_ctl, or None when PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent  # it may be a link to one of many
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return Path(found[-1]).parent if found else None


class Cluster:
    """A running server; ``uri`` is SQLAlchemy's.

    :param host: an address to listen on, besides the Unix socket; ``uri`` has it then.
    """

    def __init__(self, directory: Path, *, fsync: bool = False, host: str | None = None) -> None:
        programs = find_programs()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed")
        self._programs = programs
        self._real = (programs / "initdb").resolve().parent
        self.directory = directory
        self._data = directory / "data"
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        self.host = host
        self.port = free_port() if host else 5432
        self._fsync = fsync
        self.uri = f"postgresql+psycopg://tests@/postgres?host={directory}"
        if host:
            self.uri = f"postgresql+psycopg://tests@{host}:{self.port}/postgres"
        # One connection for all tests: a new one takes as long as what it is for.
        self._engine = create_engine(self.uri, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self._make()

    def _make(self) -> None:
        """Make an empty cluster."""
        self._run("initdb", "-A", "trust", "-U", "tests", "--no-sync", "-D", str(self._data))
        with (self._data / "pg_hba.conf").open("a") as access:
            access.write("host all,replication all all trust\n")
        self._configure()

    def _configure(self, **settings: str) -> None:
        """Set what this cluster has of its own, and more settings, for the next start."""
        own = {
            "unix_socket_directories": str(self.directory),
            "listen_addresses": self.host or "",
            "port": str(self.port),
            "max_connections": "200",
            # Dropping a table looks through all of them, and each test drops its tables.
            "shared_buffers": "16MB",
            "fsync": "on" if self._fsync else "off",
        }
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in (own | settings).items())

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is as if it crashed."""
        self._engine.dispose()
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop", check=False)

    def kill(self) -> None:
        """SIGKILL the server with all of its processes, as when its host loses power."""
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)  # or it would start others
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_runs(process) for process in processes):
            time.sleep(0.005)
        # Nobody may have waited for it yet, so that its number would still be taken.
        for lock in (self._data / "postmaster.pid", *self.directory.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def fresh_database(self) -> str:
        """Empty the database and return its URI."""
        with self._engine.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        return self.uri

    def another_database(self, name: str) -> str:
        """Make an empty database beside the usual one and return its URI."""
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return make_url(self.uri).set(database=name).render_as_string()

    def dump(self, uri: str, file: Path) -> None:
        """Dump a database with pg_dump, in its custom format."""
        with file.open("wb") as content:
            command = self._command("pg_dump", "-Fc", *self._place(uri))
            subprocess.run(command, check=True, cwd="/", stdout=content)

    def restore(self, uri: str, file: Path) -> None:
        """Restore a dump into an empty database with pg_restore."""
        with file.open("rb") as content:
            command = self._command("pg_restore", "--exit-on-error", *self._place(uri))
            subprocess.run(command, check=True, cwd="/", stdin=content)

    def _place(self, uri: str) -> list[str]:
        return ["-h", str(self.directory), "-U", "tests", "-d", str(make_url(uri).database)]

    def _command(self, program: str, *arguments: str) -> list[str]:
        # A link to initdb need not have the others beside it.
        directory = self._programs if (self._programs / program).exists() else self._real
        command = [str(directory / program), *arguments]
        return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = self._command(program, *arguments)
        # Not captured: the server inherits the pipes and would keep them open.
        subprocess.run(
            command, check=check, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@contextmanager
def cluster(*, fsync: bool = False, host: str | None = None) -> Iterator[Cluster]:
    """Run a cluster for as long as the block lasts."""
    with own_directory() as directory:
        server = Cluster(directory, fsync=fsync, host=host)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def own_directory() -> Iterator[Path]:
    """Make a directory for a cluster, for as long as the block lasts."""
    # A short path: the name of a Unix socket holds about a hundred characters. The tag is for the
    # guard, which removes what a killed run leaves.
    directory = Path(
        tempfile.mkdtemp(prefix=f"pg-{os.environ.get(guard.TAG, '')[:8]}-", dir="/tmp")
    )
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
