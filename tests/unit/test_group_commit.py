"""Threads that commit to one database at a time are committed together."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chunked_upload.records.group_commit import GroupCommit
from tests.server.waiting import eventually

NAMES = ["b", "c", "d"]


class NamesFile:
    """An SQLite database with names that are unique, and a group that commits to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commits = 0
        self.at_commit: Callable[[], object] = lambda: None
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE names (name TEXT UNIQUE)")
        self.group = GroupCommit(lambda: Connection(self))

    def add(self, name: str, before: Callable[[], object] = lambda: None) -> int:
        """Add a name by the group; return how many there are in this transaction."""

        def change(connection: Connection) -> int:
            before()
            connection.execute("INSERT INTO names VALUES (?)", (name,))
            [count] = connection.execute("SELECT count(*) FROM names").fetchone()
            return int(count)

        def alone() -> int:
            connection = Connection(self)
            try:
                count = change(connection)
                connection.commit()
                return count
            finally:
                connection.close()

        result: int = self.group.run(change, alone)
        return result

    def names(self) -> set[str]:
        with sqlite3.connect(self.path) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM names")}


class Connection:
    """A connection that counts commits, and rolls back when it is given back."""

    def __init__(self, file: NamesFile) -> None:
        self._database = file
        self._connection = sqlite3.connect(file.path)

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        return self._connection.execute(*statement)

    def commit(self) -> None:
        self._database.at_commit()
        self._connection.commit()
        self._database.commits += 1

    def close(self) -> None:
        self._connection.rollback()
        self._connection.close()


@pytest.fixture
def file(tmp_path: Path) -> NamesFile:
    return NamesFile(tmp_path / "names")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


Before = Callable[[], object]


def nothing() -> None:
    """What most threads do before they add their name."""


def crowd(
    file: NamesFile, threads: ThreadPoolExecutor, *others: tuple[str, Before]
) -> tuple[Future[int], list[Future[int]]]:
    """Have others come while the first, who adds ``a``, is at work; then let that one end."""
    at_work, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        at_work.set()
        assert may_end.wait(20)

    first = threads.submit(file.add, "a", hold)
    assert at_work.wait(20)
    following = []
    for number, (name, before) in enumerate(others, 1):
        following.append(threads.submit(file.add, name, before))
        eventually(lambda number=number: len(file.group._waiting) == number)  # type: ignore[misc]
    may_end.set()
    return first, following


def test_one_alone_commits_at_once(file: NamesFile) -> None:
    assert (file.add("a"), file.commits) == (1, 1)
    assert (file.add("b"), file.commits) == (2, 2)
    assert file.names() == {"a", "b"}


def test_who_comes_during_a_commit_is_committed_with_the_others(
    file: NamesFile, threads: ThreadPoolExecutor
) -> None:
    first, others = crowd(file, threads, *((name, nothing) for name in NAMES))
    assert [first.result(20), *(other.result(20) for other in others)] == [1, 2, 3, 4]
    assert file.commits == 2
    assert file.names() == {"a", *NAMES}


def test_only_the_one_whose_statement_fails_fails(
    file: NamesFile, threads: ThreadPoolExecutor
) -> None:
    first, others = crowd(file, threads, *((name, nothing) for name in ("b", "b", "d")))
    assert first.result(20) == 1
    errors = [other.exception(20) for other in others]
    assert [type(error) for error in errors if error] == [sqlite3.IntegrityError]
    assert file.names() == {"a", "b", "d"}
    assert file.add("e") == 4, "the next one is not held up"


def test_nobody_is_told_before_all_are_on_disk(
    file: NamesFile, threads: ThreadPoolExecutor
) -> None:
    committing, may_commit = threading.Event(), threading.Event()

    def hold() -> None:
        committing.set()
        assert may_commit.wait(20)

    def hold_the_commit() -> None:
        file.at_commit = hold

    first, others = crowd(file, threads, ("b", hold_the_commit), ("c", nothing), ("d", nothing))
    assert first.result(20) == 1
    assert committing.wait(20)
    assert file.names() == {"a"}
    assert not any(other.done() for other in others)
    may_commit.set()
    assert [other.result(20) for other in others] == [2, 3, 4]
    assert file.names() == {"a", *NAMES}


def test_a_commit_that_fails_is_nobodys_success(
    file: NamesFile, threads: ThreadPoolExecutor
) -> None:
    once = [OSError("no room")]

    def fail() -> None:
        if once:
            raise once.pop()

    def have_it_fail() -> None:
        file.at_commit = fail

    first, others = crowd(file, threads, ("b", have_it_fail), ("c", nothing), ("d", nothing))
    assert first.result(20) == 1
    assert sorted(other.result(20) for other in others) == [2, 3, 4], "each has tried again, alone"
    assert once == []
    assert file.names() == {"a", *NAMES}


def test_a_leader_that_is_ended_leaves_nobody_waiting(
    file: NamesFile, threads: ThreadPoolExecutor
) -> None:
    once = [SystemExit()]

    def end() -> None:
        if once:
            raise once.pop()

    first, [leader, other] = crowd(file, threads, ("b", end), ("c", nothing))
    assert first.result(20) == 1
    assert isinstance(leader.exception(20), SystemExit)
    assert other.result(20) == 2
    assert file.names() == {"a", "c"}
    assert file.add("d") == 3


def test_many_threads_lose_nothing(file: NamesFile, threads: ThreadPoolExecutor) -> None:
    names = [f"{number}" for number in range(200)]
    assert sorted(threads.map(file.add, names)) == list(range(1, 201))
    assert file.names() == set(names)
    assert file.commits <= 200
