"""Two real PostgreSQL servers: every commit waits for the standby, which can take over.

Whoever is promoted, :attr:`Pair.uri` finds the one that takes writes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.support import postgres


class Member(postgres.Cluster):
    """One of the two.

    :param name: by which the other's ``synchronous_standby_names`` means it.
    :param follows: of whom it is a copy; None for the first primary.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str,
        name: str,
        fsync: bool = False,
        follows: Member | None = None,
    ) -> None:
        self.name = name
        self._follows = follows
        super().__init__(directory, host=host, fsync=fsync)

    def _make(self) -> None:
        if self._follows is None:
            super()._make()
        else:
            self.copy(self._follows)

    def copy(self, primary: Member) -> None:
        """Become a copy of a running server that follows it, once started."""
        shutil.rmtree(self._data, ignore_errors=True)
        source = f"host={primary.host} port={primary.port} user=tests application_name={self.name}"
        self._run(
            *("pg_basebackup", "--dbname", source, "--pgdata", str(self._data)),
            *("--write-recovery-conf", "--checkpoint", "fast", "--no-sync"),
        )
        self._configure(synchronous_standby_names="")

    def wait_for(self, standby: str) -> None:
        """Have every commit wait for a standby from now on: it is on two disks then."""
        self._configure(synchronous_standby_names=standby)
        self._run("pg_ctl", "-D", str(self._data), "reload")
        asked = "SELECT sync_state FROM pg_stat_replication WHERE application_name = :name"
        deadline = time.monotonic() + 60
        while self.ask(asked, name=standby) != "sync":
            if time.monotonic() > deadline:
                raise RuntimeError(f"{standby} does not follow: {self.directory / 'log'}")
            time.sleep(0.02)

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "promote")

    def ask(self, statement: str, **values: Any) -> Any:
        """Return the first value of an answer."""
        with self._engine.connect() as connection:
            return connection.scalar(text(statement), values)


class Pair:
    """A primary and its standby, which change places.

    :ivar uri: names both, and asks for the one that takes writes.
    """

    def __init__(self, primary: Member, standby: Member) -> None:
        self.primary, self.standby = primary, standby
        hosts = "&".join(f"host={member.host}:{member.port}" for member in (primary, standby))
        self.uri = f"postgresql+psycopg://tests@/postgres?{hosts}&target_session_attrs=read-write"

    def follow(self) -> None:
        """Have the standby follow the primary, whose commits wait for it from now on."""
        self.standby.start()
        self.primary.wait_for(self.standby.name)

    def take_over(self) -> None:
        """Promote the standby; the primary is gone, and never comes back as one."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def replace(self) -> None:
        """Make the standby again, as a copy of the primary."""
        self.standby.copy(self.primary)
        self.follow()


@contextmanager
def pair(hosts: tuple[str, str], *, fsync: bool = False) -> Iterator[Pair]:
    """Run a primary and its synchronous standby, for as long as the block lasts.

    :param hosts: their addresses.
    """
    with ExitStack() as stack:
        places = [stack.enter_context(postgres.own_directory()) for _ in hosts]
        first = Member(places[0], host=hosts[0], name="north", fsync=fsync)
        stack.callback(first.stop)
        first.start()
        second = Member(places[1], host=hosts[1], name="south", fsync=fsync, follows=first)
        stack.callback(second.stop)
        running = Pair(first, second)
        running.follow()
        yield running
