"""A model of parallel ranges at the engine: chunks open at the same time, in any order.

Chunks begin, write a piece, are committed, dropped or abandoned (as by a process that is killed),
one step at a time in an order that hypothesis chooses. The model is a map of stored bytes; a chunk
is *preempted* as soon as a later one takes a byte of its range.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from flask import Flask
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from chunked_upload import ChunkedUpload
from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import BytesDiffer, NotComplete, OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record
from tests.conftest import create_tables
from tests.support.protocol import md5_of
from tests.support.scorecard import SQLITE, Run, row

LENGTH = 60
EDGES = st.integers(0, LENGTH - 1)


@dataclass
class Open:
    """A chunk that has begun: what it wants to write, and how far it is."""

    chunk: Chunk
    start: int
    data: bytes
    lie: int | None  #: first byte that contradicts what was stored when it began
    written: int = 0
    preempted: bool = False

    @property
    def stop(self) -> int:
        return self.start + len(self.data)


class Ranges(RuleBasedStateMachine):
    """The rules; ``app`` and ``run`` are set by the test."""

    app: ClassVar[Flask]
    run: ClassVar[Run]

    def __init__(self) -> None:
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        self.engine: UploadEngine = self.app.extensions["chunked_upload"]["chunked_upload"].engine
        self.stored: dict[int, int] = {}
        self.open: list[Open] = []
        self.abandoned: list[Open] = []
        self.checked = False
        self.run.tried()

    @initialize()
    def create(self) -> None:
        record: Record = self.engine.records.model(filename="file.bin", length=LENGTH)
        self.engine.create(record)
        self.upload_id = record.upload_id

    def teardown(self) -> None:
        for opened in self.open + self.abandoned:
            opened.chunk.__exit__()
        self.context.pop()

    def fetch(self) -> Record:
        return self.engine.find(
            select(self.engine.records.model).filter_by(upload_id=self.upload_id)
        )

    @precondition(lambda self: len(self.open) < 6)
    @rule(start=EDGES, size=st.integers(1, 25), truth=st.integers(0, 2), noise=st.randoms())
    def begin(self, start: int, size: int, truth: int, noise: random.Random) -> None:
        """Take the lease of a range; two of three times without contradicting what is stored."""
        data = bytearray(noise.randbytes(min(size, LENGTH - start)))
        for at in range(len(data)):
            if truth and start + at in self.stored:
                data[at] = self.stored[start + at]
        lies = [at for at, byte in enumerate(data) if self.stored.get(start + at, byte) != byte]
        for other in self.open + self.abandoned:
            if other.start < start + len(data) and start < other.stop:
                other.preempted = True
        chunk = self.engine.begin(
            self.fetch(),
            WritePlan(
                start=start, stop=start + len(data), total=LENGTH, placement=Placement.ANYWHERE
            ),
        )
        self.open.append(Open(chunk, start, bytes(data), lies[0] if lies else None))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5), size=st.integers(1, 30))
    def write(self, which: int, size: int) -> None:
        """Write the next piece of one of the open chunks."""
        opened = self.open[which % len(self.open)]
        piece = opened.data[opened.written : opened.written + size]
        if not piece:
            return
        end = opened.written + len(piece)
        contradicts = opened.lie is not None and opened.lie < end
        try:
            opened.chunk.write(piece)
        except BytesDiffer:
            assert contradicts, "identical bytes were refused"
            self.drop(which)
        except OffsetMismatch:
            assert opened.preempted, "refused although nobody had taken over"
            self.drop(which)
        else:
            assert not contradicts, "differing bytes were accepted"
            opened.written = end

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5))
    def commit(self, which: int) -> None:
        """Record what has been written of one of the open chunks."""
        opened = self.open.pop(which % len(self.open))
        with opened.chunk as chunk:
            chunk.finish_prefix()
            if opened.preempted:
                # It may be all that it wrote was stored before; then there is nothing to refuse.
                with suppress(OffsetMismatch):
                    chunk.commit()
                    self.check_nothing_new(opened)
                return
            chunk.commit()
        self.run.count("commits")
        for at, byte in enumerate(opened.data[: opened.written], opened.start):
            assert self.stored.setdefault(at, byte) == byte, "stored bytes were overwritten"

    def check_nothing_new(self, opened: Open) -> None:
        span = range(opened.start, opened.start + opened.written)
        assert all(at in self.stored for at in span), "a preempted chunk was committed"

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 5))
    def drop(self, which: int) -> None:
        """End a chunk without a commit, as a broken connection does."""
        with self.open.pop(which % len(self.open)).chunk:
            pass

    @precondition(lambda self: self.open and len(self.abandoned) < 20)
    @rule(which=st.integers(0, 5))
    def abandon(self, which: int) -> None:
        """Leave a chunk and its lease behind, as a killed process does."""
        self.abandoned.append(self.open.pop(which % len(self.open)))

    @precondition(lambda self: len(self.stored) == LENGTH and not self.checked)
    @rule()
    def check_md5(self) -> None:
        self.checked = True
        content = bytes(self.stored[at] for at in range(LENGTH))
        assert self.engine.completion.checksums(self.fetch())["md5"] == md5_of(content)
        self.run.count("complete files")

    @precondition(lambda self: len(self.stored) < LENGTH)
    @rule()
    def completion_is_refused(self) -> None:
        with pytest.raises(NotComplete):
            self.engine.completion.checksums(self.fetch())["md5"]

    @precondition(lambda self: LENGTH * 2 // 3 < len(self.stored) < LENGTH)
    @rule(noise=st.randoms())
    def fill_all_gaps(self, noise: random.Random) -> None:
        """Close every gap, one chunk each, in any order."""
        gaps = self.engine.gaps(self.fetch())
        noise.shuffle(gaps)
        for low, high in gaps:
            for other in self.open + self.abandoned:
                if other.start < high and low < other.stop:
                    other.preempted = True
            data = noise.randbytes(high - low)
            with self.engine.begin(
                self.fetch(),
                WritePlan(start=low, stop=high, total=LENGTH, placement=Placement.ANYWHERE),
            ) as chunk:
                chunk.write(data)
                chunk.finish_whole()
                chunk.commit()
            self.stored |= dict(enumerate(data, low))

    @invariant()
    def record_is_as_the_model(self) -> None:
        if not hasattr(self, "upload_id"):
            return
        record = self.fetch()
        prefix = next((at for at in range(LENGTH) if at not in self.stored), LENGTH)
        assert record.offset == prefix
        missing = {at for low, high in self.engine.gaps(record) for at in range(low, high)}
        assert missing == set(range(LENGTH)) - set(self.stored)
        part = self.engine.storage.read_part
        for low, high in [[0, record.offset], *record.received]:
            found = b"".join(part(record, low, high)) if low < high else b""
            assert found == bytes(self.stored[at] for at in range(low, high)), "other bytes"


@row("stateful model of parallel ranges", databases=(SQLITE,))
def test_engine_agrees_with_the_model_of_ranges(run: Run) -> None:
    app = make_app(run.directory)
    Ranges.app, Ranges.run = app, run
    options = settings(
        max_examples=run.amount(reduced=25, full=1500),
        stateful_step_count=run.amount(reduced=25, full=60),
        deadline=None,
        database=InMemoryExampleDatabase(),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(run.seed)(Ranges), settings=options)
    finally:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


def make_app(directory: Path) -> Flask:
    """Make an app that keeps its records in memory: this is about rules, not about durability."""
    app = Flask("tests", instance_path=str(directory / "instance"))
    app.config.update(
        SECRET_KEY="tests",
        SQLALCHEMY_DATABASE_URI="sqlite:///:memory:",
        CHUNKED_UPLOAD_DURABLE=False,
    )
    ChunkedUpload(app)
    create_tables(app)
    return app
