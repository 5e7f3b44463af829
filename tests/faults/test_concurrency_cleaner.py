"""The cleaner beside everything else: it runs as its own process, as cron would run it."""

from __future__ import annotations

import re
import threading

from tests.support.concurrency import spread
from tests.support.preloaded import Command
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, Run, row
from tests.support.site import Site, wait_until
from tests.support.wire import Client, Reply, Wire, raw_chunk

COMMAND = "delete-expired-uploads"
SIZE = 2000


def content_of(number: int) -> bytes:
    """Return what upload ``number`` consists of."""
    return (b"%08d" % number) * (SIZE // 8)


def finish(run: Run, cleaner: Command) -> int:
    """Wait for a cleaner; return how many unfinished uploads it says it has removed."""
    said = cleaner.result()
    run.check(said.returncode == 0 and "Traceback" not in said.stderr, f"the cleaner said {said}")
    counted = re.search(r"(\d+) incomplete", said.stdout)
    return int(counted[1]) if counted else 0


@row("expire against chunk", databases=BOTH)
def test_cleaner_beside_chunks_of_expired_uploads_removes_all_or_nothing(run: Run) -> None:
    """Chunks that had begun in time end while the cleaner walks over their uploads."""
    count = run.amount(reduced=20, full=600)
    with Site(run, workers=2) as at, at.client() as client:
        uploads = {client.create(content_of(i)[: SIZE // 2], SIZE): i for i in range(count)}
        before = _leases(at)
        wires: dict[str, tuple[Wire, bytes]] = {}
        for upload_id, number in uploads.items():
            rest = raw_chunk(content_of(number)[SIZE // 2 :], SIZE // 2, SIZE, upload_id=upload_id)
            wire = Wire(at.port)
            wire.send(rest.head + rest.body[:100])
            wires[upload_id] = wire, rest.body[100:]
        wait_until(lambda: _changed(before, _leases(at)) == count, what="all chunks have begun")
        at.stored.expire()
        cleaner = at.command(COMMAND)
        wait_until(lambda: at.stored.count() < count or cleaner.poll() is not None, what="cleaner")
        order = list(uploads)
        run.random.shuffle(order)

        def end(upload_id: str) -> Reply:
            wire, rest = wires[upload_id]
            with wire:
                wire.try_send(rest)
                return wire.reply()

        replies = dict(zip(order, spread(order, end), strict=True))
        removed = finish(run, cleaner)
        survivors = 0
        for upload_id, reply in replies.items():
            run.tried()
            state = client.state(upload_id)
            if reply.status == 200:
                survivors += 1
                alive = state.status == 200 and state.offset == SIZE
                run.check(alive, f"acknowledged, and then {state}")
                done = client.complete(upload_id, content_of(uploads[upload_id]))
                run.check(done.status == 200, f"the completion got {done}")
            else:
                run.check(reply.status in (404, 410), f"a chunk beside the cleaner got {reply}")
                run.check(state.status in (404, 410), f"refused, and then {state}")
        run.count("stored", survivors)
        run.count("removed", removed)
        finish(run, at.command(COMMAND))
        rows, parts = at.stored.count(), at.stored.parts()
        run.check(rows == survivors and not parts, f"{survivors} stored, rows {rows}, {parts}")
        at.check_log()


def _leases(at: Site) -> dict[str, bytes]:
    """Return what the side files say; it changes when a chunk begins."""
    return {path.name: path.read_bytes() for path in at.stored.parts() if path.suffix == ".turn"}


def _changed(before: dict[str, bytes], now: dict[str, bytes]) -> int:
    return sum(now[name] != said for name, said in before.items())


@row("several cleaners at once", databases=BOTH)
def test_cleaners_at_once_remove_each_expired_upload_once_and_nothing_else(run: Run) -> None:
    expired, others = run.amount(reduced=30, full=2000), 10
    with Site(run) as at, at.client() as client:
        doomed = [client.create(b"x" * 10, 20) for _ in range(expired)]
        at.stored.expire()
        live = [client.create(b"live" * 10, 80) for _ in range(others)]
        done = []
        for number in range(others):
            upload_id = client.create(content_of(number), SIZE)
            client.complete(upload_id, content_of(number))
            done.append(upload_id)
        foreign = at.stored.root / "notes.txt"
        foreign.write_text("not ours")
        run.tried(expired)
        cleaners = [at.command(COMMAND) for _ in range(3)]
        removed = sum(finish(run, cleaner) for cleaner in cleaners)
        run.check(removed == expired, f"{removed} removals of {expired} expired uploads")
        for upload_id in doomed[:: max(1, expired // 50)]:
            run.check(client.state(upload_id).status == 404, f"{upload_id} is still there")
        for upload_id in live:
            run.check(client.state(upload_id).status == 200, f"live {upload_id} is gone")
        for number, upload_id in enumerate(done):
            run.check(client.download(upload_id).body == content_of(number), "a finished file")
        rows = at.stored.count()
        run.check(rows == 2 * others, f"{rows} rows, not {2 * others}")
        run.check(foreign.exists(), "a foreign file is gone")
        parts = [path for path in at.stored.parts() if path.suffix == ".part"]
        run.check(len(parts) == others, f"{len(parts)} parts, not {others}")
        at.check_log()


@row("cleaners beside new uploads", databases=BOTH)
def test_uploads_beside_running_cleaners_are_left_alone(run: Run) -> None:
    uploads, clients = run.amount(reduced=30, full=1500), 4
    with Site(run, workers=2) as at:
        stop = threading.Event()
        runs: list[int] = []

        def clean() -> None:
            while not stop.is_set():
                finish(run, at.command(COMMAND))
                runs.append(1)

        cleaner = threading.Thread(target=clean)
        cleaner.start()
        try:
            numbers = iter(range(uploads))
            spread(at.clients(clients), lambda client: _upload_all(run, client, numbers), clients)
        finally:
            stop.set()
            cleaner.join()
        run.count("cleaner runs", len(runs))
        rows, finished = at.stored.count(), len(at.stored.finished())
        run.check(rows == uploads == finished, f"{uploads} uploads, {rows} rows, {finished} files")
        at.check_log()


def _upload_all(run: Run, client: Client, numbers: object) -> None:
    """Upload in two chunks and complete, one number after the other."""
    for number in numbers:  # type: ignore[attr-defined]
        run.tried()
        content = content_of(number)
        upload_id = client.create(content[: SIZE // 2], SIZE)
        reply = client.put(upload_id, content[SIZE // 2 :], SIZE // 2, SIZE)
        run.check(reply.status == 200, f"a chunk beside the cleaner got {reply}")
        reply = client.complete(upload_id, md5_of(content))
        run.check(reply.status == 200, f"a completion beside the cleaner got {reply}")
