"""One big upload in 8 MiB chunks."""

from __future__ import annotations

from ..contest import Bench, contest
from ..load import GIB, MIB, Task
from ..peers.django_chunked_upload import DjangoChunkedUpload
from ..peers.limits import MD5, Dd, LeastFlask, LeastLoop, Sink
from ..peers.nginx import Nginx
from ..peers.ours import Ours
from ..results import Measured
from .base import Row, ours, ours_durable, ours_raw, peers

CHUNK = 8 * MIB


def _big(bench: Bench, measured: Measured) -> None:
    task = _task(bench, measured)
    limits = [LeastLoop(), MD5(), Sink()]
    contest(bench, measured, [ours(), ours_durable(), *peers(), *limits], task)


def _raw(bench: Bench, measured: Measured) -> None:
    task = _task(bench, measured)
    contest(
        bench,
        measured,
        [
            *(ours_raw(), ours_raw(durable=True), ours_raw(md5=False)),
            Nginx("nginx", "nginx, PUT of each chunk"),
            *(LeastFlask(verifies=False), Dd(), Dd(synced=True)),
        ],
        task,
    )


def _sha256(bench: Bench, measured: Measured) -> None:
    task = _task(bench, measured)
    sha256 = Ours("ours-sha256", "chunked-upload, SHA-256", durable=False, checksum="sha256")
    contest(bench, measured, [sha256, ours(), *peers()], task)


def _one(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=512 * MIB, long=GIB)
    measured.setup = f"one request of {size // MIB:,} MiB, {bench.turns}"
    contestants = [ours_raw(), ours_raw(md5=False), Nginx("nginx", "nginx, one PUT"), Dd()]
    contest(bench, measured, contestants, Task(size, size))


def _quick(bench: Bench, measured: Measured) -> None:
    task = _task(bench, measured)
    limits = [LeastLoop(), MD5()]
    contest(bench, measured, [ours(), ours_durable(), DjangoChunkedUpload(), *limits], task)


def _task(bench: Bench, measured: Measured) -> Task:
    size = bench.size(quick=512 * MIB, normal=512 * MIB, long=GIB)
    measured.setup = f"{size // MIB:,} MiB, one client, one worker, {bench.turns}"
    return Task(size, CHUNK)


_METRICS = ("speed", "complete", "cpu")

ROWS = [
    Row(
        "quick",
        "Quick look",
        "One upload in 8 MiB multipart chunks, completed with its MD5.",
        _quick,
        metrics=_METRICS,
        extents=("quick",),
    ),
    Row(
        "big",
        "One big upload, 8 MiB chunks",
        "Each in its own protocol: multipart forms for the first six, raw bodies for tus. The time"
        " includes completion, where ours and the two Django ones verify the MD5.",
        _big,
        metrics=_METRICS,
    ),
    Row(
        "raw",
        "The same, raw bodies",
        "Beside the machine's limits: nginx stores each chunk as a file of its own; dd writes"
        " blocks of the chunks' size.",
        _raw,
        metrics=_METRICS,
        baseline="ours-raw",
    ),
    Row(
        "sha256",
        "One big upload, 8 MiB chunks, SHA-256",
        "SHA-256 in place of MD5, which processors with instructions for it compute faster.",
        _sha256,
        metrics=_METRICS,
        baseline="ours-sha256",
    ),
    Row(
        "one-request",
        "The same in one request",
        "The whole file as one raw body.",
        _one,
        metrics=_METRICS,
        baseline="ours-raw",
    ),
]
