"""1,000 slow uploads with a fast probe: what a crowd of bad connections does to everybody else."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from typing import Any

from ..contest import Bench, opened, take_turn
from ..load import KIB, Dialect, Frame, Payload, begin, leave_signals_alone, send_chunk
from ..peers.base import Contestant, Runner, Sample, ServerRunner
from ..peers.ours import Ours
from ..peers.resumable_upload import ResumableUpload
from ..peers.tus_node import TusNode
from ..peers.tuspyserver import TuspyServer
from ..results import Measured
from ..spread import percentile
from ..wire import LoadError, Wire, expect
from ..workshop import tell
from .base import Row, ours_durable

_PIECE = 16 * KIB
#: Uploads that get their next piece at a time; between two lots the client sleeps.
_LOT = 10
_PROBE_PAUSE = 0.005


class Slow:
    """Many uploads that each get one piece a second.

    :param clients: connections.
    :param seconds: how long it goes on, which is how many pieces each upload has.
    """

    def __init__(self, dialect: Dialect, port: int, *, clients: int, seconds: int) -> None:
        self._dialect = dialect
        self._wires = [Wire(port) for _ in range(clients)]
        self._states: list[str] = []
        self._frames: list[Frame] = []
        self._size = seconds * _PIECE
        self._pieces = seconds

    def start(self) -> None:
        """Open all connections and send every request up to its first byte."""
        for wire in self._wires:
            state = begin(self._dialect, wire, self._size)
            frame = self._dialect.chunk(state, 0, self._size, self._size)
            self._states.append(state)
            self._frames.append(frame)
            wire.connection().sendall(frame.head + frame.before)

    def trickle(self, payload: Payload) -> None:
        """Send the bodies, a piece a second each."""
        for number in range(self._pieces):
            piece = payload.pieces(number * _PIECE, (number + 1) * _PIECE)[0]
            self._send(number, piece)

    def _send(self, number: int, piece: bytes | memoryview) -> None:
        lots = range(0, len(self._wires), _LOT)
        begun = time.monotonic()
        for at in lots:
            for wire, frame in zip(
                self._wires[at : at + _LOT], self._frames[at : at + _LOT], strict=True
            ):
                connection = wire.connection()
                connection.sendall(piece)
                if number == self._pieces - 1 and frame.after:
                    connection.sendall(frame.after)
            due = begun + (at + _LOT) / len(self._wires)
            time.sleep(max(0.0, due - time.monotonic()))

    def errors(self) -> int:
        """Read all replies; return how many say that the chunk was not taken."""
        failed = 0
        for wire, state in zip(self._wires, self._states, strict=True):
            try:
                self._dialect.taken(wire.reply(), state)
            except LoadError as error:
                if not failed:
                    tell(f"a slow upload failed: {error}")
                failed += 1
        return failed

    def close(self) -> None:
        """Hang up."""
        for wire in self._wires:
            wire.close()


def probe(
    dialect: Dialect, port: int, payload: Payload, ready: Any, stop: Any, answer: Any
) -> None:
    """Ask how far an upload is, again and again on one connection; send the seconds of each."""
    leave_signals_alone()
    seconds = []
    with Wire(port) as wire:
        state = begin(dialect, wire, 2 * _PIECE)
        state = send_chunk(dialect, wire, payload, state, 0, _PIECE, 2 * _PIECE)
        head = dialect.probe(state)
        ready.set()
        while not stop.is_set():
            asked = time.monotonic()
            expect(wire.ask(head), 200, 204)
            seconds.append(time.monotonic() - asked)
            time.sleep(_PROBE_PAUSE)
    answer.send(seconds)


def run_slow(runner: ServerRunner, payload: Payload, *, clients: int, seconds: int) -> Sample:
    """Measure one server under slow uploads."""
    service, dialect = runner.service, runner.dialect
    service.forget_peak()
    slow = Slow(dialect, service.port, clients=clients, seconds=seconds)
    try:
        slow.start()
        latencies = _probed(dialect, service.port, payload, lambda: slow.trickle(payload))
        errors = slow.errors()
    except OSError as error:
        raise LoadError(f"a slow upload was cut off: {error}") from error
    finally:
        slow.close()
    return {
        "probe": percentile(latencies, 0.5),
        "probe_p99": percentile(latencies, 0.99),
        "probe_worst": max(latencies),
        "errors": float(errors),
        "peak": float(service.memory().peak),
    }


def _probed(dialect: Dialect, port: int, payload: Payload, work: Any) -> Sequence[float]:
    """Return the latencies of a probe in a process of its own while ``work`` runs."""
    forking = multiprocessing.get_context("fork")
    ready, stop = forking.Event(), forking.Event()
    here, there = forking.Pipe(duplex=False)
    arguments = (dialect, port, payload, ready, stop, there)
    process = forking.Process(target=probe, args=arguments, daemon=True)
    process.start()
    there.close()
    try:
        if not ready.wait(60):
            raise LoadError("the probe was not answered within a minute")
        work()
        stop.set()
        if not here.poll(60):
            raise LoadError("the probe was not answered within a minute")
        found: Sequence[float] = here.recv()
        return found
    except EOFError:
        raise LoadError("the probe failed") from None
    finally:
        process.terminate()
        process.join()
        here.close()


def _slow(bench: Bench, measured: Measured) -> None:
    clients = max(1, int(1000 * min(bench.scale, 1.0)))
    seconds = bench.pick(quick=5, normal=10, long=20)
    turns = bench.pick(quick=1, normal=1, long=2)
    measured.setup = (
        f"{clients:,} connections, {_PIECE // KIB} KiB a second each for {seconds} s, one worker;"
        f" a probe every {_PROBE_PAUSE * 1000:.0f} ms; {turns} run{'s' * (turns > 1)} each"
    )
    contestants: list[Contestant] = [ours_durable(), TusNode(), TuspyServer()]
    if bench.extent == "long":
        name = "chunked-upload, durable, on Granian (1,100 threads)"
        contestants += [ResumableUpload(), Ours("ours-granian", name, on="granian", threads=1100)]

    def work(runner: Runner) -> Sample:
        assert isinstance(runner, ServerRunner)
        return run_slow(runner, bench.payload, clients=clients, seconds=seconds)

    bench.need(clients * seconds * _PIECE)
    with opened(bench, contestants, measured) as runners:
        for _ in range(turns):
            for key in list(runners):
                take_turn(runners, measured, key, work)


ROWS = [
    Row(
        "slow",
        "1,000 slow uploads with a fast probe",
        "The probe asks how far another upload is, on one kept-alive connection. Memory is the"
        " worker's peak meanwhile. The Django peers' and the naive view's workers serve one"
        " request at a time, so they cannot take part.",
        _slow,
        metrics=("probe", "probe_p99", "probe_worst", "errors", "peak"),
        baseline=None,
    ),
]
