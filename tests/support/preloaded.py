"""Start the project's programs from a process that has imported everything already.

A server needs a second of processor time to import what it needs, and a test run starts hundreds.
So each pytest worker keeps one process that has done so (forking.py) and that forks for each start:
the child gets the arguments, environment, directory and open files that a new program would get,
and calls the same function as its script does.

So started, servers serve the scripts and styles that the wheel ships, where these can be built: the
page of a checkout, which has a file for every module, takes half as long again.

:func:`start` is like :class:`subprocess.Popen`; what cannot be started so is started as usual.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from tests.support import forking
from tests.support.built import built_package, can_be_built
from tests.support.forking import LONGEST_MESSAGE, STATIC, function_of

_PROJECT = Path(__file__).parents[2]


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
    namespace: str | None = None,
) -> Process:
    """Start a program in a session of its own.

    :param output: what gets its standard output.
    :param errors: what gets its standard error, by default ``output`` too.
    :param given: what it gets as standard input, by default nothing.
    :param namespace: the network namespace in which it runs, by its file; root may choose one.
    """
    with open(os.devnull) as nothing:
        files = [given or nothing, output, errors or output]
        if function_of(command) and _starts_as_we_did(env):
            return _forker().start(command, cwd=cwd, env=env, files=files, namespace=namespace)
        return subprocess.Popen(
            command if namespace is None else ["nsenter", f"--net={namespace}", *command],
            cwd=cwd,
            env=env,
            stdin=files[0],
            stdout=files[1],
            stderr=files[2],
            start_new_session=True,
        )


class Command:
    """A program that was started, and what it writes."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        namespace: str | None = None,
    ) -> None:
        self._command = command
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by result()
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = start(
            command,
            cwd=cwd,
            env=env,
            output=self._output,
            errors=self._errors,
            namespace=namespace,
        )

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it; :meth:`result` tells what it has written."""
        self._process.kill()

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
        if self._code is None and self._has_said(0):
            self._ended()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code."""
        if self._code is None:
            if not self._has_said(timeout):
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

    def _has_said(self, timeout: float | None) -> bool:
        """Whether the forker says something in time. Not by select: a harness has many files."""
        waiting = select.poll()
        waiting.register(self._end, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else 1000 * timeout))

    def _ended(self) -> None:
        self._code = self._receive()
        self._end.close()

    def _receive(self) -> int:
        said = self._end.recv(LONGEST_MESSAGE)
        if not said:
            raise RuntimeError("the process that starts servers has ended")
        return int(said)

    def __del__(self) -> None:
        self._end.close()


class _Forker:
    """The pytest worker's side of the process that forks. What that has started outlives it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = dict(os.environ)
        if can_be_built():
            environment[STATIC] = str(built_package() / "static")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", forking.__name__, str(theirs.fileno())],
                cwd=_PROJECT,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        files: list[IO[Any]],
        namespace: str | None,
    ) -> _Forked:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = {
            "command": list(command),
            "cwd": str(cwd),
            "env": dict(env),
            "namespace": namespace,
        }
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
        atexit.register(_made[0].close)
    return _made[0]
