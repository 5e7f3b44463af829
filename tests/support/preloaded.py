"""Start the project's programs from a process that has imported everything already.

A server needs a second of processor time to import what it needs, and a test run starts hundreds.
So each pytest worker keeps one process that has done so (this module is its program, too) and that
forks for each start: the child gets the arguments, environment, directory and open files that a new
program would get, and calls the same function as its script does. Nothing runs in that process
before the fork but imports.

So started, servers serve the scripts and styles that the wheel ships, where these can be built: the
page of a checkout, which has a file for every module, takes half as long again.

:func:`start` is like :class:`subprocess.Popen`; what cannot be started so is started as usual.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import coverage
from gunicorn.config import Chdir

from chunked_upload.support import package_data
from tests.support.built import build_static, can_be_built

#: Scripts beside Python, with the function that each of them calls.
SCRIPTS = {
    "chunked-upload": ("chunked_upload.server.command", "main"),
    "gunicorn": ("gunicorn.app.wsgiapp", "run"),
}

#: Modules that are programs, with a function ``main``: ``python -m …``.
MODULES = ("tests.faults.support_operations",)

#: What they import later.
_MORE = (
    "chunked_upload.checksum.md5",
    "chunked_upload.checksum.sha256",
    "chunked_upload.server.gunicorn.service",
    "encodings.idna",
    "flask_sqlalchemy.cli",
    "gunicorn.glogging",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlite3",
)

#: The environment variable with the built folder, for the process that forks.
_STATIC = "CHUNKED_TESTS_STATIC"

_PROJECT = Path(__file__).parents[2]
_LONGEST_MESSAGE = 1 << 20


class Process(Protocol):
    """What :func:`start` returns: a part of :class:`subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: IO[Any],
    errors: IO[Any] | None = None,
    given: IO[Any] | None = None,
) -> Process:
    """Start a program in a session of its own.

    :param output: what gets its standard output.
    :param errors: what gets its standard error, by default ``output`` too.
    :param given: what it gets as standard input, by default nothing.
    """
    with open(os.devnull) as nothing:
        files = [given or nothing, output, errors or output]
        if _function(command) and _starts_as_we_did(env):
            return _forker().start(command, cwd=cwd, env=env, files=files)
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=files[0],
            stdout=files[1],
            stderr=files[2],
            start_new_session=True,
        )


class Command:
    """A program that was started, and what it writes."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._command = command
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by result()
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = start(command, cwd=cwd, env=env, output=self._output, errors=self._errors)

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._process.poll()

    def result(self, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Wait for its end, at most ``timeout`` seconds; return its exit code and what it wrote."""
        with self._output, self._errors:
            try:
                code = self._process.wait(timeout)
            except BaseException:
                self._process.kill()
                self._process.wait()
                raise
            self._output.seek(0)
            self._errors.seek(0)
            said = self._output.read(), self._errors.read()
            return subprocess.CompletedProcess(self._command, code, *said)


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; returns its exit code and what it wrote."""
    return Command(command, cwd=cwd, env=env).result()


def _function(command: Sequence[str]) -> tuple[str, str] | None:
    """Return the module and function that a command calls, if it can be forked."""
    program, *arguments = command
    if program == sys.executable and arguments[0] == "-m" and arguments[1] in MODULES:
        return arguments[1], "main"
    script = Path(program)
    return SCRIPTS.get(script.name) if script.parent == Path(sys.executable).parent else None


def _starts_as_we_did(env: Mapping[str, str]) -> bool:
    """Whether nothing in ``env`` would make Python itself, or the linker, start in another way."""
    special = any(name.startswith(("PYTHON", "LD_")) for name in _differing(env))
    return hasattr(os, "pidfd_open") and not special


def _differing(env: Mapping[str, str]) -> set[str]:
    names = {name for name, value in env.items() if os.environ.get(name) != value}
    return (names | os.environ.keys() - env.keys()) - {"PYTHONPATH"}


class _Forked:
    """A process of the forker.

    :param end: our end of a connection on which the forker says its pid and then its exit code.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._code: int | None = None
        self.pid: int = self._receive()

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        if self._code is None and select.select([self._end], [], [], 0)[0]:
            self._ended()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code."""
        if self._code is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self._ended()
        assert self._code is not None
        return self._code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self._code = self._receive()
        self._end.close()

    def _receive(self) -> int:
        said = self._end.recv(_LONGEST_MESSAGE)
        if not said:
            raise RuntimeError("the process that starts servers has ended")
        return int(said)

    def __del__(self) -> None:
        self._end.close()


class _Forker:
    """The pytest worker's side of the process that forks. What that has started outlives it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._directory = tempfile.TemporaryDirectory(prefix="chunked-upload-static-")
        environment = dict(os.environ)
        if can_be_built():
            package = Path(self._directory.name, "package")
            package.mkdir()
            environment[_STATIC] = str(build_static(package / "static"))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(theirs.fileno())],
                cwd=_PROJECT,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], files: list[IO[Any]]
    ) -> _Forked:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = {"command": list(command), "cwd": str(cwd), "env": dict(env)}
        with theirs:
            passed = [theirs.fileno(), *(file.fileno() for file in files)]
            socket.send_fds(self._control, [json.dumps(message).encode()], passed)
        return _Forked(ours)

    def close(self) -> None:
        self._control.close()
        self._process.wait()
        self._directory.cleanup()


_made: list[_Forker] = []


def _forker() -> _Forker:
    if not _made:
        _made.append(_Forker())
        atexit.register(_made[0].close)
    return _made[0]


# The side of the process that forks


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
            message, files, _, _ = socket.recv_fds(control, _LONGEST_MESSAGE, 4)
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
    return _imported(_function(command))


def _imported(where: tuple[str, str] | None) -> Callable[[], Any]:
    assert where is not None
    entry: Callable[[], Any] = getattr(importlib.import_module(where[0]), where[1])
    return entry


def _serve_built_scripts() -> None:
    """Have the package find the built folder, as if it lay beside its modules."""
    folder = os.environ.get(_STATIC)
    if folder is None:
        return
    package = Path(folder).parent
    (package.parent / "migrations").symlink_to(package_data.resource("migrations"))
    # Not the function: the package is imported by now, and its modules have it already.
    package_data.__file__ = str(package / "support" / "package_data.py")


def _main() -> Any:
    control = socket.socket(fileno=int(sys.argv[1]))
    _serve_built_scripts()
    for module in (*(module for module, _ in SCRIPTS.values()), *MODULES, *_MORE):
        importlib.import_module(module)
    entry = _serve(control)
    return entry() if entry else None


if __name__ == "__main__":
    sys.exit(_main())
