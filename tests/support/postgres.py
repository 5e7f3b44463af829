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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, create_engine, make_url, text

from tests.support import guard
from tests.support.initdb import make_files
from tests.support.ports import free_port


def find_programs() -> Path | None:
    """Return the directory with initdb and pg_ctl, or None when PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent  # it may be a link to one of many
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return Path(found[-1]).parent if found else None


#: What is in the schema ``public``: each row has a new ``xmin`` when it was changed.
_STATE = """
WITH relations AS (SELECT oid, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT string_agg(state, ' ' ORDER BY state) FROM (
    SELECT concat(oid, '-', xmin) AS state FROM relations
    UNION ALL SELECT concat(attrelid, '-', attnum, '-', xmin) FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT concat('constraint-', oid, '-', xmin) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat('trigger-', oid, '-', xmin) FROM pg_trigger
        WHERE tgrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT concat('function-', oid, '-', xmin) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
) AS states
"""

_RESTART_NUMBERS = """
SELECT setval(oid::regclass, 1, false) FROM pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""


def _state(connection: Connection) -> str:
    return str(connection.execute(text(_STATE)).scalar() or "")


@dataclass
class _Kept:
    """A table that one test after the other uses: making it takes longer than most tests.

    While none does, it is in the schema ``kept``, emptied. ``state`` tells whether a test has
    changed it.
    """

    metadata: MetaData
    table: str
    state: str
    used: bool = True


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
        self._kept: _Kept | None = None
        self._make()

    def _make(self) -> None:
        """Make an empty cluster."""
        options = ("-A", "trust", "-U", "tests", "--no-sync")

        def run() -> None:
            self._run("initdb", *options, "-D", str(self._data))

        make_files(self._data, self._real / "initdb", options, run)
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
            kept = self._kept
            if kept is not None and kept.used and _state(connection) == kept.state:
                connection.execute(text(f"DELETE FROM {kept.table}"))
                connection.execute(text(_RESTART_NUMBERS))
                connection.execute(text("ALTER SCHEMA public RENAME TO kept"))
                kept.used = False
            else:
                connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        return self.uri

    def create_table(self, metadata: MetaData, create: Callable[[], None]) -> None:
        """Have a model's one table in the database: that of the last test which had the same.

        :param create: what makes it, where there is none.
        """
        [table] = metadata.tables
        with self._engine.connect() as connection:
            if _state(connection):  # the test has made something of its own
                create()
                return
            kept = self._kept
            if kept is not None and not kept.used:
                if kept.metadata is metadata:
                    connection.execute(text("DROP SCHEMA public"))
                    connection.execute(text("ALTER SCHEMA kept RENAME TO public"))
                    kept.used = True
                    return
                connection.execute(text("DROP SCHEMA kept CASCADE"))
            create()
            self._kept = _Kept(metadata, table, _state(connection))

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
