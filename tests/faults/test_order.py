"""The order of an acknowledgement, seen from outside: data synced, then committed, then answered.

A real server runs under strace while a client uploads. For every request that was answered 200 the
trace must show: the chunk's bytes written and synced *before* the database's commit is made
durable, and that *before* the first byte of the answer. For a completion: linked, its directory
synced, committed, answered.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.support_client import Http
from tests.support.protocol import md5_of
from tests.support.scorecard import EVERY, POSTGRESQL, SQLITE, SQLITE_ROLLBACK, STRACE, Run, row
from tests.support.server import Server
from tests.support.strace import Call, parse

_TRACED = (
    "pwrite64,write,writev,sendto,sendmsg,recvfrom,read,fdatasync,fsync,link,linkat,unlink,rename"
)


@row("order: sync, commit, reply", databases=EVERY, needs=[STRACE])
def test_nothing_is_answered_before_it_is_durable(run: Run) -> None:
    check_order(run, run.fresh_environment())


@row("order without syncs (control)", databases=(SQLITE,), needs=[STRACE], control=True)
def test_the_check_of_the_order_notices_missing_syncs(run: Run) -> None:
    check_order(run, {**run.fresh_environment(), "CHUNKED_UPLOAD_DURABLE": "0"})


def check_order(run: Run, environment: dict[str, str]) -> None:
    """Upload to a traced server, then check what its trace says about each answer."""
    trace = run.directory / "trace"
    program = str(Path(sys.executable).parent / "chunked-upload")
    strace = ["strace", "-f", "-y", "-s", "200", "-e", f"trace={_TRACED}", "-o", str(trace)]
    with Server(run.directory, environment, command=[*strace, program, "serve"]) as server:
        sent = _upload_some(run, server)
    order = Order(run, parse(trace.read_text(errors="replace")))
    seen = order.check()
    run.check(seen == sent, f"chunks and completions in the trace: {seen}, answered: {sent}")
    run.count("chunks", seen[0])
    run.count("completions", seen[1])


def _upload_some(run: Run, server: Server) -> tuple[int, int]:
    """Upload files of a few chunks each; returns how many chunks and completions were answered."""
    http, rng = Http(server.port), Random(run.seed)
    chunks = 0
    files = run.amount(reduced=2, full=20)
    for number in range(files):
        data = rng.randbytes(rng.randint(1, 200_000))
        step = rng.randint(10_000, 100_000)
        upload_id, offset = "", 0
        while offset < len(data):
            piece = data[offset : offset + step]
            form = rng.random() < 0.5
            if upload_id:
                answer = http.put(upload_id, piece, offset, len(data), form=form)
            else:
                answer = http.create(piece, len(data), f"{number}.bin", form=form)
            run.check(answer.status == 200, f"{answer}")
            upload_id, offset = answer.json["upload_id"], answer.json["offset"]
            chunks += 1
            run.tried()
        done = http.complete(upload_id, md5_of(data))
        run.check(done.status == 200, f"{done}")
        run.tried()
    http.close()
    return chunks, files


class Order:
    """The trace of a server with one client, request by request."""

    def __init__(self, run: Run, calls: list[Call]) -> None:
        self._run = run
        self._calls = sorted(calls, key=lambda call: call.began)

    def check(self) -> tuple[int, int]:
        """Check every answer; returns how many chunks and completions were answered with 200."""
        chunks = completions = 0
        since = 0
        for answer in [call for call in self._calls if _answers(call)]:
            window = [call for call in self._calls if since < call.began < answer.began]
            since = answer.began
            if any(map(_links, window)):
                completions += 1
                self._check_completion(window, answer)
            elif any(map(_writes_part, window)):
                chunks += 1
                self._check_chunk(window, answer)
        return chunks, completions

    def _check_chunk(self, window: list[Call], answer: Call) -> None:
        written = [call for call in window if _writes_part(call)]
        synced = _after(written[-1], window, _syncs_part)
        if self._run.check(synced, f"data not synced before the answer: {answer}"):
            commit = self._commit(_first(synced), window)
            self._run.check(commit, f"nothing committed between sync and answer: {answer}")

    def _check_completion(self, window: list[Call], answer: Call) -> None:
        linked = next(call for call in window if _links(call))
        directory = linked.arguments.rsplit('"', 2)[1].rpartition("/")[0]
        synced = _after(
            linked, window, lambda call: call.name == "fsync" and f"{directory}>" in call.arguments
        )
        if not self._run.check(synced, f"{directory} not synced before the answer: {answer}"):
            return
        commit = self._commit(_first(synced), window)
        if not self._run.check(commit, f"nothing committed between link and answer: {answer}"):
            return
        for call in window:
            if call.name == "unlink" and '.part"' in call.arguments:
                early = call.began < _first(commit).ended
                self._run.check(not early, f"the part was removed before the commit: {call}")

    def _commit(self, since: Call, window: list[Call]) -> list[Call]:
        """Return the calls that end a durable commit of what was written after ``since``."""
        if self._run.database == POSTGRESQL:
            update = _after(since, window, lambda call: "UPDATE chunked_upload" in call.arguments)
            return _chain(update, window, lambda call: "COMMIT\\0Z" in call.arguments)
        if self._run.database == SQLITE_ROLLBACK:
            # The commit is the removal of the journal, durable with its directory.
            removed = _after(since, window, _removes_journal)
            return _chain(removed, window, lambda call: _syncs(call, "/instance>"))
        written = _after(since, window, lambda call: _writes(call, ".db-wal>"))
        return _chain(written, window, lambda call: _syncs(call, ".db-wal>"))


Question = Callable[[Call], bool]


def _after(since: Call, window: list[Call], question: Question) -> list[Call]:
    """Return the calls begun after ``since`` had returned, and successful, that answer yes."""
    return [
        call for call in window if call.began > since.ended and question(call) and not call.failed
    ]


def _chain(found: list[Call], window: list[Call], question: Question) -> list[Call]:
    return _after(found[0], window, question) if found else []


def _first(calls: list[Call]) -> Call:
    return min(calls, key=lambda call: call.ended)


def _answers(call: Call) -> bool:
    sends = call.name in ("write", "writev", "sendto", "sendmsg")
    return sends and "socket:" in call.arguments and "HTTP/1.1 200" in call.arguments


def _links(call: Call) -> bool:
    return call.name in ("link", "linkat") and '.part"' in call.arguments and not call.failed


def _removes_journal(call: Call) -> bool:
    return call.name == "unlink" and '.db-journal"' in call.arguments


def _writes_part(call: Call) -> bool:
    return _writes(call, ".part>")


def _syncs_part(call: Call) -> bool:
    return _syncs(call, ".part>")


def _writes(call: Call, name: str) -> bool:
    return call.name == "pwrite64" and name in call.arguments


def _syncs(call: Call, name: str) -> bool:
    return call.name in ("fsync", "fdatasync") and name in call.arguments
