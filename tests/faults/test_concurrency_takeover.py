"""Many writers of one range: one of them is stored, and a stalled one holds nobody up.

Every writer sends bytes of its own for the same range, so a single byte of the wrong one shows up
in the finished file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from chunked_upload.http.wire.body import BUFFER_SIZE
from tests.support.concurrency import (
    at_once,
    serving_process,
    stopped,
    wire_in_worker,
)
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, Run, row
from tests.support.server import Server
from tests.support.site import Site, wait_until
from tests.support.wire import Client, Reply, Wire, form_chunk, raw_chunk, request

#: More than the server reads at a time, so that a stalled chunk has bytes on the disk.
SIZE = 700_000

#: What a newcomer may wait for its answer (the promise), in seconds; a test among others that run
#: on the same cores only tells waiting for work from waiting for a lock to expire.
PROMPT, PROMPT_AMONG_OTHERS = 1, 8


def bytes_of(writer: int, number: int, size: int) -> bytes:
    """Return what a writer sends as chunk ``number``; no two writers send the same."""
    seed = b"%08d%08d" % (writer, number)
    return (seed * (size // len(seed) + 1))[:size]


def check_refused(run: Run, reply: Reply, *offsets: int) -> None:
    """A preempted chunk gets 400 with the offset as it was or as it is now."""
    told = reply.json.get("offset")
    right = reply.status == 400 and reply.detail == "Offsets do not match" and told in offsets
    run.check(right, f"a preempted chunk got {reply}, not 400 with an offset of {offsets}")


def check_finished(run: Run, at: Site, client: Client, upload_id: str, content: bytes) -> None:
    """Complete the upload and compare its file."""
    reply = client.complete(upload_id, md5_of(content))
    run.check(reply.status == 200, f"the completion got {reply}")
    found = [path.read_bytes() for path in at.stored.finished()]
    run.check(found == [content], "the finished file has other bytes than the answers said")


@row("20 chunks for one range at once", databases=BOTH)
def test_one_of_many_chunks_for_the_same_range_is_stored(run: Run) -> None:
    writers, rounds = 20, run.amount(reduced=6, full=200)
    sizes = [1, 40, 5_000, 300_000]
    plan = [run.random.choice(sizes) for _ in range(rounds)]
    total = sum(plan)
    with Site(run, workers=2) as at, at.client() as client:
        clients = at.clients(writers)
        content = bytes_of(0, 0, plan[0])
        upload_id = client.create(content, total)
        for number, size in enumerate(plan[1:], 1):
            start = len(content)
            replies = contend(run, clients, upload_id, number, start, size, total)
            run.tried()
            run.count("chunks", writers)
            stored = [writer for writer, reply in enumerate(replies) if reply.status == 200]
            if not run.check(len(stored) == 1, f"{len(stored)} chunks were answered 200"):
                return
            content += bytes_of(stored[0], number, size)
            for writer, reply in enumerate(replies):
                if writer != stored[0]:
                    check_refused(run, reply, start, start + size)
            offset = client.offset(upload_id)
            run.check(offset == len(content), f"offset {offset}, not {len(content)}")
        check_finished(run, at, client, upload_id, content)
        at.check_log()


def contend(
    run: Run,
    clients: list[Client],
    upload_id: str,
    number: int,
    start: int,
    size: int,
    total: int,
) -> list[Reply]:
    """Send one chunk from every client at the same moment."""
    build = (raw_chunk, form_chunk)[number % 2]

    def send(writer: int) -> Reply:
        data = bytes_of(writer, number, size)
        return clients[writer].ask(build(data, start, total, upload_id=upload_id))

    return at_once(len(clients), send)


class Duel:
    """An upload on which, round by round, a holder stalls in mid-body and a newcomer resumes."""

    def __init__(self, run: Run, at: Site, client: Client, rounds: int) -> None:
        self.run = run
        self.at = at
        self.client = client
        self.total = (rounds + 1) * SIZE
        self.content = bytes_of(0, 0, SIZE)
        self.number = 0
        self.upload_id = client.create(self.content, self.total)

    @contextmanager
    def round(self, holder: Wire) -> Iterator[bytes]:
        """Let the holder send part of the next chunk; yields the rest of its request.

        The block is entered when they are on the disk.
        """
        self.run.tried()
        self.number += 1
        data = bytes_of(1, self.number, SIZE)
        sent = form_chunk(data, len(self.content), self.total, upload_id=self.upload_id)
        cut = self.run.random.randrange(SIZE * 2 // 3, SIZE)
        holder.send(sent.head + sent.body[:cut])
        part = next(path for path in self.at.stored.parts() if path.suffix == ".part")
        # All but the buffer that the holder waits for, and what is not the file's; but its first
        # buffer at any rate, or it might be the holder that takes over.
        arrived = len(self.content) + max(cut - BUFFER_SIZE - 1000, 1)
        wait_until(lambda: part.stat().st_size >= arrived, what="the holder's bytes")
        with Client(holder.port) as beside:
            beside.state(self.upload_id)
        yield sent.body[cut:]

    def resume(self, newcomer: Wire) -> None:
        """Send the chunk on another connection, and measure how long the answer takes."""
        data = bytes_of(2, self.number, SIZE)
        began = time.perf_counter()
        reply = newcomer.ask(
            form_chunk(data, len(self.content), self.total, upload_id=self.upload_id)
        )
        took = time.perf_counter() - began
        self.run.sample("takeover", took * 1000)
        self.run.check(reply.status == 200, f"the newcomer got {reply}")
        bound = self.run.amount(reduced=PROMPT_AMONG_OTHERS, full=PROMPT)
        self.run.check(took < bound, f"the newcomer waited {took:.2f} s")
        self.content += data

    def check_preempted(self, reply: Reply) -> None:
        """Check the holder's answer, which may have been on its way before the newcomer's."""
        check_refused(self.run, reply, len(self.content) - SIZE, len(self.content))

    def finish(self, *, clean_log: bool = True) -> None:
        """Complete and compare; without ``clean_log`` failures may have been logged."""
        check_finished(self.run, self.at, self.client, self.upload_id, self.content)
        if clean_log:
            self.at.check_log()


@row("stalled holder, resume in another thread", databases=BOTH)
def test_stalled_chunk_does_not_hold_up_a_resume_on_another_connection(run: Run) -> None:
    rounds = run.amount(reduced=4, full=150)
    with Site(run) as at, at.client() as client:
        duel = Duel(run, at, client, rounds)
        for _ in range(rounds):
            with Wire(at.port) as holder, Wire(at.port) as newcomer, duel.round(holder) as rest:
                duel.resume(newcomer)
                holder.try_send(rest)
                duel.check_preempted(holder.reply())
        duel.finish()


@row("stalled holder, resume in another process", databases=BOTH)
def test_stalled_chunk_does_not_hold_up_a_resume_in_another_process(run: Run) -> None:
    rounds = run.amount(reduced=4, full=150)
    with Site(run, workers=2) as at, at.client() as client:
        duel = Duel(run, at, client, rounds)
        for _ in range(rounds):
            with Wire(at.port) as holder:
                holder.ask(request("GET", "/healthz"), "GET")
                pid = serving_process(at.server, holder)
                elsewhere = wire_in_worker(at.server, lambda other, pid=pid: other != pid)  # type: ignore[misc]
                with elsewhere as newcomer, duel.round(holder) as rest:
                    duel.resume(newcomer)
                    holder.try_send(rest)
                    duel.check_preempted(holder.reply())
        duel.finish()


@row("holder continues while the newcomer writes", databases=BOTH)
def test_preempted_chunk_writes_nothing_beside_the_one_that_took_over(run: Run) -> None:
    """Both send at the same time, buffer by buffer, after the takeover."""
    rounds = run.amount(reduced=4, full=150)
    with Site(run, workers=2) as at, at.client() as client:
        duel = Duel(run, at, client, rounds)
        for _ in range(rounds):
            with Wire(at.port) as holder, Wire(at.port) as newcomer, duel.round(holder) as rest:
                data = bytes_of(2, duel.number, SIZE)
                start = len(duel.content)
                sent = raw_chunk(data, start, duel.total, upload_id=duel.upload_id)
                newcomer.send(sent.head)
                step = SIZE // 7
                # Only when its first buffer has arrived has the newcomer surely taken over.
                newcomer.send(sent.body[: 4 * step])
                part = next(p for p in at.stored.parts() if p.suffix == ".part")
                wait_until(lambda: _starts_with(part, start, data[:16]), what="the takeover")  # noqa: B023
                for position in range(0, max(len(rest), 3 * step), step):
                    holder.try_send(rest[position : position + step])
                    newcomer.send(sent.body[4 * step + position : 5 * step + position])
                reply = newcomer.reply()
                run.check(reply.status == 200, f"the newcomer got {reply}")
                duel.content += data
                check_refused(run, holder.reply(), start, start + SIZE)
        duel.finish()


def _starts_with(part: object, start: int, data: bytes) -> bool:
    with open(str(part), "rb") as file:
        file.seek(start)
        return file.read(len(data)) == data


@row("holder's process stopped and continued", databases=BOTH)
def test_stopped_process_neither_holds_up_nor_writes_when_continued(run: Run) -> None:
    """SIGSTOP in mid-body; the rest of the body lies in its socket when it goes on."""
    rounds = run.amount(reduced=3, full=60)
    with Site(run, servers=2) as at:
        holding, other = at.servers
        with at.client(other) as client:
            duel = Duel(run, at, client, rounds)
            for number in range(rounds):
                with (
                    Wire(holding.port) as holder,
                    Wire(other.port) as newcomer,
                    duel.round(holder) as rest,
                ):
                    with stopped(holding.workers()):
                        holder.try_send(rest)
                        duel.resume(newcomer)
                        if run.amount(reduced=0, full=1) and number == 0:
                            time.sleep(60)  # the minute
                    duel.check_preempted(holder.reply())
            duel.finish()


@row("process stopped at any moment", databases=BOTH)
def test_process_stopped_at_any_moment_delays_but_never_mixes(run: Run) -> None:
    """Stopped between any two instructions, perhaps with a lock: then 503, and no mixing."""
    rounds = run.amount(reduced=3, full=60)
    with Site(run, servers=2) as at:
        holding, other = at.servers
        with at.client(other) as client:
            duel = Duel(run, at, client, rounds)
            for _ in range(rounds):
                _duel_at_random(run, duel, holding, other)
            duel.finish(clean_log=False)


def _duel_at_random(run: Run, duel: Duel, holding: Server, other: Server) -> None:
    """Send a chunk to one server, stop it meanwhile, and send another to the other server."""
    run.tried()
    duel.number += 1
    start = len(duel.content)
    mine, theirs = (bytes_of(writer, duel.number, SIZE) for writer in (1, 2))
    with Wire(holding.port) as holder, Wire(other.port, timeout=120) as newcomer:
        sent = raw_chunk(mine, start, duel.total, upload_id=duel.upload_id)
        holder.send(sent.head + sent.body[: SIZE // 2])
        processes = holding.workers()
        holder.send(sent.body[SIZE // 2 :])
        time.sleep(run.random.uniform(0, 0.004))  # the moment is what this is about
        with stopped(processes):
            began = time.perf_counter()
            reply = newcomer.ask(raw_chunk(theirs, start, duel.total, upload_id=duel.upload_id))
            took = time.perf_counter() - began
            run.check(took < 30, f"the newcomer waited {took:.1f} s")
        late = holder.reply()
    won = [data for data, got in ((mine, late), (theirs, reply)) if got.status == 200]
    run.count("newcomer stored", reply.status == 200)
    run.count("holder stored", late.status == 200)
    run.count("503", 503 in (reply.status, late.status))
    run.check(len(won) <= 1, "both chunks were answered 200")
    for got in (reply, late):
        allowed = got.status in (200, 503) or got.detail == "Offsets do not match"
        run.check(allowed, f"answered {got}")
    offset = duel.client.offset(duel.upload_id)
    if not won:
        run.check(offset == start, f"nobody was answered 200, and yet the offset is {offset}")
        duel.client.put(duel.upload_id, theirs, start, duel.total)
        won = [theirs]
    duel.content += won[0]
