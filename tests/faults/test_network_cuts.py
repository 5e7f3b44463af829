"""A body cut at every byte: a chunk is stored whole or not at all, and the next try succeeds.

The bytes of a cut chunk differ from those of the try that follows, so that a single one that stays
shows up in the finished file. A chunk whose last byte was sent may be stored although its sender
never saw the reply: then all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.protocol import md5_of
from tests.support.scorecard import SQLITE, Run, row
from tests.support.site import Site, wait_until
from tests.support.wire import Client, Reply, Request, Wire, form_chunk, raw_chunk

SIZE = 40

#: What a broken chunk is told: that bytes are missing, or (cut before the file) that the file is.
BROKEN = ("File size doesn't match headers", "No chunk file was submitted")

Build = Callable[..., Request]


def half_close(wire: Wire, watcher: Client, upload_id: str | None) -> Reply | None:
    """End the sending half, as ``shutdown`` does; the other half still takes the answer."""
    wire.half_close()
    return wire.reply()


def reset(wire: Wire, watcher: Client, upload_id: str | None) -> Reply | None:
    """Vanish."""
    wire.reset()
    return None


def stall(wire: Wire, watcher: Client, upload_id: str | None) -> Reply | None:
    """Say nothing for as long as somebody else asks where the upload stands, then hang up."""
    if upload_id is not None:
        for _ in range(3):
            watcher.state(upload_id)
    wire.close()
    return None


Ending = Callable[[Wire, Client, "str | None"], "Reply | None"]


def cuts(run: Run, length: int) -> Iterator[tuple[Ending, int]]:
    """Return every ending and position; at reduced size all positions only of the half-close."""
    for ending in (half_close, reset, stall):
        step = 1 if ending is half_close else run.amount(reduced=9, full=1)
        for position in range(0, length, step):
            yield ending, position


def check_answer(run: Run, reply: Reply | None, what: str) -> None:
    if reply is not None:
        run.check(reply.status == 400 and reply.detail in BROKEN, f"{what}: {reply}")


def cut_later_chunks(run: Run, build: Build, **site: str) -> None:
    """Cut a chunk of a running upload at every byte, then send it whole."""
    with Site(run, **site) as at, at.client() as client:  # type: ignore[arg-type]
        length = len(build(b"x" * SIZE, 0, SIZE, upload_id="0" * 32).body)
        plan = list(cuts(run, length))
        total = (len(plan) + 1) * SIZE
        content = b"\0" * SIZE
        upload_id = client.create(content, total)
        for number, (ending, position) in enumerate(plan):
            run.tried()
            what = f"{ending.__name__} after {position} of {length} bytes"
            broken = build(b"x" * SIZE, len(content), total, upload_id=upload_id)
            with Wire(at.port) as wire:
                wire.send(broken.head + broken.body[:position])
                check_answer(run, ending(wire, client, upload_id), what)
                offset = client.offset(upload_id)
                run.check(offset == len(content), f"{what}: offset {offset} not {len(content)}")
            good = number.to_bytes(4, "big") * (SIZE // 4)
            asked = build(good, len(content), total, upload_id=upload_id)
            reply = client.ask(asked)
            while _took_over(reply, len(content)) and run.counts["taken over"] < len(plan):
                run.count("taken over")
                reply = client.ask(asked)
            if not run.check(reply.status == 200, f"{what}: the next try got {reply}"):
                return
            content += good
        check_finished(run, at, client, upload_id, content)


def _took_over(reply: Reply, offset: int) -> bool:
    """Whether the request of a connection that was reset took the lease after the next try.

    It is the newcomer then, although it is about to fail; the next try is told where to go on.
    """
    return reply.detail == "Offsets do not match" and reply.json.get("offset") == offset


def check_finished(run: Run, at: Site, client: Client, upload_id: str, content: bytes) -> None:
    """Complete the upload, and compare what lies on the disk."""
    reply = client.complete(upload_id, content)
    run.check(reply.status == 200, f"the completion got {reply}")
    finished = at.stored.finished()
    run.check(len(finished) == 1, f"finished files: {finished}")
    run.check([f.read_bytes() for f in finished] == [content], "the file has other bytes")
    run.check(not at.stored.parts(), f"left behind: {at.stored.parts()}")
    at.check_log()


def cut_first_chunks(run: Run, build: Build, **site: str) -> None:
    """Cut a chunk that creates at every byte, then upload it."""
    with Site(run, **site) as at, at.client() as client:  # type: ignore[arg-type]
        first = build(b"x" * SIZE, 0, 2 * SIZE)
        for ending, position in cuts(run, len(first.body)):
            run.tried()
            what = f"{ending.__name__} after {position} of {len(first.body)} bytes"
            with Wire(at.port) as wire:
                wire.send(first.head + first.body[:position])
                reply = ending(wire, client, None)
                check_answer(run, reply, what)
                if reply is not None:
                    run.check(at.stored.nothing_left(), f"{what}: something was left behind")
            again = client.ask(build(b"y" * SIZE, 0, 2 * SIZE))
            if run.check(again.status == 200, f"{what}: the next try got {again}"):
                gone = client.delete(again.json["upload_id"])
                run.check(gone.status == 204, f"{what}: the abort got {gone}")
        wait_until(at.stored.nothing_left, what="nothing left of the chunks cut by a reset")
        at.check_log()


@row("form cut at every byte, later chunk", databases=(SQLITE,), exhaustive=True)
def test_later_form_chunk_is_stored_whole_or_not_at_all(run: Run) -> None:
    cut_later_chunks(run, form_chunk)


@row("form cut at every byte, first chunk", databases=(SQLITE,), exhaustive=True)
def test_first_form_chunk_leaves_nothing_when_cut(run: Run) -> None:
    cut_first_chunks(run, form_chunk)


@row("raw body cut at every byte, later chunk", databases=(SQLITE,), exhaustive=True)
def test_later_raw_chunk_is_stored_whole_or_not_at_all(run: Run) -> None:
    cut_later_chunks(run, raw_chunk)


@row("raw body cut at every byte, first chunk", databases=(SQLITE,), exhaustive=True)
def test_first_raw_chunk_leaves_nothing_when_cut(run: Run) -> None:
    cut_first_chunks(run, raw_chunk)


@row("form cut at every byte under gunicorn", databases=(SQLITE,), exhaustive=True)
def test_later_chunk_is_stored_whole_or_not_at_all_under_gunicorn(run: Run) -> None:
    cut_later_chunks(run, form_chunk, program="gunicorn")


@row("reply lost, blind retry", databases=(SQLITE,))
def test_chunk_whose_reply_was_lost_is_all_there_or_not_at_all(run: Run) -> None:
    """The connection breaks after the last byte; the client asks where to go on, and goes on."""
    tries = run.amount(reduced=30, full=300)
    with Site(run) as at, at.client() as client:
        total = (tries + 1) * SIZE
        content = b"\0" * SIZE
        upload_id = client.create(content, total)
        for number in range(tries):
            run.tried()
            sent = b"x%07d" % number * (SIZE // 8)
            with Wire(at.port) as wire:
                wire.send(form_chunk(sent, len(content), total, upload_id=upload_id))
                run.random.choice([wire.reset, wire.close, wire.half_close])()
            retry = b"y%07d" % number * (SIZE // 8)
            content += go_on(run, client, upload_id, content, total, sent=sent, retry=retry)
        reply = client.complete(upload_id, md5_of(content))
        run.check(reply.status == 200, f"the completion got {reply}")
        run.check([f.read_bytes() for f in at.stored.finished()] == [content], "other bytes")
        at.check_log()


def go_on(
    run: Run,
    client: Client,
    upload_id: str,
    content: bytes,
    total: int,
    *,
    sent: bytes,
    retry: bytes,
) -> bytes:
    """Retry a chunk as the answers say, until it or the lost one is stored; return which was.

    The lost request may still be on its way, and be the newcomer that takes over from the retry:
    the answer is then the old offset, from which to send again.
    """
    for _ in range(10):
        reply = client.chunk(retry, len(content), total, upload_id)
        if reply.status == 200:
            run.count("stored by the retry")
            return retry
        told = reply.json.get("offset")
        right = reply.status == 400 and reply.detail == "Offsets do not match"
        run.check(right and told in (len(content), len(content) + SIZE), f"the retry got {reply}")
        if told != len(content):
            run.count("found stored")
            return sent
    run.violation("the upload does not move on")
    return b""
