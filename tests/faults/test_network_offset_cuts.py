"""Appends of offset dialects cut at every byte, also of their head: what arrived is kept, once.

The bytes of each try differ from those of the others, so that a single one at a wrong place shows
up in the finished file. After a client's FIN the server has seen every byte that was sent, so all
of them count; after a reset it has seen some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.test_network_cuts import half_close, reset, stall
from tests.support.offset_dialects import DIALECTS, RESUMABLE, TUS, OffsetDialect, id_of
from tests.support.scorecard import SQLITE, Run, row
from tests.support.site import Site
from tests.support.wire import Client, Reply, Request, Wire

SIZE = 40
#: Bytes of each chunk of a body in chunked coding.
CHUNK = 7

Frame = Callable[[Request], Request]


def plain(request: Request) -> Request:
    """Leave the body as it is."""
    return request


def chunked(request: Request) -> Request:
    """Frame the body in chunks (RFC 9112 7.1)."""
    pieces = [request.body[at : at + CHUNK] for at in range(0, len(request.body), CHUNK)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    length = b"Content-Length: %d\r\n" % len(request.body)
    return Request(request.head.replace(length, b"Transfer-Encoding: chunked\r\n"), body)


def arrived(framed: Request, data: bytes, position: int) -> int:
    """Return how many bytes of the file are among the first bytes of a body."""
    body = framed.body[:position]
    if len(framed.body) == len(data):
        return len(body)
    count = 0
    while body:
        line, _, rest = body.partition(b"\r\n")
        size = int(line, 16) if rest else 0
        count += min(size, len(rest))
        body = rest[size + 2 :]
    return count


@dataclass(frozen=True)
class Cut:
    """Where an append ends, and how.

    :param head: bytes of its head; None for all.
    :param body: bytes of its body.
    """

    ending: Callable[..., Reply | None]
    head: int | None
    body: int = 0


def cuts(run: Run, framed: Request) -> Iterator[Cut]:
    """Return every cut; at reduced size a few of the head, and of the body all with a FIN."""
    for position in range(1, len(framed.head), run.amount(reduced=29, full=1)):
        yield Cut(stall, position)
    for ending in (half_close, reset, stall):
        sparse = 1 if ending is half_close else run.amount(reduced=9, full=1)
        for position in range(0, len(framed.body), sparse):
            yield Cut(ending, None, position)


def cut_appends(run: Run, dialect: OffsetDialect, frame: Frame) -> None:
    """Cut an append everywhere, ask for the offset, go on from there."""
    with Site(run) as at, at.client() as client:
        plan = list(cuts(run, frame(dialect.append("0" * 32, 0, b"x" * SIZE).bytes)))
        total = SIZE * (len(plan) + 1)
        upload_id = id_of(client.ask(dialect.create(total).bytes).headers["location"])
        content = b""
        for number, cut in enumerate(plan):
            run.tried()
            data = number.to_bytes(4, "big") * (SIZE // 4)
            append = dialect.append(upload_id, len(content), data).but(expect="100-continue")
            asked = frame(append.bytes)
            with Wire(at.port) as wire:
                check_answer(run, send_cut(wire, asked, cut, client, upload_id), str(cut))
                offset = told(client, dialect, upload_id)
            most = len(content) + (arrived(asked, data, cut.body) if cut.head is None else 0)
            least = most if cut.ending is half_close else len(content)
            run.check(least <= offset <= most, f"{cut}: offset {offset} not {least} to {most}")
            content += data[: offset - len(content)]
        rest = b"!" * (total - len(content))
        asked = dialect.append(upload_id, len(content), rest, last=True).bytes
        reply = client.ask(asked, "PATCH")
        run.check(reply.status in (200, 204), f"the last append got {reply}")
        finished = [path.read_bytes() for path in at.stored.finished()]
        run.check(finished == [content + rest], "the file has other bytes")
        run.check(not at.stored.parts(), f"left behind: {at.stored.parts()}")
        at.check_log()


def send_cut(wire: Wire, asked: Request, cut: Cut, client: Client, upload_id: str) -> Reply | None:
    """Send what the cut leaves of an append, which a view has begun to read; return the answer."""
    if cut.head is not None:
        wire.send(asked.head[: cut.head])
        wire.close()  # a head that is not all there need not be answered
        return None
    wire.send(asked.head)
    wire.wait_for_continue()
    wire.send(asked.body[: cut.body])
    return cut.ending(wire, client, upload_id)


def check_answer(run: Run, reply: Reply | None, what: str) -> None:
    """Check that a cut append, if it is answered, is not taken for a whole one."""
    run.check(reply is None or 400 <= reply.status < 500, f"{what}: {reply}")


def told(client: Client, dialect: OffsetDialect, upload_id: str) -> int:
    """Return the offset that the server tells."""
    return int(client.ask(dialect.head(upload_id).bytes, "HEAD").headers["upload-offset"])


@row("tus append cut at every byte", databases=(SQLITE,), exhaustive=True)
def test_tus_keeps_what_arrived(run: Run) -> None:
    cut_appends(run, TUS, plain)


@row("tus append in chunked coding cut at every byte", databases=(SQLITE,), exhaustive=True)
def test_tus_keeps_what_arrived_in_chunks(run: Run) -> None:
    cut_appends(run, TUS, chunked)


@row("resumable append cut at every byte", databases=(SQLITE,), exhaustive=True)
def test_resumable_uploads_keep_what_arrived(run: Run) -> None:
    cut_appends(run, RESUMABLE, plain)


@row("resumable append in chunked coding cut at every byte", databases=(SQLITE,), exhaustive=True)
def test_resumable_uploads_keep_what_arrived_in_chunks(run: Run) -> None:
    cut_appends(run, RESUMABLE, chunked)


@row("bytes behind the body of an append", databases=(SQLITE,), exhaustive=True)
def test_bytes_behind_the_body_are_not_of_it(run: Run) -> None:
    """They are the next request of the connection, and malformed."""
    with Site(run) as at, at.client() as client:
        for dialect in DIALECTS:
            upload_id = id_of(client.ask(dialect.create(100).bytes).headers["location"])
            for extra in (b"!", b"!" * 50, b"\r\n\r\n!", b"PATCH / HTTP/9\r\n\r\n"):
                run.tried()
                offset = told(client, dialect, upload_id)
                asked = dialect.append(upload_id, offset, b"hello").bytes
                with Wire(at.port) as wire:
                    wire.send(bytes(asked) + extra)
                    wire.half_close()
                    reply = wire.reply("PATCH")
                run.check(200 <= reply.status < 300, f"{extra!r}: {reply}")
                now = told(client, dialect, upload_id)
                run.check(now == offset + 5, f"{extra!r}: offset {now}")
        at.check_log()
