"""Clients without a browser: programs in ``examples/clients``, in the matrix as the pages are.

A :class:`Program` is started as a user would, with a file and the URL to upload to, and behind the
same proxy (:mod:`tests.browser.proxy`). If it fails or is killed, the user runs it again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.browser.client import CHUNK, EXAMPLES, LARGE, SIZES, Fault, Outcome
from tests.browser.proxy import Proxy
from tests.browser.site import Site
from tests.browser.trial import compare, make_file
from tests.support import npm
from tests.support.missing import skip_without

#: Seconds that an upload may take on a busy machine.
_PATIENCE = 60

#: What can happen to a program.
FAULTS = (
    Fault.NONE,
    Fault.CUT,
    Fault.REPLY_LOST,
    Fault.LAST_REPLY_LOST,
    Fault.SERVER_KILLED,
    Fault.BROWSER_KILLED,
)


@dataclass(frozen=True)
class Program:
    """A program and what is expected of it; parameters as in :class:`~tests.browser.client.Client`.

    :param name: its row in the matrix.
    :param file: in ``examples/clients``.
    :param title: of the section of docs/clients.md that quotes the file.
    :param about: what that section says.
    :param libraries: with their versions.
    :param endpoint: where it uploads to.
    :param stream: whether it gets the file's bytes from a pipe, instead of the file's name.
        Its library does not notice when one ends with a chunk, so that it gets no such sizes.
    """

    name: str
    file: str
    title: str
    about: str
    libraries: Callable[[], str]
    endpoint: str = "/uploads/tus/"
    environment: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    keeps: bool = True
    expects: Mapping[Fault, Outcome] = field(default_factory=dict)
    why: Mapping[Fault, str] = field(default_factory=dict)
    share: Collection[Fault] = FAULTS

    def __str__(self) -> str:
        return self.name

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of files that it is run with."""
        small = {name: size for name, size in SIZES.items() if size < LARGE}
        return {name: size for name, size in small.items() if size % CHUNK or not self.stream}

    @property
    def source(self) -> Path:
        """The file that users copy."""
        return EXAMPLES / self.file

    def expected(self, fault: Fault) -> Outcome:
        """Return the outcome that a fault should have."""
        return self.expects.get(fault, Outcome.ITSELF)

    def command(self, directory: Path) -> list[str]:
        """Return how it is started, from a directory where its libraries are found."""
        if self.source.suffix == ".py":
            return [sys.executable, str(self.source)]
        node = shutil.which("node")
        if node is None:
            skip_without("node", install="Node.js")
        modules = directory / "node_modules"
        if not modules.exists():
            npm.package("tus-js-client")  # else the test is skipped
            modules.symlink_to(npm.MODULES)
        return [node, shutil.copy(str(self.source), str(directory))]


@dataclass
class ProgramTrial:
    """A program, a site and a file of some size."""

    program: Program
    site: Site
    directory: Path
    size: int

    @property
    def proxy(self) -> Proxy:
        return self.site.proxy

    @property
    def chunks(self) -> int:
        """How many chunks the file has."""
        return max(-(-self.size // CHUNK), 1)

    def run(self, fault: Fault) -> Outcome:
        """Upload while ``fault`` happens, check what is stored, and tell how it ended."""
        before = self.site.stored()
        file = make_file(self.directory / "file.bin", self.size)
        outcome = self._outcome(file, fault)
        self.proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
        compare(self.site.stored() - before, [file])
        return outcome

    def _outcome(self, file: Path, fault: Fault) -> Outcome:
        middle = self.chunks // 2
        if fault is Fault.CUT:
            self.proxy.cut(middle)
        elif fault is Fault.REPLY_LOST:
            self.proxy.lose_reply(middle)
        elif fault is Fault.LAST_REPLY_LOST:
            self.proxy.lose_reply(self.chunks - 1)
        elif fault in (Fault.SERVER_KILLED, Fault.BROWSER_KILLED):
            return self._killed(file, middle, server=fault is Fault.SERVER_KILLED)
        return self._ended(self.start(file), file)

    def _killed(self, file: Path, chunk: int, *, server: bool) -> Outcome:
        """Kill the server or the program in the middle of a chunk."""
        fault = self.proxy.hold(chunk)
        running = self.start(file)
        fault.wait()
        if not server:
            running.kill()
            running.communicate()
            outcome = self._again(file)
            fault.finish()
            return outcome
        self.site.server.kill()
        fault.release()
        self.proxy.wait(lambda proxy: proxy.refused > 0 or running.poll() is not None)
        self.site.restart()
        return self._ended(running, file)

    def start(self, file: Path) -> subprocess.Popen[str]:
        """Start it, as a user does."""
        url = f"{self.site.url}{self.program.endpoint}"
        with file.open("rb") as stream:
            return subprocess.Popen(
                [*self.program.command(self.directory), *self._arguments(file), url],
                cwd=self.directory,
                env={
                    **self.site.server.environment,
                    "CHUNK": str(CHUNK),
                    **self.program.environment,
                },
                stdin=stream,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def _arguments(self, file: Path) -> list[str]:
        return ["-"] if self.program.stream else [str(file)]

    def _ended(self, running: subprocess.Popen[str], file: Path) -> Outcome:
        """Wait for its end; if it failed, the user runs it again."""
        said = running.communicate(timeout=_PATIENCE)
        if running.returncode == 0:
            assert said[0].startswith(self.site.url), said
            return Outcome.ITSELF
        return self._again(file)

    def _again(self, file: Path) -> Outcome:
        before = len(self.proxy.chunks)
        running = self.start(file)
        said = running.communicate(timeout=_PATIENCE)
        assert running.returncode == 0, said
        sent = sum(request.received for request in self.proxy.chunks[before:])
        kept = self.size // 2 if self.program.keeps else self.chunks // 2
        if kept == 0 and not self.program.stream:
            return Outcome.RETRIED  # of one chunk there is nothing to resume from
        return Outcome.RETRIED if sent < self.size else Outcome.ANEW


_IN_NODE = """\
The same library in Node: files by their name, and streams. It notes the address of an unfinished
upload in a file. [Options](#tus-js-client) as in a browser."""

_IN_PYTHON = """\
Python's client of the tus protocol, also at `/uploads/tus/`.

| option | what it is good for, and what holds |
|---|---|
| `chunk_size` | tuspy holds a chunk in memory. By default a chunk is the whole file, so set it. |
| `upload_checksum` | `True`: each chunk has a SHA-1, and one that differs is refused and sent again. |
| `retries`, `retry_delay` | Of a chunk: none, and 30 seconds, by default. Creating an upload is not retried. |
| `store_url`, `url_storage` | An upload that was ended is resumed by another run. Remove the URL when it is done. |
| `fingerprinter` | Tells which file a URL is of. The default looks at size and the first 64 KiB: two files that begin alike are taken for one. |
| `metadata` | `filename` is the file's name on the server, and `filetype` its type. |
| `TusClient(url, headers=…)` | `{"Authorization": "Bearer …"}`, where the service wants a token. |"""  # noqa: E501


def _npm() -> str:
    return f"tus-js-client {npm.version('tus-js-client')}"


def _in_node(name: str, *, share: Collection[Fault] = (Fault.CUT,), **others: Any) -> Program:
    expected: dict[str, Any] = {
        "expects": {Fault.BROWSER_KILLED: Outcome.RETRIED},
        "why": {Fault.BROWSER_KILLED: "when it is run again"},
    }
    return Program(
        name=name,
        file="tus-node.mjs",
        title="tus-js-client in Node",
        about=_IN_NODE,
        libraries=_npm,
        share=share,
        **{**expected, **others},
    )


PROGRAMS = [
    _in_node("tus-js-client in Node", share=FAULTS),
    _in_node("tus-js-client in Node, parallelUploads: 2", environment={"PARALLEL": "2"}),
    _in_node(
        "tus-js-client in Node, a stream",
        stream=True,
        expects={Fault.BROWSER_KILLED: Outcome.ANEW},
        why={Fault.BROWSER_KILLED: "a stream cannot be read again"},
    ),
    Program(
        name="tuspy",
        file="tuspy_upload.py",
        title="tuspy",
        about=_IN_PYTHON,
        keeps=False,  # of a chunk whose checksum has not been seen
        libraries=lambda: f"tuspy {metadata.version('tuspy')}",
        expects={Fault.BROWSER_KILLED: Outcome.RETRIED},
        why={Fault.BROWSER_KILLED: "when it is run again"},
    ),
]
