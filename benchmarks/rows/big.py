"""One big upload in 8 MiB chunks."""

from __future__ import annotations

from ..contest import Bench, contest
from ..load import MIB, Task
from ..peers.django_chunked_upload import DjangoChunkedUpload
from ..peers.limits import MD5
from ..results import Measured
from .base import ROWS, Row, ours, ours_durable

CHUNK = 8 * MIB


def _quick(bench: Bench, measured: Measured) -> None:
    task = Task(512 * MIB, CHUNK)
    measured.setup = f"512 MiB, one client, {bench.repetitions} runs each"
    contest(bench, measured, [ours(), ours_durable(), DjangoChunkedUpload(), MD5()], task)


ROWS.append(
    Row(
        "quick",
        "Quick look",
        "One upload in 8 MiB multipart chunks, completed with its MD5.",
        _quick,
        metrics=("speed", "complete", "cpu"),
        extents=("quick",),
    )
)
