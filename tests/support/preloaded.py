"""Start the project's programs from a process that has imported everything already.

A server needs a second of processor time to import what it needs, and a test run starts hundreds.
So each pytest worker keeps one process that has done so (this module is its program, too) and that
forks for each start: the child gets the arguments, environment, directory and open files that a new
program would get, and calls the same function as its script does. Nothing runs in that process
before the fork but imports.

:func:`start` is like :class:`subprocess.Popen`; what cannot be started so is started as usual.
"""

from __future__ import annotations

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

#: Scripts beside Python, with the function that each of them calls.
ENTRIES = {
    "chunked-upload": "chunked_upload.server.command:main",
    "gunicorn": "gunicorn.app.wsgiapp:run",
}

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
) -> Process:
    """Start a program in a session of its own, without input.

    :param output: what gets its standard output.
    :param errors: what gets its standard error, by default ``output`` too.
    """
    if _can_fork(command, env):
        return _forker().start(command, cwd=cwd, env=env, files=[output, errors or output])
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors or output,
        start_new_session=True,
    )


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; returns its exit code and what it wrote."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = start(command, cwd=cwd, env=env, output=output, errors=errors)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(), errors.read())


def _can_fork(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether it is one of our scripts, and nothing in ``env`` matters to Python's own start."""
    script = Path(command[0])
    return (
        script.name in ENTRIES
        and script.parent == Path(sys.executable).parent
        and hasattr(os, "pidfd_open")
        and not any(name.startswith(("PYTHON", "LD_")) for name in _differing(env))
    )


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
    """The pytest worker's side of the process that forks; it ends when this object does."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(theirs.fileno())],
                cwd=_PROJECT,
                pass_fds=[theirs.fileno()],
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


_made: list[_Forker] = []


def _forker() -> _Forker:
    if not _made:
        _made.append(_Forker())
    return _made[0]


def close() -> None:
    """End the process that forks, if there is one; what it has started goes on."""
    while _made:
        _made.pop().close()


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
            message, files, _, _ = socket.recv_fds(control, _LONGEST_MESSAGE, 3)
            if not message:
                return None
            end, outputs = socket.socket(fileno=files[0]), files[1:]
            pid = os.fork()
            if pid == 0:
                for other in running.values():
                    other.close()
                control.close()
                end.close()
                return _become(json.loads(message), outputs)
            for output in outputs:
                os.close(output)
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


def _become(message: dict[str, Any], outputs: list[int]) -> Callable[[], Any]:
    """Make this process what a new program would be; returns what its script calls."""
    os.setsid()
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["env"])
    script = Path(message["command"][0])
    more = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = [path for path in sys.path[1:] if path not in more]
    sys.path[:] = [str(script.parent), *filter(None, more), *own]
    sys.argv = message["command"]
    coverage.process_startup()  # where the environment asks for it
    return _entry(script.name)


def _entry(script: str) -> Callable[[], Any]:
    module, _, name = ENTRIES[script].partition(":")
    entry: Callable[[], Any] = getattr(importlib.import_module(module), name)
    return entry


def _main() -> Any:
    control = socket.socket(fileno=int(sys.argv[1]))
    for script in ENTRIES:
        _entry(script)
    for module in _MORE:
        importlib.import_module(module)
    entry = _serve(control)
    return entry() if entry else None


if __name__ == "__main__":
    sys.exit(_main())
