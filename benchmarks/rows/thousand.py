"""1,000 uploads at once, each as fast as it is answered: whether a crowd gets what a few get."""

from __future__ import annotations

import selectors
import time
from typing import Any

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
    """One upload on a connection of its own.

    :param chunks: how many it has.
    """

    def __init__(self, dialect: Dialect, port: int, payload: Payload, chunks: int) -> None:
        self._dialect, self._payload, self._size = dialect, payload, chunks * _CHUNK
        self._wire, self._state, self._sent, self._asked = Wire(port), "", 0, 0.0

    def open(self) -> Any:
        """Connect, create the upload where that is a request of its own; return the socket."""
        if first := self._dialect.begin(self._size):
            self._state = self._dialect.begun(self._wire.ask(first.head))
        return self._wire.connection()

    def send(self) -> None:
        """Send the next chunk; it fits into the kernel's buffers."""
        frame = self._dialect.chunk(self._state, self._sent, _CHUNK, self._size)
        pieces = self._payload.pieces(self._sent, self._sent + _CHUNK)
        self._asked = time.monotonic()
        send_all(self._wire.connection(), [frame.head, frame.before, *pieces, frame.after])
        self._sent += _CHUNK

    def take(self) -> float:
        """Read the answer; return how many seconds it took.

        :raises LoadError: when the chunk was not taken.
        """
        self._state = self._dialect.taken(self._wire.reply(), self._state)
        return time.monotonic() - self._asked

    @property
    def is_whole(self) -> bool:
        """Whether all chunks have been sent."""
        return self._sent >= self._size

    def close(self) -> None:
        """Hang up."""
        self._wire.close()


def _at_once(
    runner: ServerRunner, payload: Payload, *, uploads: int, chunks: int
) -> tuple[float, list[float]]:
    """Upload; return chunks per second, and the seconds that each chunk took."""
    port, seconds = runner.service.port, list[float]()
    crowd = [_Upload(runner.dialect, port, payload, chunks) for _ in range(uploads)]
    try:
        with selectors.DefaultSelector() as selector:
            for upload in crowd:
                selector.register(upload.open(), selectors.EVENT_READ, upload)
            begun = time.monotonic()
            for upload in crowd:
                upload.send()
            while selector.get_map():
                for key, _ in selector.select():
                    seconds.append(key.data.take())
                    if key.data.is_whole:
                        selector.unregister(key.fileobj)
                    else:
                        key.data.send()
            return uploads * chunks / (time.monotonic() - begun), seconds
    except OSError as error:
        raise LoadError(f"an upload was cut off: {error}") from error
    finally:
        for upload in crowd:
            upload.close()


def _thousand(bench: Bench, measured: Measured) -> None:
    many = max(_FEW, int(_MANY * min(bench.scale, 1.0)))
    chunks = bench.pick(quick=8, normal=8, long=16)
    measured.setup = (
        f"{many:,} uploads of {chunks} chunks of 64 KiB; the few are {_FEW} with as many chunks in"
        f" all; two workers, {bench.turns}"
    )
    bench.need(many * chunks * _CHUNK + 64 * MIB)

    def work(runner: Runner) -> Sample:
        assert isinstance(runner, ServerRunner)
        few, _ = _at_once(runner, bench.payload, uploads=_FEW, chunks=many * chunks // _FEW)
        runner.clean()
        runner.service.forget_peak()
        rate, seconds = _at_once(runner, bench.payload, uploads=many, chunks=chunks)
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
