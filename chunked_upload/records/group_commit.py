"""Commits what several threads wait to have committed in one transaction.

A durable commit of SQLite waits for the disk, and SQLite commits one transaction at a time. So the
threads that come while one commits are the next group: the first of them runs all their statements
and commits once. Nobody waits for others to come. Each learns the result of its own statement, and
none is told before all are on disk.

If anything goes wrong, nothing of the group has happened, and each thread runs its statement alone,
so that only those fail that fail by themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Any

from sqlalchemy import Engine

_GROUP = "chunked_upload_group"


def commit_in_groups(engine: Engine, connect: Callable[[Engine], Any]) -> None:
    """From now on, commit the changes of several threads together.

    :param connect: returns a connection of the engine, whose ``close()`` gives it back.
    """
    setattr(engine, _GROUP, GroupCommit(partial(connect, engine)))


def group_of(engine: Engine) -> GroupCommit | None:
    """Return the group of those who commit to an engine; None when each commits alone."""
    group: GroupCommit | None = getattr(engine, _GROUP, None)
    return group


class GroupCommit:
    """The threads of one process that commit to one database.

    :param connect: returns a connection, whose ``close()`` gives it back.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._waiting: list[_Member] = []
        self._is_busy = False

    def run(self, change: Callable[[Any], Any], alone: Callable[[], Any]) -> Any:
        """Run a statement and commit; return the statement's result.

        :param change: runs the statement on a connection, without committing.
        :param alone: runs it and commits; raises what is wrong.
        """
        member = _Member(change, alone)
        with self._lock:
            leads = not self._is_busy
            self._is_busy = True
            if not leads:
                self._waiting.append(member)
        if leads or member.wait():
            return self._lead(member)
        return member.result if member.is_done else alone()

    def _lead(self, first: _Member) -> Any:
        """Commit for everyone who waits, and let the first who has come meanwhile do the same."""
        with self._lock:
            group = [first, *(member for member in self._waiting if member is not first)]
            self._waiting = []
        try:
            if len(group) > 1:
                self._commit(group)
            return first.result if first.is_done else first.alone()
        finally:
            for member in group[1:]:
                member.go_on()
            self._hand_over()

    def _commit(self, group: list[_Member]) -> None:
        # Whose fault an error is, each finds out alone.
        with suppress(Exception), closing(self._connect()) as connection:
            results = [member.change(connection) for member in group]
            connection.commit()
            for member, result in zip(group, results, strict=True):
                member.result, member.is_done = result, True

    def _hand_over(self) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._is_busy = following is not None
        if following is not None:
            following.go_on(leads=True)


class _Member:
    """A thread that wants to commit."""

    is_done = False
    result: Any = None

    def __init__(self, change: Callable[[Any], Any], alone: Callable[[], Any]) -> None:
        self.change, self.alone = change, alone
        self._leads = False
        self._may_go_on = threading.Lock()
        self._may_go_on.acquire()

    def wait(self) -> bool:
        """Wait until another thread has committed; return whether this one is to lead instead."""
        self._may_go_on.acquire()
        return self._leads

    def go_on(self, *, leads: bool = False) -> None:
        """Let the thread go on."""
        self._leads = leads
        self._may_go_on.release()
