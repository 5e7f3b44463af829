"""The load generator: uploads from memory, one client in this process, several in forked ones.

All servers are driven by this one loop; what differs is the dialect, which says how a chunk looks
on their wire. Nothing is hashed, read from disk or copied while the clock runs.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from .wire import LoadError, Piece, Reply, Wire, expect
from .workshop import Unavailable

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class Frame(NamedTuple):
    """A request but for the file's bytes: its head, what comes before them, what comes after."""

    head: bytes
    before: bytes = b""
    after: bytes = b""


class Payload:
    """An endless file in memory: random bytes, repeated.

    :param span: bytes until it repeats; more than the processor's caches hold.
    """

    def __init__(self, span: int = 64 * MIB) -> None:
        self._span = span
        self._bytes = memoryview(random.Random(5).randbytes(span))
        self._digests: dict[str, list[tuple[int, Any]]] = {}

    def pieces(self, start: int, stop: int) -> list[Piece]:
        """Return the bytes ``[start, stop)`` as slices of memory."""
        found: list[Piece] = []
        while start < stop:
            at = start % self._span
            size = min(stop - start, self._span - at)
            found.append(self._bytes[at : at + size])
            start += size
        return found

    def digest(self, size: int, checksum: str = "md5") -> str:
        """Return a checksum of the first ``size`` bytes; prefixes once hashed are remembered."""
        nothing = (0, hashlib.new(checksum, usedforsecurity=False))
        digests = self._digests.setdefault(checksum, [nothing])
        seen, digest = max((known for known in digests if known[0] <= size), key=_first)
        if seen < size:
            digest = digest.copy()
            for piece in self.pieces(seen, size):
                digest.update(piece)
            digests.append((size, digest))
        return str(digest.hexdigest())


class Dialect(ABC):
    """How one protocol carries an upload: requests out of arguments, states out of replies.

    A state is the protocol's own: an id, a URL; empty before the first chunk.

    :ivar checksum: the one with which an upload is completed.
    """

    checksum = "md5"

    def begin(self, size: int) -> Frame | None:
        """Return the request that creates an upload, where the first chunk does not."""
        return None

    def begun(self, reply: Reply) -> str:
        """Return the state after :meth:`begin`."""
        raise NotImplementedError

    @abstractmethod
    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        """Return the request for ``size`` bytes from ``start``, around those bytes."""

    @abstractmethod
    def taken(self, reply: Reply, state: str) -> str:
        """Return the state after a chunk.

        :raises LoadError: when the reply says that it was not taken.
        """

    def complete(self, state: str, digest: str) -> Frame | None:
        """Return the request that has the upload completed and verified, where there is one."""
        return None

    def probe(self, state: str) -> bytes:
        """Return a small request: how far is this upload?

        :raises Unavailable: when the protocol has no such question.
        """
        raise Unavailable("its protocol has no request that tells how far an upload is")


@dataclass(frozen=True)
class Task:
    """What every client does: ``uploads`` files of ``size`` bytes in chunks of ``chunk``."""

    size: int
    chunk: int
    uploads: int = 1

    @property
    def chunks(self) -> int:
        """Chunks that one client sends."""
        return self.uploads * -(-self.size // self.chunk)


@dataclass
class Timing:
    """When one client began and ended, on the system's monotonic clock, in seconds."""

    begun: float
    ended: float
    #: Seconds of each completion.
    completions: list[float] = field(default_factory=list)


def upload(dialect: Dialect, wire: Wire, payload: Payload, task: Task) -> Timing:
    """Upload as one client does."""
    digest = payload.digest(task.size, dialect.checksum)
    timing = Timing(time.monotonic(), 0.0)
    for _ in range(task.uploads):
        state = begin(dialect, wire, task.size)
        for start in range(0, task.size, task.chunk):
            stop = min(start + task.chunk, task.size)
            state = send_chunk(dialect, wire, payload, state, start, stop, task.size)
        timing.ended = time.monotonic()
        last = dialect.complete(state, digest)
        if last:
            sent = timing.ended
            expect(wire.ask(last.head, [last.before]), 200)
            timing.ended = time.monotonic()
            timing.completions.append(timing.ended - sent)
    return timing


def begin(dialect: Dialect, wire: Wire, size: int) -> str:
    """Create an upload, where that is a request of its own; return its state."""
    first = dialect.begin(size)
    return dialect.begun(wire.ask(first.head)) if first else ""


def send_chunk(
    dialect: Dialect, wire: Wire, payload: Payload, state: str, start: int, stop: int, total: int
) -> str:
    """Send the bytes ``[start, stop)`` of an upload and return its new state."""
    frame = dialect.chunk(state, start, stop - start, total)
    pieces = [frame.before, *payload.pieces(start, stop), frame.after]
    return dialect.taken(wire.ask(frame.head, pieces), state)


def run(dialect: Dialect, port: int, payload: Payload, task: Task, *, clients: int = 1) -> Timing:
    """Upload with one client or many at once.

    :return: from the first client's begin to the last one's end.
    :raises LoadError: when any client fails.
    """
    # Before the clock runs, and before a fork would do it many times.
    payload.digest(task.size, dialect.checksum)
    if clients == 1:
        with Wire(port) as wire:
            return upload(dialect, wire, payload, task)

    def work() -> Timing:
        with Wire(port) as wire:
            wire.connect()
            return upload(dialect, wire, payload, task)

    timings = in_processes([work] * clients)
    return Timing(
        min(timing.begun for timing in timings),
        max(timing.ended for timing in timings),
        [seconds for timing in timings for seconds in timing.completions],
    )


def in_processes(works: list[Callable[[], Timing]]) -> list[Timing]:
    """Run each function in a forked process, all let go at once; return what they returned.

    :raises LoadError: when any of them fails.
    """
    forking = multiprocessing.get_context("fork")
    barrier = forking.Barrier(len(works))
    running = []
    try:
        for work in works:
            here, there = forking.Pipe(duplex=False)
            process = forking.Process(target=_client, args=(work, barrier, there), daemon=True)
            process.start()
            there.close()
            running.append((process, here))
        return [_outcome(here) for _, here in running]
    finally:
        for process, here in running:
            process.terminate()
            process.join()
            here.close()


def _client(work: Callable[[], Timing], barrier: Any, answer: Connection) -> None:
    leave_signals_alone()
    try:
        barrier.wait(60)
        outcome: Timing | str = work()
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    # It ends by itself now. Under coverage it writes a file then, which must not break off.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answer.send(outcome)


def leave_signals_alone() -> None:
    """Let a forked client end at SIGTERM and nothing else: the harness ends its clients itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _outcome(here: Connection) -> Timing:
    try:
        outcome = here.recv()
    except EOFError:
        raise LoadError("a client's process died") from None
    if isinstance(outcome, str):
        raise LoadError(outcome)
    timing: Timing = outcome
    return timing


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]
