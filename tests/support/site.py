"""A place where servers run for a fault test, and what is really stored there.

:class:`Site` is one instance folder and database with one or more servers on it. :class:`Stored`
looks at its rows and files from outside, whatever the servers say about themselves.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import NullPool, bindparam, create_engine, text

from chunked_upload.records.model import UTCDateTime
from tests.support import preloaded
from tests.support.scorecard import Run
from tests.support.server import PROGRAM, Server
from tests.support.wire import Client

#: Programs that stand beside Python in the virtual environment.
BIN = Path(sys.executable).parent

#: An app of the stand-alone server's kind whose hook writes a line for each time it is called.
HOOKED = """\
import os, time
from chunked_upload.server.app import create_app as make

def on_completion(uploaded_file, request):
    time.sleep(float(os.environ.get("HOOK_SECONDS", "0")))
    line = f"{uploaded_file.upload.upload_id}\\n".encode()
    descriptor = os.open(os.environ["HOOK_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line)
    os.close(descriptor)

def create_app():
    app = make()
    app.extensions["chunked_upload"]["chunked_upload"].hooks.on_completion.append(on_completion)
    return app
"""


class Stored:
    """Rows and files.

    :param instance: the servers' instance folder.
    :param database_uri: the servers' database; by default the SQLite file of the instance.
    """

    def __init__(self, instance: Path, database_uri: str | None = None) -> None:
        self.root = instance / "uploads"
        uri = database_uri or f"sqlite:///{instance / 'chunked_upload.db'}"
        options: dict[str, Any] = {"connect_args": {"timeout": 60}} if "sqlite" in uri else {}
        self._engine = create_engine(uri, poolclass=NullPool, **options)

    def rows(self) -> list[dict[str, Any]]:
        """Return all upload records, as they are."""
        with self._engine.connect() as connection:
            found = connection.execute(text("SELECT * FROM chunked_upload ORDER BY id"))
            return [dict(row) for row in found.mappings()]

    def count(self) -> int:
        """Return how many records there are, those marked for removal included."""
        with self._engine.connect() as connection:
            found: int = connection.scalar(text("SELECT count(*) FROM chunked_upload")) or 0
            return found

    def expire(self, *upload_ids: str, ago: timedelta = timedelta(minutes=1)) -> None:
        """Set the time of uploads to be up (all of them when none is named)."""
        moment = bindparam("moment", datetime.now(UTC) - ago, UTCDateTime())
        where = " WHERE upload_id = :id" if upload_ids else ""
        statement = text(f"UPDATE chunked_upload SET expires_on = :moment{where}").bindparams(
            moment
        )
        with self._engine.begin() as connection:
            for upload_id in upload_ids or [None]:
                connection.execute(statement, {"id": upload_id} if upload_id else {})

    def files(self) -> list[Path]:
        """Return every file below the root."""
        return sorted(path for path in self.root.rglob("*") if not path.is_dir())

    def parts(self) -> list[Path]:
        """Return what lies in the incoming area: parts, side files, locks."""
        return sorted(path for path in (self.root / ".incoming").rglob("*") if not path.is_dir())

    def finished(self) -> list[Path]:
        """Return the promoted files."""
        return [path for path in self.files() if ".incoming" not in path.parts]

    def nothing_left(self) -> bool:
        """Whether there is no record and no file."""
        return self.count() == 0 and not self.files()


class Site:
    """Servers on one instance folder and one database; all are killed at the end.

    :param run: what the row works with.
    :param workers: worker processes of each server.
    :param servers: how many servers share the instance.
    :param hooked: run :data:`HOOKED`; :meth:`hook_calls` tells what its hook was called for.
    :param program: ``bundled`` or ``gunicorn`` as it comes.
    """

    def __init__(
        self,
        run: Run,
        *,
        workers: int = 1,
        servers: int = 1,
        hooked: bool = False,
        program: str = "bundled",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.run = run
        self.directory = run.directory / "site"
        self.directory.mkdir()
        self.hook_file = self.directory / "hook-calls"
        path = os.pathsep.join(filter(None, [str(self.directory), os.environ.get("PYTHONPATH")]))
        self.environment = {
            "WORKERS": str(workers),
            "HOOK_FILE": str(self.hook_file),
            "PYTHONPATH": path,
            **run.fresh_environment(),
            **(environment or {}),
        }
        command = None
        if hooked or program == "gunicorn":
            (self.directory / "hooked.py").write_text(HOOKED)
            module = "hooked" if hooked else "chunked_upload.server.app"
            command = _command(program, module, workers)
        self.servers = [Server(self.directory, self.environment, command) for _ in range(servers)]
        self.stored = Stored(
            self.server.instance, self.environment.get("CHUNKED_UPLOAD_DATABASE_URI")
        )
        self._needs_migration = command is not None
        self._clients: list[Client] = []

    @property
    def server(self) -> Server:
        """The first server."""
        return self.servers[0]

    @property
    def port(self) -> int:
        """The first server's port."""
        return self.server.port

    @contextmanager
    def client(self, server: Server | None = None) -> Iterator[Client]:
        """Open a client of the first (or another) server for as long as the block lasts."""
        with Client((server or self.server).port) as client:
            yield client

    def clients(self, count: int) -> list[Client]:
        """Return clients that are closed with the site."""
        made = [Client(self.port) for _ in range(count)]
        self._clients += made
        return made

    def command(self, *arguments: str) -> preloaded.Command:
        """Start the ``chunked-upload`` program beside the servers."""
        environment = {**os.environ, **self.environment}
        environment["CHUNKED_UPLOAD_INSTANCE"] = str(self.server.instance)
        return preloaded.Command([PROGRAM, *arguments], cwd=self.directory, env=environment)

    def hook_calls(self) -> list[str]:
        """Return the ids of uploads for which the hook was called, once for each call."""
        with suppress(FileNotFoundError):
            return self.hook_file.read_text().split()
        return []

    def check_log(self) -> None:
        """Note tracebacks in the servers' log as violations."""
        log = self.server.log.read_text(errors="replace")
        at = log.find("Traceback")
        self.run.check(at < 0, f"a traceback in the log: {log[max(at - 200, 0) : at + 3000]}")

    def migrate(self) -> None:
        """Make the tables, as ``chunked-upload serve`` does by itself."""
        said = self.command("migrate").result()
        assert self.stored.count() == 0, said.stderr

    def __enter__(self) -> Self:
        try:
            if self._needs_migration:
                self.migrate()
            for server in self.servers:
                server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for client in self._clients:
            client.close()
        for server in self.servers:
            server.kill()


def _command(program: str, module: str, workers: int) -> list[str]:
    bundled = program == "bundled"
    kind = "chunked_upload.server.gunicorn.worker.UploadWorker" if bundled else "gthread"
    return [
        *(str(BIN / "gunicorn"), "--worker-class", kind, "--workers", str(workers)),
        *("--threads", "256" if bundled else "64", "--bind", "127.0.0.1:{port}"),
        f"{module}:create_app()",
    ]


def wait_until(condition: Callable[[], Any], seconds: float = 30, what: str = "") -> None:
    """Wait for something that happens in another process, without an event to wait on.

    :raises AssertionError: when it does not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come true in {seconds} s: {what}"
        time.sleep(0.002)
