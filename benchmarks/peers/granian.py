"""Granian as contestants with a WSGI app use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..process import Service
from ..workshop import APPS


def on_granian(
    programs: Path, app: str, *, workers: int, place: Path, environment: Mapping[str, str]
) -> Service:
    """Return a service that runs ``app`` of the folder ``apps``.

    :param programs: the virtual environment's ``bin``.
    """
    return Service(
        [
            *(str(programs / "granian"), "--interface", "wsgi", "--port", "{port}"),
            *("--workers", str(workers), "--http", "1", "--no-ws"),
            *("--working-dir", str(APPS), app),
        ],
        directory=place,
        environment=environment,
    )
