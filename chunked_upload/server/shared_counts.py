"""The folder in which the server's processes keep what they count (chunked_upload/metrics).

prometheus-client finds it in the environment. Every process writes files of its own there, and any
of them tells the sums. The counts of a worker that has ended stay, or sums would go back; what it
held at the moment (connections) goes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask

from chunked_upload.metrics.counting import DIRECTORY_VARIABLE

from .private_files import make_folder


def share_counts(app: Flask) -> None:
    """Have this process and those that it starts count in the instance folder."""
    if not os.environ.get(DIRECTORY_VARIABLE):
        make_folder(_folder(app))
        os.environ[DIRECTORY_VARIABLE] = str(_folder(app))


def forget_counts(app: Flask) -> None:
    """Remove the counts of an earlier run, before this one's first worker starts."""
    for file in _folder(app).glob("*"):
        file.unlink(missing_ok=True)


def worker_ended(_arbiter: Any, worker: Any) -> None:
    """Remove what a worker held at the moment; gunicorn calls this for each that has ended.

    An error here would end the server. The variable may be set for another program.
    """
    if os.environ.get(DIRECTORY_VARIABLE):
        with suppress(ImportError, OSError):
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(worker.pid)


def _folder(app: Flask) -> Path:
    return Path(app.instance_path) / "metrics"
