"""The order of an acknowledgement, seen from outside: data synced, then committed, then answered.

A real server runs under strace while a client uploads. For every request that was answered 200 the
trace must show: the chunk's bytes written and synced *before* the database's commit is made
durable, and that *before* the first byte of the answer. For a completion: linked, its directory
synced, committed, answered.

PostgreSQL is a process of its own; what proves its commit is what it says. A COMMIT that was sent
would not: a chunk's UPDATE is a transaction by itself, and prepared, without its text on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.faults.support_client import Http
from tests.support.protocol import md5_of
from tests.support.scorecard import EVERY, POSTGRESQL, SQLITE, SQLITE_ROLLBACK, STRACE, Run, row
from tests.support.server import Server
from tests.support.strace import Call, attached, parse

_TRACED = (
    "pwrite64,write,writev,sendto,sendmsg,recvfrom,read,fdatasync,fsync,link,linkat,unlink,rename"
)

#: What PostgreSQL says at the end of an answer, as strace writes it: what was done
#: (CommandComplete), and whether a transaction is still open (ReadyForQuery: I is idle, T is not).
_UPDATED = r"UPDATE 1\0Z"
_COMMITTED = r"COMMIT\0Z"
_IDLE = r'Z\0\0\0\5I"'
_OPEN = r'Z\0\0\0\5T"'


@row("order: sync, commit, reply", databases=EVERY, needs=[STRACE])
def test_nothing_is_answered_before_it_is_durable(run: Run) -> None:
    check_order(run, run.fresh_environment())


@row("order without syncs (control)", databases=(SQLITE,), needs=[STRACE], control=True)
def test_the_check_of_the_order_notices_missing_syncs(run: Run) -> None:
    check_order(run, {**run.fresh_environment(), "CHUNKED_UPLOAD_DURABLE": "0"})


@row("order without commits (control)", databases=(POSTGRESQL,), needs=[STRACE], control=True)
def test_the_check_of_the_order_notices_transactions_that_are_left_open(run: Run) -> None:
    def leave_open(call: Call) -> Call:
        if _UPDATED not in call.arguments:
            return call
        return replace(call, arguments=call.arguments.replace(_IDLE, _OPEN))

    check_order(run, run.fresh_environment(), alter=leave_open)


def check_order(
    run: Run, environment: dict[str, str], *, alter: Callable[[Call], Call] = lambda call: call
) -> None:
    """Upload to a traced server, then check what its trace says about each answer.

    :param alter: makes of each call in the trace what a broken server's would be.
    """
    trace = run.directory / "trace"
    with Server(run.directory, environment) as server:
        [worker] = set(server.workers()) - {server.pid}
        options = ("-y", "-s", "200", "-e", f"trace={_TRACED}")
        with attached(worker, *options, output=trace):
            sent = _upload_some(run, server)
    order = Order(run, [alter(call) for call in parse(trace.read_text(errors="replace"))])
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
        if number == 0:  # large buffers, whose way to the disk begins before the sync
            data, step = rng.randbytes(3_000_000), 2_000_000
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
    # The call that sent the last answer may not have returned when its client has it, and a call
    # that the end of the server interrupts is missing in the trace.
    run.check(http.request("GET", "/healthz").status == 200, "not healthy at the end")
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
            commit = _before(answer, self._commit(_first(synced), window))
            self._run.check(commit, f"nothing committed between sync and answer: {answer}")

    def _check_completion(self, window: list[Call], answer: Call) -> None:
        linked = next(call for call in window if _links(call))
        directory = linked.arguments.rsplit('"', 2)[1].rpartition("/")[0]
        synced = _after(
            linked, window, lambda call: call.name == "fsync" and f"{directory}>" in call.arguments
        )
        if not self._run.check(synced, f"{directory} not synced before the answer: {answer}"):
            return
        commit = _before(answer, self._commit(_first(synced), window))
        if not self._run.check(commit, f"nothing committed between link and answer: {answer}"):
            return
        for call in window:
            if call.name == "unlink" and '.part"' in call.arguments:
                early = call.began < _first(commit).ended
                self._run.check(not early, f"the part was removed before the commit: {call}")

    def _commit(self, since: Call, window: list[Call]) -> list[Call]:
        """Return the calls that end a durable commit of what was written after ``since``."""
        if self._run.database == POSTGRESQL:
            updated = _after(since, window, lambda call: _hears(call, _UPDATED))
            asked = [call for call in updated if _is_asked_after(since, call, window)]
            return [told for call in asked for told in _told_of_commit(call, window)]
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


def _before(answer: Call, calls: list[Call]) -> list[Call]:
    """Return the calls that had returned when an answer was begun."""
    return [call for call in calls if call.ended < answer.began]


def _chain(found: list[Call], window: list[Call], question: Question) -> list[Call]:
    return _after(found[0], window, question) if found else []


def _is_asked_after(since: Call, heard: Call, window: list[Call]) -> bool:
    """Whether what was heard from a socket answers something sent there after ``since``."""
    sent = [
        call
        for call in window
        if call.name == "sendto" and call.file == heard.file and call.ended < heard.began
    ]
    return bool(sent) and sent[-1].began > since.ended


def _told_of_commit(updated: Call, window: list[Call]) -> list[Call]:
    """Return the answer, this one or a later one, that ends an UPDATE's transaction and commits."""
    later = _after(updated, window, lambda call: call.file == updated.file)
    ends = [call for call in (updated, *later) if _hears(call, _IDLE)][:1]
    return [call for call in ends if call is updated or _hears(call, _COMMITTED)]


def _first(calls: list[Call]) -> Call:
    return min(calls, key=lambda call: call.ended)


def _hears(call: Call, what: str) -> bool:
    return call.name == "recvfrom" and what in call.arguments


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
