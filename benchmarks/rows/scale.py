"""What must not depend on history: the cost of a chunk with a full table, and far into a file.

A million records are made by copying a real one within the database. An upload of 1 TiB is made of
a real one as well: its part is extended with truncate (a sparse file: there is no room for the
bytes) and its record is told that so much has been received. From there on everything is real.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from tests.support import s3

from ..contest import Bench, opened, take_turn
from ..load import KIB, Payload, begin, send_chunk
from ..peers.base import Runner, Sample, ServerRunner
from ..peers.ours import Ours
from ..results import Measured
from ..wire import Wire
from .base import Row
from .databases import postgresql, sqlite_uri

_CHUNK = 64 * KIB
_TIB = 1024**4
_TABLE = "chunked_upload"


class Continuing:
    """An upload without end: a run adds some chunks where the last one stopped."""

    def __init__(self, runner: ServerRunner, payload: Payload) -> None:
        self._runner = runner
        self._payload = payload
        self._wire = Wire(runner.service.port)
        self.offset = 0
        self.state = begin(runner.dialect, self._wire, 4 * _TIB)
        self.send(1)

    def reconnect(self) -> None:
        """Take a new connection: the server closes one that has been idle for long."""
        self._wire.close()
        self._wire = Wire(self._runner.service.port)

    def send(self, chunks: int) -> Sample:
        """Send chunks and tell their rate."""
        begun = time.monotonic()
        for _ in range(chunks):
            # The bytes themselves may repeat.
            stop = self.offset + _CHUNK
            self.state = send_chunk(
                self._runner.dialect,
                self._wire,
                self._payload,
                self.state,
                self.offset,
                stop,
                4 * _TIB,
            )
            self.offset = stop
        return {"rate": chunks / (time.monotonic() - begun)}


def fill(uri: str, records: int) -> None:
    """Copy the table's one record until there are ``records``, each with ids of its own."""
    engine = sa.create_engine(uri)
    table = sa.Table(_TABLE, sa.MetaData(), autoload_with=engine)
    if engine.dialect.name == "sqlite":
        fresh: sa.ColumnElement[str] = sa.func.lower(sa.func.hex(sa.func.randomblob(16)))
    else:
        uuid = sa.cast(sa.func.gen_random_uuid(), sa.String)
        fresh = sa.func.replace(uuid, "-", "")
    own = {"upload_id": fresh, "visitor": fresh, "quota_key": fresh}
    names = [column.name for column in table.columns if column.name != "id"]
    count = 1
    with engine.begin() as connection:
        while count < records:
            some = sa.select(*(own.get(name, table.c[name]) for name in names))
            some = some.limit(records - count)
            connection.execute(sa.insert(table).from_select(names, some))
            count = min(2 * count, records)
    engine.dispose()


def move_far(uri: str, files: Path, upload_id: str, offset: int) -> None:
    """Make an upload believe that it has received ``offset`` bytes."""
    (part,) = files.rglob(f"{upload_id}.part")
    os.truncate(part, offset)
    engine = sa.create_engine(uri)
    table = sa.Table(_TABLE, sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        done = connection.execute(
            sa.update(table)
            .where(table.c.upload_id == upload_id)
            .values(offset=offset, checksum_states={"md5": {"offset": offset}})
        )
        assert done.rowcount == 1
    engine.dispose()


def _records(bench: Bench, measured: Measured) -> None:
    records = max(1000, int(1_000_000 * min(bench.scale, 1.0)))
    chunks = bench.pick(quick=100, normal=200, long=500)
    measured.setup = f"{records:,} records; {chunks} chunks of 64 KiB a run, {bench.turns}"
    _compare_tables(bench, measured, records, chunks, None, None, "SQLite")
    if bench.extent != "long":
        return
    with postgresql(measured, 2) as (first, second):
        if first and second:
            _compare_tables(bench, measured, records, chunks, first, second, "PostgreSQL")


def _records_in_store(bench: Bench, measured: Measured) -> None:
    records = max(1000, int(1_000_000 * min(bench.scale, 1.0)))
    chunks = bench.pick(quick=50, normal=100, long=500)
    measured.setup = (
        f"{records:,} open uploads in PostgreSQL, bytes in versitygw; {chunks} chunks of 64 KiB a"
        f" run, {bench.turns}"
    )
    place = bench.place / "versitygw"
    place.mkdir(parents=True, exist_ok=True)
    try:
        with postgresql(measured, 2) as (first, second), s3.versitygw(place) as store:
            more = {
                "CHUNKED_UPLOAD_STORAGE": f"s3://{store.bucket()}",
                "CHUNKED_UPLOAD_S3_ENDPOINT": store.url,
            }
            if first and second:
                _compare_tables(bench, measured, records, chunks, first, second, "S3", more)
    except pytest.skip.Exception as error:
        measured.skip("s3 full", str(error))


def _compare_tables(
    bench: Bench,
    measured: Measured,
    records: int,
    chunks: int,
    empty_uri: str | None,
    full_uri: str | None,
    name: str,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    key, kept = name.lower(), f"{name}, {records:,} records"
    empty = Ours(f"{key} empty", f"{name}, empty", durable=False, database=empty_uri, more=more)
    full = Ours(f"{key} full", kept, durable=False, database=full_uri, more=more)
    with opened(bench, [empty, full], measured) as runners:
        uploads: dict[str, Continuing] = {}
        for key, runner in runners.items():
            assert isinstance(runner, ServerRunner)
            uploads[key] = Continuing(runner, bench.payload)
        if full.key in runners:
            fill(full_uri or sqlite_uri(bench.place / full.key), records)
            for upload in uploads.values():
                upload.reconnect()
        _take_turns(bench, measured, runners, uploads, chunks)


def _far(bench: Bench, measured: Measured) -> None:
    chunks = bench.pick(quick=100, normal=200, long=500)
    measured.setup = f"{chunks} chunks of 64 KiB a run, SQLite, {bench.turns}"
    near = Ours("near", "from offset 0", durable=False)
    far = Ours("far", "from offset 1 TiB", durable=False)
    with opened(bench, [near, far], measured) as runners:
        uploads: dict[str, Continuing] = {}
        for key, runner in runners.items():
            assert isinstance(runner, ServerRunner)
            uploads[key] = Continuing(runner, bench.payload)
            if key == far.key:
                place = bench.place / key
                move_far(sqlite_uri(place), runner.files, uploads[key].state, _TIB)
                uploads[key].offset = _TIB
        _take_turns(bench, measured, runners, uploads, chunks)


def _take_turns(
    bench: Bench,
    measured: Measured,
    runners: dict[str, Runner],
    uploads: dict[str, Continuing],
    chunks: int,
) -> None:
    def sending(key: str) -> Callable[[Runner], Sample]:
        return lambda runner: uploads[key].send(chunks)

    for key in list(runners):
        take_turn(runners, measured, key, sending(key), count=False, clean=False)
    # Differences are small here, and runs short.
    for _ in range(2 * bench.repetitions):
        for key in list(runners):
            take_turn(runners, measured, key, sending(key), clean=False)


ROWS = [
    Row(
        "records",
        "A chunk's cost with a million records",
        "Ours with an empty table and with one of a million uploads, in turns.",
        _records,
        metrics=("rate",),
        baseline="sqlite empty",
    ),
    Row(
        "records-s3",
        "A chunk's cost with a million open uploads, bytes in a store",
        "Ours with PostgreSQL and versitygw, with an empty table and a full one, in turns.",
        _records_in_store,
        metrics=("rate",),
        baseline="s3 empty",
    ),
    Row(
        "far",
        "A chunk's cost at offset 1 TiB",
        "The part is sparse: extended with truncate, and the record told so. What follows is real.",
        _far,
        metrics=("rate",),
        baseline="near",
    ),
]
