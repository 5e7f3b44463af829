"""A row, and the contestants as the rows name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..contest import Bench
from ..peers.base import Peer
from ..peers.django_chunked_upload import DjangoChunkedUpload
from ..peers.drf_chunked_upload import DrfChunkedUpload
from ..peers.naive_flask import NaiveFlask
from ..peers.ours import Ours
from ..peers.resumable_upload import ResumableUpload
from ..peers.tus_node import TusNode
from ..peers.tuspyserver import TuspyServer
from ..results import Measured


@dataclass(frozen=True)
class Row:
    """One row.

    :param title: its heading in the report.
    :param about: what is done, in a sentence or two.
    :param extents: the runs that include it.
    :param metrics: those that the report shows.
    :param baseline: contestant to which the report compares the others.
    """

    name: str
    title: str
    about: str
    measure: Callable[[Bench, Measured], None]
    metrics: tuple[str, ...]
    baseline: str | None = "ours"
    extents: tuple[str, ...] = ("normal", "long")


def ours(*, workers: int = 1) -> Ours:
    """Return this server as the peers are run: not durable."""
    return Ours("ours", "chunked-upload, not durable", durable=False, workers=workers)


def ours_raw(*, durable: bool = False, md5: bool = True) -> Ours:
    """Return this server as raw chunks reach it."""
    key = "ours-raw" + ("-durable" if durable else "") + ("" if md5 else "-no-md5")
    how = "durable" if durable else "not durable"
    title = f"chunked-upload, raw, {how}" + ("" if md5 else ", no MD5")
    return Ours(key, title, durable=durable, checksum="md5" if md5 else "", protocol="raw")


def peers(*, workers: int = 1) -> list[Peer]:
    """Return what a user would take instead."""
    return [
        DjangoChunkedUpload(workers=workers),
        DrfChunkedUpload(workers=workers),
        NaiveFlask(workers=workers),
        NaiveFlask(workers=workers, granian=True),
        TusNode(workers=workers),
        TuspyServer(workers=workers),
        ResumableUpload(workers=workers),
    ]


def ours_durable(*, workers: int = 1) -> Ours:
    """Return this server as it is by default."""
    return Ours("ours-durable", "chunked-upload, durable (default)", workers=workers)
