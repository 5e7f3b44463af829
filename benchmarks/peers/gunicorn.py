"""What contestants under gunicorn share."""

from __future__ import annotations

from pathlib import Path

from ..process import Service
from ..workshop import APPS


def under_gunicorn(binaries: Path, app: str, *, workers: int, place: Path, files: Path) -> Service:
    """Return gunicorn with its default worker, which is its fastest for big bodies.

    The app is loaded, and its tables are made, once for all workers.

    :param app: module in ``apps`` and its callable.
    """
    return Service(
        [
            *(str(binaries / "gunicorn"), "--bind", "127.0.0.1:{port}"),
            *("--workers", str(workers), "--timeout", "600", "--preload", "--no-control-socket"),
            *("--chdir", str(APPS), app),
        ],
        directory=place,
        environment={"BENCH_PLACE": str(place), "BENCH_FILES": str(files), "TMPDIR": str(files)},
    )
