"""Ranges in any order, at the engine: several threads and processes fill one upload together.

Duplicates of stored bytes are accepted, other bytes for them are refused, and the upload is
complete exactly when no gap is left.
"""

from __future__ import annotations

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.engine import ranges
from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import BytesDiffer, NotComplete, OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.server.app import create_app
from tests.faults import support_writer
from tests.faults.support_operations import pipe
from tests.faults.support_writer import (
    COUNTED,
    content_of,
    engine_of,
    fetch,
    fill,
    new_upload,
    send,
)
from tests.support import preloaded
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, Run, row
from tests.support.site import Site


def make_app(run: Run, at: Site, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Make an app in this process on a site's instance and database."""
    for key, value in at.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(at.server.instance))
    return create_app()


def check_whole(run: Run, engine: UploadEngine, upload_id: str, content: bytes) -> None:
    """No gap, the right bytes, the right MD5."""
    record = fetch(engine, upload_id)
    run.check(engine.gaps(record) == [], f"gaps {engine.gaps(record)}")
    run.check(record.offset == len(content), f"offset {record.offset}")
    stored = b"".join(engine.storage.read_part(fetch(engine, upload_id), 0, len(content)))
    run.check(stored == content, "other bytes are stored than were acknowledged")
    run.check(engine.completion.checksums(record)["md5"] == md5_of(content), "the MD5 is wrong")


@row("parallel ranges, threads", databases=BOTH)
def test_threads_fill_one_upload_in_any_order(run: Run) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        at = Site(run)
        app = make_app(run, at, monkeypatch)
        at.migrate()
        for _ in range(run.amount(reduced=2, full=40)):
            run.tried()
            seed = run.random.randrange(2**32)
            with app.app_context():
                upload_id = new_upload(engine_of(app))

            def work(index: int, seed: int = seed, upload_id: str = upload_id) -> dict[str, int]:
                with app.app_context():
                    chooser = random.Random(seed + index + 1)
                    return fill(engine_of(app), upload_id, seed, chooser)

            with ThreadPoolExecutor(6) as pool:
                for told in pool.map(work, range(6)):
                    _count(run, told)
            with app.app_context():
                check_whole(run, engine_of(app), upload_id, content_of(seed))
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


@row("parallel ranges, processes", databases=BOTH)
def test_processes_fill_one_upload_in_any_order(run: Run) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        at = Site(run)
        app = make_app(run, at, monkeypatch)
        at.migrate()
        for _ in range(run.amount(reduced=1, full=10)):
            run.tried()
            seed = run.random.randrange(2**32)
            with app.app_context():
                upload_id = new_upload(engine_of(app))
            writers = [
                Writer(run, upload_id, seed, index)
                for index in range(run.amount(reduced=2, full=4))
            ]
            for writer in writers:  # all begin when the last one is ready
                writer.wait_until_ready()
            for writer in writers:
                writer.go()
            for writer in writers:
                told = writer.result()
                if told is None:
                    run.violation("a writing process failed")
                else:
                    _count(run, told)
            with app.app_context():
                check_whole(run, engine_of(app), upload_id, content_of(seed))
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


class Writer:
    """A writing process (support_writer.py)."""

    def __init__(self, run: Run, upload_id: str, seed: int, index: int) -> None:
        given, self._given = pipe()
        self._said, said = pipe()
        with given, said, (run.directory / "writers.log").open("ab") as log:
            self._process = preloaded.start(
                [sys.executable, "-m", support_writer.__name__, upload_id, str(seed), str(index)],
                cwd=Path.cwd(),
                env=os.environ,
                given=given,
                output=said,
                errors=log,
            )

    def wait_until_ready(self) -> None:
        self._said.readline()

    def go(self) -> None:
        self._given.write("go\n")
        self._given.close()

    def result(self) -> dict[str, int] | None:
        """Return what it was answered; None if it failed."""
        with self._said:
            told = self._said.read().split()
        if self._process.wait(250) != 0:
            return None
        return dict(zip(COUNTED, map(int, told), strict=True))


def _count(run: Run, told: dict[str, int]) -> None:
    for name in COUNTED[:3]:
        run.count(f"chunks {name}", told[name])
    run.check(not told["wrong"], f"{told['wrong']} overlaps were judged wrongly")


# The rules, one at a time


@pytest.fixture
def engine(app: Flask) -> UploadEngine:
    return engine_of(app)


def test_offset_is_the_prefix_and_gaps_are_listed(app: Flask, engine: UploadEngine) -> None:
    with app.app_context():
        upload_id = new_upload(engine, 100)
        assert engine.gaps(fetch(engine, upload_id)) == [[0, 100]]
        record = send(engine, upload_id, b"d" * 10, 30)
        assert (record.offset, engine.gaps(record)) == (0, [[0, 30], [40, 100]])
        record = send(engine, upload_id, b"a" * 10, 0)
        assert (record.offset, engine.gaps(record)) == (10, [[10, 30], [40, 100]])
        record = send(engine, upload_id, b"b" * 20, 10)
        assert (record.offset, engine.gaps(record)) == (40, [[40, 100]])


def test_upload_with_a_gap_is_not_complete(app: Flask, engine: UploadEngine) -> None:
    with app.app_context():
        upload_id = new_upload(engine, 100)
        record = send(engine, upload_id, b"z" * 50, 50)
        with pytest.raises(NotComplete):
            engine.completion.checksums(record)["md5"]
        with pytest.raises(NotComplete):
            engine.completion.promote(record)


def test_overlap_with_differing_bytes_is_refused_and_changes_nothing(
    app: Flask, engine: UploadEngine
) -> None:
    with app.app_context():
        upload_id = new_upload(engine, 100)
        send(engine, upload_id, b"m" * 20, 40)
        with pytest.raises(BytesDiffer):
            send(engine, upload_id, b"n" * 30, 30)
        record = fetch(engine, upload_id)
        assert engine.gaps(record) == [[0, 40], [60, 100]]
        assert b"".join(engine.storage.read_part(fetch(engine, upload_id), 40, 60)) == b"m" * 20


def test_overlap_with_the_same_bytes_is_accepted(app: Flask, engine: UploadEngine) -> None:
    content = content_of(1, 100)
    with app.app_context():
        upload_id = new_upload(engine, 100)
        send(engine, upload_id, content[40:60], 40)
        send(engine, upload_id, content[30:70], 30)
        send(engine, upload_id, content[45:50], 45)
        record = send(engine, upload_id, content, 0)
        assert record.offset == 100
        assert engine.completion.checksums(record)["md5"] == md5_of(content)


def test_writer_whose_lease_was_preempted_commits_nothing(app: Flask, engine: UploadEngine) -> None:
    """There is room for so many writers at a time; the oldest loses its place, and must notice."""
    crowd = 70
    with app.app_context():
        upload_id = new_upload(engine, 100_000)
        old = engine.begin(
            fetch(engine, upload_id),
            WritePlan(start=0, stop=100, total=100_000, placement=Placement.ANYWHERE),
        )
        old.write(b"o" * 100)
        old.finish_whole()
        others = [
            engine.begin(
                fetch(engine, upload_id),
                WritePlan(
                    start=1000 * i, stop=1000 * i + 1, total=100_000, placement=Placement.ANYWHERE
                ),
            )
            for i in range(1, crowd)
        ]
        new = engine.begin(
            fetch(engine, upload_id),
            WritePlan(start=0, stop=100, total=100_000, placement=Placement.ANYWHERE),
        )
        with old, pytest.raises(OffsetMismatch):
            old.commit()
        with new:
            new.write(b"n" * 100)
            new.finish_whole()
            new.commit()
        for other in others:
            other.__exit__()
        assert b"".join(engine.storage.read_part(fetch(engine, upload_id), 0, 100)) == b"n" * 100


# Interval arithmetic against sets of integers

_EDGE = st.integers(0, 40)
_PAIRS = st.lists(st.tuples(_EDGE, _EDGE), max_size=12)


def _as_set(pairs: object) -> set[int]:
    return {byte for low, high in pairs for byte in range(low, high)}  # type: ignore[attr-defined]


def _built(pairs: list[tuple[int, int]]) -> ranges.Ranges:
    built: ranges.Ranges = []
    for low, high in pairs:
        built = ranges.add(built, low, high)
    return built


@given(_PAIRS)
def test_added_ranges_are_the_union_sorted_and_apart(pairs: list[tuple[int, int]]) -> None:
    built = _built(pairs)
    assert _as_set(built) == _as_set(pairs)
    assert all(low < high for low, high in built)
    assert all(one[1] < two[0] for one, two in pairwise(built))


@given(_PAIRS, _EDGE)
def test_settling_keeps_every_byte_and_leaves_a_gap_after_the_prefix(
    pairs: list[tuple[int, int]], prefix: int
) -> None:
    grown, beyond = ranges.settle(prefix, _built(pairs))
    assert _as_set([(0, grown)]) | _as_set(beyond) == _as_set([(0, prefix)]) | _as_set(pairs)
    assert all(low > grown for low, _ in beyond)


@given(_PAIRS, _EDGE)
def test_gaps_are_what_is_missing(pairs: list[tuple[int, int]], prefix: int) -> None:
    prefix, beyond = ranges.settle(prefix, _built(pairs))
    missing = ranges.gaps(prefix, beyond, 41)
    have = _as_set([(0, prefix)]) | _as_set(beyond)
    assert _as_set(missing) == set(range(41)) - have
    assert missing == _built([(low, high) for low, high in missing])


@given(_PAIRS, _EDGE, st.integers(1, 40))
def test_split_pieces_follow_each_other_and_say_what_is_stored(
    pairs: list[tuple[int, int]], start: int, size: int
) -> None:
    stop = start + size
    built = _built(pairs)
    pieces = list(ranges.split(built, start, stop))
    position = start
    for low, high, stored in pieces:
        assert low == position < high
        assert _as_set([(low, high)]) <= _as_set(built) if stored else True
        assert stored or not _as_set([(low, high)]) & _as_set(built)
        position = high
    assert position == stop
