"""The program that has imported everything and forks for each start (preloaded.py).

Nothing runs in its process before a fork but imports and what :func:`_do_once` does. No child looks
for garbage in what was imported, nor takes it apart at its end: each would go through all of it,
copying every page, for half a second of processor time.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import logging
import os
import select
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import coverage
from gunicorn.config import Chdir

from chunked_upload.support import package_data

#: Scripts beside Python, with the function that each of them calls.
SCRIPTS = {
    "chunked-upload": ("chunked_upload.server.command", "main"),
    "flask": ("flask.cli", "main"),
    "granian": ("granian.cli", "entrypoint"),
    "gunicorn": ("gunicorn.app.wsgiapp", "run"),
}

#: Modules that are programs, ``python -m …``, with the function that each of them calls.
MODULES = {
    "flask": SCRIPTS["flask"],
    "gunicorn": SCRIPTS["gunicorn"],
    "tests.faults.support_operations": ("tests.faults.support_operations", "main"),
    "tests.faults.support_writer": ("tests.faults.support_writer", "main"),
    "tests.server.wire_app": ("tests.server.wire_app", "main"),
}

#: What they import later.
_MORE = (
    "chunked_upload.checksum.md5",
    "chunked_upload.checksum.sha256",
    "chunked_upload.checksum.sha512",
    "chunked_upload.storage.s3",
    "boto3",
    "chunked_upload.server.gunicorn.service",
    "encodings.idna",
    "flask_migrate",
    "flask_sqlalchemy.cli",
    "gunicorn.glogging",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlite3",
    "werkzeug.serving",
)

#: The environment variable with the built folder.
STATIC = "CHUNKED_TESTS_STATIC"

_CLONE_NEWNET = 0x40000000

#: Bytes of a message that asks for a start.
LONGEST_MESSAGE = 1 << 20


def function_of(command: Sequence[str]) -> tuple[str, str] | None:
    """Return the module and function that a command calls, if it can be forked."""
    program, *arguments = command
    if program == sys.executable and arguments[0] == "-m":
        return MODULES.get(arguments[1])
    script = Path(program)
    return SCRIPTS.get(script.name) if script.parent == Path(sys.executable).parent else None


def _serve(control: socket.socket) -> Callable[[], Any] | None:
    """Fork as asked; returns in each child, with what to call, and when nobody can ask any more."""
    running: dict[int, _Child] = {}
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor in running:
                waiting.unregister(descriptor)
                running.pop(descriptor).ended()
                continue
            message, files, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 4)
            if not message:
                return None
            end, rest = socket.socket(fileno=files[0]), files[1:]
            pid = os.fork()
            if pid == 0:
                for other in running.values():
                    other.close()
                control.close()
                end.close()
                return _become(json.loads(message), rest)
            for file in rest:
                os.close(file)
            child = _Child(pid, end)
            running[child.watched] = child
            waiting.register(child.watched, select.POLLIN)


class _Child:
    """A child, and the connection on which to tell about it."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.watched = os.pidfd_open(pid)
        self._pid = pid
        self._end = end
        self._tell(pid)

    def ended(self) -> None:
        self._tell(os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1]))
        self.close()

    def close(self) -> None:
        os.close(self.watched)
        self._end.close()

    def _tell(self, number: int) -> None:
        with suppress(OSError):  # nobody may want to know
            self._end.send(str(number).encode())


def _become(message: dict[str, Any], files: list[int]) -> Callable[[], Any]:
    """Make this process what a new program would be; returns what its script calls."""
    os.setsid()
    if message["namespace"] is not None:
        _enter(message["namespace"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(message["cwd"])
    Chdir.default = os.getcwd()  # gunicorn has looked when it was imported
    os.environ.clear()
    os.environ.update(message["env"])
    command: list[str] = message["command"]
    is_module = command[1:2] == ["-m"]
    more = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = [path for path in sys.path[1:] if path not in more]
    first = os.getcwd() if is_module else str(Path(command[0]).parent)
    sys.path[:] = [first, *filter(None, more), *own]
    sys.argv = command[2:] if is_module else command
    coverage.process_startup()  # where the environment asks for it
    return _imported(function_of(command))


def _enter(namespace: str) -> None:
    """Move this process into a network namespace (setns(2); Python has it from 3.12 on)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(namespace) as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


def _imported(where: tuple[str, str] | None) -> Callable[[], Any]:
    assert where is not None
    entry: Callable[[], Any] = getattr(importlib.import_module(where[0]), where[1])
    return entry


def _serve_built_scripts() -> None:
    """Have the package find the built folder, as if it lay beside its modules."""
    folder = os.environ.get(STATIC)
    if folder is None:
        return
    package = Path(folder).parent
    with suppress(FileExistsError):  # other processes use the folder too
        (package.parent / "migrations").symlink_to(package_data.resource("migrations"))
    # Not the function: the package is imported by now, and its modules have it already.
    package_data.__file__ = str(package / "support" / "package_data.py")


def _end(said: object) -> NoReturn:
    """End this process with what ``sys.exit`` was given, as the interpreter does.

    All but the last step: taking modules and objects apart. (multiprocessing's children end so.)
    """
    if said is not None and not isinstance(said, int):
        print(said, file=sys.stderr)
        said = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit((said or 0) & 0xFF)


def _do_once() -> None:
    """Make an app, migrate its database, and make a client for S3: the next ones take half as long.

    What they have set for the process is set back.
    """
    from chunked_upload.server import access_log
    from chunked_upload.server.app import create_app
    from chunked_upload.server.migration import migrate
    from chunked_upload.storage.s3.connection import connect

    before = dict(os.environ)
    keys = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(keys, CHUNKED_UPLOAD_INSTANCE=folder)
        app = create_app("testing")
        with app.app_context():
            migrate()
            app.extensions["sqlalchemy"].engine.dispose()
    nobody = {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}
    _ = connect(timeout=1.0, attempts=1, **nobody).client
    os.environ.clear()
    os.environ.update(before)
    # A child's PYTHONPATH may have another (scorecard.py).
    for name in [name for name in sys.modules if name.partition(".")[0] == "pysqlite3"]:
        del sys.modules[name]
    access_log.logger.handlers.clear()
    access_log.logger.propagate = True
    access_log.logger.setLevel(logging.NOTSET)


def _main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    _serve_built_scripts()
    for module in (*(module for module, _ in (SCRIPTS | MODULES).values()), *_MORE):
        importlib.import_module(module)
    _do_once()
    assert threading.active_count() == 1, threading.enumerate()  # no thread survives a fork
    gc.collect()
    gc.freeze()
    entry = _serve(control)
    if entry is None:
        return
    try:
        said = entry()
    except SystemExit as error:
        said = error.code
    _end(said)


if __name__ == "__main__":
    _main()
