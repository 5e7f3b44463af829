"""The tus protocol beside other tus servers: the same PATCH requests to each of them."""

from __future__ import annotations

from ..contest import Bench, contest
from ..load import KIB, MIB, Task
from ..peers.base import Peer
from ..peers.limits import Sink
from ..peers.ours import Ours
from ..peers.resumable_upload import ResumableUpload
from ..peers.tus_node import TusNode
from ..peers.tusd import Tusd
from ..peers.tuspyserver import TuspyServer
from ..results import Measured
from .base import Row

_BIG = 8 * MIB
_SMALL = 64 * KIB
_CLIENTS = 16


def _single_big(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=512 * MIB, long=1024 * MIB)
    measured.setup = f"{size // MIB:,} MiB, one client, one worker, {bench.turns}"
    contest(bench, measured, _contestants(), Task(size, _BIG))


def _single_small(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=32 * MIB, long=64 * MIB)
    measured.setup = f"{size // _SMALL:,} chunks, one client, one worker, {bench.turns}"
    contest(bench, measured, _contestants(), Task(size, _SMALL))


def _crowd_big(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=16 * MIB, long=64 * MIB)
    measured.setup = f"{_CLIENTS} uploads of {size // MIB} MiB, two workers, {bench.turns}"
    contest(bench, measured, _contestants(workers=2), Task(size, _BIG), clients=_CLIENTS)


def _crowd_small(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=4 * MIB, long=16 * MIB)
    chunks = size // _SMALL
    measured.setup = f"{_CLIENTS} clients with {chunks:,} chunks each, two workers, {bench.turns}"
    contest(bench, measured, _contestants(workers=2), Task(size, _SMALL), clients=_CLIENTS)


def _contestants(*, workers: int = 1) -> list[Peer]:
    """Return this server durable or not, with and without MD5, and the others that speak tus."""
    ways = [(durable, md5) for durable in (False, True) for md5 in (False, True)]
    return [
        *(_ours(durable=durable, md5=md5, workers=workers) for durable, md5 in ways),
        TusNode(workers=workers),
        TuspyServer(workers=workers),
        ResumableUpload(workers=workers),
        Tusd(workers=workers),
        Sink(workers=workers),
    ]


def _ours(*, durable: bool, md5: bool, workers: int) -> Ours:
    key = "ours-tus" + ("-durable" if durable else "") + ("" if md5 else "-no-md5")
    how = "durable" if durable else "not durable"
    title = f"chunked-upload, tus, {how}" + ("" if md5 else ", no MD5")
    return Ours(
        key, title, durable=durable, checksum="md5" if md5 else "", protocol="tus", workers=workers
    )


_ABOUT = "Creation and completion are included. No other tus server syncs or keeps a checksum."

#: What is compared with them: the same work, no sync and no checksum.
_BASELINE = "ours-tus-no-md5"

ROWS = [
    Row(
        "patch",
        "tus: PATCH of 8 MiB, one client",
        _ABOUT,
        _single_big,
        metrics=("speed", "cpu"),
        baseline=_BASELINE,
    ),
    Row(
        "patch-crowd",
        "tus: PATCH of 8 MiB, 16 clients",
        f"{_ABOUT} resumable-upload's server and tusd have one process only.",
        _crowd_big,
        metrics=("speed", "cpu"),
        baseline=_BASELINE,
    ),
    Row(
        "patch-small",
        "tus: PATCH of 64 KiB, one client",
        _ABOUT,
        _single_small,
        metrics=("rate", "cpu"),
        baseline=_BASELINE,
    ),
    Row(
        "patch-small-crowd",
        "tus: PATCH of 64 KiB, 16 clients",
        f"{_ABOUT} resumable-upload's server and tusd have one process only.",
        _crowd_small,
        metrics=("rate", "cpu"),
        baseline=_BASELINE,
    ),
]
