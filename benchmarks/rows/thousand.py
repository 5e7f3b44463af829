"""1,000 uploads at once, each as fast as it is answered: whether a crowd gets what a few get."""

from __future__ import annotations

import selectors
import time
from contextlib import ExitStack

from ..contest import Bench, opened, take_turn
from ..load import KIB, MIB, Dialect, Payload
from ..peers.base import Runner, Sample, ServerRunner
from ..peers.ours import Ours
from ..peers.tus_node import TusNode
from ..results import Measured
from ..spread import percentile
from ..wire import LoadError, Wire, send_all
from .base import Row, ours, ours_durable

_CHUNK = 64 * KIB
_FEW, _MANY = 16, 1000


class _Upload:
    """One upload, created where that is a request of its own.

    :param wire: the connection to create it by.
    :param chunks: how many it has.
    """

    def __init__(self, dialect: Dialect, wire: Wire, payload: Payload, chunks: int) -> None:
        self._dialect, self._payload, self._size = dialect, payload, chunks * _CHUNK
        self._state, self._sent, self._asked = "", 0, 0.0
        if first := dialect.begin(self._size):
            self._state = dialect.begun(wire.ask(first.head))

    def send(self, wire: Wire) -> None:
        """Send the next chunk; it fits into the kernel's buffers."""
        frame = self._dialect.chunk(self._state, self._sent, _CHUNK, self._size)
        pieces = self._payload.pieces(self._sent, self._sent + _CHUNK)
        self._asked = time.monotonic()
        send_all(wire.connection(), [frame.head, frame.before, *pieces, frame.after])
        self._sent += _CHUNK

    def take(self, wire: Wire) -> float:
        """Read the answer; return how many seconds it took.

        :raises LoadError: when the chunk was not taken.
        """
        self._state = self._dialect.taken(wire.reply(), self._state)
        return time.monotonic() - self._asked

    @property
    def is_whole(self) -> bool:
        """Whether all chunks have been sent."""
        return self._sent >= self._size


def _upload(
    runner: ServerRunner, payload: Payload, *, uploads: int, chunks: int, at_once: int
) -> tuple[float, list[float]]:
    """Upload files, so many at a time; return chunks per second, and each chunk's seconds."""
    port, seconds = runner.service.port, list[float]()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        wires = [stack.enter_context(Wire(port)) for _ in range(at_once)]
        try:
            for wire in wires:
                wire.connect()
            waiting = [
                _Upload(runner.dialect, wires[number % at_once], payload, chunks)
                for number in range(uploads)
            ]
            running = {wire: waiting.pop() for wire in wires}
            for wire in wires:
                selector.register(wire.connection(), selectors.EVENT_READ, wire)
            begun = time.monotonic()
            for wire, upload in running.items():
                upload.send(wire)
            while selector.get_map():
                for key, _ in selector.select():
                    upload = running[key.data]
                    seconds.append(upload.take(key.data))
                    if not upload.is_whole:
                        upload.send(key.data)
                    elif waiting:
                        running[key.data] = waiting.pop()
                        running[key.data].send(key.data)
                    else:
                        selector.unregister(key.fileobj)
            return uploads * chunks / (time.monotonic() - begun), seconds
        except OSError as error:
            raise LoadError(f"an upload was cut off: {error}") from error


def _thousand(bench: Bench, measured: Measured) -> None:
    many = max(_FEW, int(_MANY * min(bench.scale, 1.0)))
    chunks = bench.pick(quick=8, normal=8, long=16)
    measured.setup = (
        f"{many:,} uploads of {chunks} chunks of 64 KiB, all at once, and {_FEW} at a time; two"
        f" workers, {bench.turns}"
    )
    bench.need(many * chunks * _CHUNK + 64 * MIB)

    def work(runner: Runner) -> Sample:
        assert isinstance(runner, ServerRunner)
        few, _ = _upload(runner, bench.payload, uploads=many, chunks=chunks, at_once=_FEW)
        runner.clean()
        runner.service.forget_peak()
        rate, seconds = _upload(runner, bench.payload, uploads=many, chunks=chunks, at_once=many)
        return {
            "few_rate": few,
            "rate": rate,
            "goodput": rate / few,
            "chunk_p99": percentile(seconds, 0.99),
            "chunk_worst": max(seconds),
            "peak": float(runner.service.memory().peak),
        }

    # Over tus, uploads are created before, by a request each, as TusNode's are.
    over_tus = Ours(
        "ours-tus", "chunked-upload, tus, not durable", durable=False, protocol="tus", workers=2
    )
    contestants = [ours(workers=2), ours_durable(workers=2), over_tus, TusNode(workers=2)]
    with opened(bench, contestants, measured) as runners:
        for turn in range(bench.repetitions):
            for key in list(runners)[:: -1 if turn % 2 else 1]:
                take_turn(runners, measured, key, work)


ROWS = [
    Row(
        "thousand",
        "1,000 uploads at once",
        "Each sends its next chunk when the last one is answered, from one process of the load"
        " generator. An answer other than success would end the measurement. Over tus, uploads are"
        " created before the time begins; otherwise the first chunk creates its upload, so that the"
        " slowest chunks are the thousand that arrive first.",
        _thousand,
        metrics=("few_rate", "rate", "goodput", "chunk_p99", "chunk_worst", "peak"),
        baseline=None,
    )
]
