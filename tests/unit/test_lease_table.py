"""Leases against a model: overlapping ones are preempted, whatever the order of events."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chunked_upload.storage.base import LeaseLost, StorageBusy
from chunked_upload.storage.local import lease_table
from chunked_upload.storage.local.lease_table import OPEN_END, SLOTS, Entry
from tests.support.examples import examples

spans = st.tuples(st.integers(0, 40), st.none() | st.integers(0, 40)).map(
    lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Open the side file, each time as another request does."""
    descriptors: list[int] = []

    def open_side() -> int:
        descriptors.append(os.open(tmp_path / "side", os.O_RDWR | os.O_CREAT, 0o600))
        return descriptors[-1]

    yield open_side
    for descriptor in descriptors:
        os.close(descriptor)


def stands(entry: Entry) -> bool:
    try:
        with entry.held():
            return True
    except LeaseLost:
        return False


class Model(RuleBasedStateMachine):
    """Up to a table full of writers; an entry stands until an overlapping one comes or it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "side"
        self.descriptors: list[int] = []
        self.standing: list[tuple[Entry, int, int]] = []
        self.gone: list[Entry] = []
        self.numbers: set[int] = set()

    def open(self) -> int:
        self.descriptors.append(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        return self.descriptors[-1]

    @precondition(lambda self: len(self.standing) < SLOTS)
    @rule(span=spans)
    def entry(self, span: tuple[int, int | None]) -> None:
        start, stop = span
        end = OPEN_END if stop is None else stop
        preempted = [one for one in self.standing if one[1] < end and start < one[2]]
        entry = Entry(self.open(), start, stop)
        assert entry.preempted == bool(preempted)
        assert entry.number not in self.numbers
        self.numbers.add(entry.number)
        self.gone += [one[0] for one in preempted]
        self.standing = [one for one in self.standing if one not in preempted]
        self.standing.append((entry, start, end))

    @precondition(lambda self: self.standing)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(range(len(self.standing))))
        entry, *_ = self.standing.pop(chosen)
        entry.release()
        self.gone.append(entry)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def release_again(self, data: st.DataObject) -> None:
        """A writer that was preempted out gives back what is no longer its."""
        self.gone[data.draw(st.sampled_from(range(len(self.gone))))].release()

    @rule()
    def end_all(self) -> None:
        """The upload is removed; the next request works on its own files."""
        lease_table.end_all(self.open())
        self.gone += [one[0] for one in self.standing]
        assert not any(stands(entry) for entry in self.gone)
        self.path.unlink()
        self.standing, self.gone, self.numbers = [], [], set()

    @invariant()
    def exactly_the_standing_stand(self) -> None:
        assert all(stands(entry) for entry, *_ in self.standing)
        assert not any(stands(entry) for entry in self.gone)

    def teardown(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.directory.cleanup()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=examples(30), stateful_step_count=20, deadline=None)


def test_more_writers_than_the_table_holds(opened: Callable[[], int]) -> None:
    """The oldest loses its place; none of those that stand ever overlap."""
    made = [Entry(opened(), n * 10, n * 10 + 10) for n in range(SLOTS + 5)]
    standing = [stands(entry) for entry in made]
    assert standing == [False] * 5 + [True] * SLOTS


def test_a_torn_file_reads_as_empty(opened: Callable[[], int]) -> None:
    descriptor = opened()
    for size in (0, 3, 8, 20):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"\xff" * size if size < 8 else b"\x01" + b"\0" * (size - 1), 0)
        assert stands(Entry(descriptor, 0, 10))


def test_a_lock_that_is_never_released(
    opened: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that was stopped in the middle of a write costs an answer, not a hanging request."""
    monkeypatch.setattr(lease_table, "TAKE_SECONDS", 0.01)
    holder = opened()
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(StorageBusy):
        Entry(opened(), 0, 10)
    fcntl.flock(holder, fcntl.LOCK_UN)
    assert stands(Entry(opened(), 0, 10))
