"""Completion beside everything else: it happens once, and so does its hook.

The hook of these servers writes a line to a file, so its calls in all worker processes are counted.
"""

from __future__ import annotations

from tests.support.concurrency import at_once
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, SQLITE, Run, row
from tests.support.site import Site, wait_until
from tests.support.wire import Client, Reply, completion, form_chunk, request


def content_of(number: int, size: int = 3000) -> bytes:
    """Return what upload ``number`` consists of."""
    return (b"%08d" % number) * (size // 8)


def check_finished(run: Run, at: Site, upload_id: str, client: Client, content: bytes) -> None:
    """One hook call, one file with these bytes, and no part."""
    wait_until(lambda: upload_id in at.hook_calls(), what="the hook")
    calls = at.hook_calls().count(upload_id)
    run.check(calls == 1, f"the hook was called {calls} times")
    reply = client.download(upload_id)
    run.check(reply.status == 200 and reply.body == content, f"the file is not right: {reply}")
    client.delete(upload_id)
    # Every name the file ever had is gone with it.
    run.check(not at.stored.finished(), f"more files: {at.stored.finished()}")


def complete_at_once(run: Run, at: Site, times: int, rounds: int) -> None:
    """Send the same completion ``times`` times at once, round by round."""
    with at.client() as client:
        clients = at.clients(times)
        for number in range(rounds):
            run.tried()
            content = content_of(number)
            upload_id = client.create(content, len(content))
            asked = completion(upload_id, md5_of(content))
            replies = at_once(times, lambda i, asked=asked: clients[i].ask(asked))  # type: ignore[misc]
            statuses = [reply.status for reply in replies]
            run.check(statuses == [200] * times, f"answered {statuses}: {replies}")
            run.check(len({reply.body for reply in replies}) == 1, f"different answers: {replies}")
            check_finished(run, at, upload_id, client, content)
        run.check(at.stored.nothing_left(), "something is left of deleted uploads")
        at.check_log()


@row("complete twice at once", databases=BOTH)
def test_completing_twice_at_once_happens_once(run: Run) -> None:
    with Site(run, workers=2, hooked=True, environment={"HOOK_SECONDS": "0.005"}) as at:
        complete_at_once(run, at, 2, run.amount(reduced=10, full=400))


@row("complete 20 times at once", databases=BOTH)
def test_completing_many_times_at_once_happens_once(run: Run) -> None:
    with Site(run, workers=2, hooked=True, environment={"HOOK_SECONDS": "0.02"}) as at:
        complete_at_once(run, at, 20, run.amount(reduced=4, full=200))


@row("complete 20 times at once, gunicorn", databases=(SQLITE,))
def test_completing_many_times_at_once_under_gunicorn_happens_once(run: Run) -> None:
    with Site(run, workers=2, hooked=True, program="gunicorn") as at:
        complete_at_once(run, at, 20, run.amount(reduced=3, full=100))


@row("last chunk against complete", databases=BOTH)
def test_completion_beside_the_last_chunk_comes_before_or_after_it(run: Run) -> None:
    """Four clients send the last chunk while four complete: each gets an answer that is right."""
    rounds, pairs = run.amount(reduced=8, full=300), 4
    with Site(run, workers=2, hooked=True) as at, at.client() as client:
        clients = at.clients(2 * pairs)
        for number in range(rounds):
            run.tried()
            content = content_of(number)
            half = len(content) // 2
            upload_id = client.create(content[:half], len(content))
            last = form_chunk(content[half:], half, len(content), upload_id=upload_id)
            complete = completion(upload_id, md5_of(content))
            asked = [last, complete] * pairs
            replies = at_once(len(asked), lambda i, asked=asked: clients[i].ask(asked[i]))  # type: ignore[misc]
            stored = [reply for reply in replies[::2] if reply.status == 200]
            run.check(len(stored) == 1, f"the last chunk was answered: {replies[::2]}")
            for reply in replies[::2]:
                _check_chunk(run, reply, half, len(content))
            for reply in replies[1::2]:
                early = reply.status == 400 and reply.detail == "Upload is not complete"
                run.check(reply.status == 200 or early, f"a completion got {reply}")
                run.count("completed immediately", reply.status == 200)
            again = client.ask(complete)
            run.check(again.status == 200, f"the completion after all got {again}")
            check_finished(run, at, upload_id, client, content)
        run.check(at.stored.nothing_left(), f"left: {at.stored.files()}")
        at.check_log()


def _check_chunk(run: Run, reply: Reply, *offsets: int) -> None:
    if reply.status == 400 and reply.detail == "Offsets do not match":
        told = reply.json.get("offset")
        run.check(told in offsets, f"a chunk was told offset {told}")
        return
    complete = reply.detail == 'Upload has already been marked as "complete"'
    run.check(reply.status == 200 or (reply.status == 400 and complete), f"a chunk got {reply}")


@row("abort against chunk and complete", databases=BOTH)
def test_abort_beside_chunks_and_completions_leaves_nothing(run: Run) -> None:
    """Whoever wins, the answers are right, and after the abort nothing is left."""
    rounds = run.amount(reduced=10, full=400)
    with Site(run, workers=2, hooked=True) as at, at.client() as client:
        clients = at.clients(4)
        for number in range(rounds):
            run.tried()
            content = content_of(number, 300_000)
            half = len(content) // 2
            upload_id = client.create(content[:half], len(content))
            last = form_chunk(content[half:], half, len(content), upload_id=upload_id)
            complete = completion(upload_id, md5_of(content))
            if number % 2:
                client.ask(last)
            abort = request("DELETE", f"/uploads/{upload_id}")
            asked = [abort, last, complete, abort]
            replies = at_once(len(asked), lambda i, asked=asked: clients[i].ask(asked[i]))  # type: ignore[misc]
            run.check(
                sorted(r.status for r in (replies[0], replies[3])) in ([204, 204], [204, 404]),
                f"two aborts at once got {replies[0]} and {replies[3]}",
            )
            for reply in replies[1:3]:
                run.check(reply.status in (200, 400, 404, 410), f"beside an abort: {reply}")
                run.count(f"{reply.status} beside the abort")
            state = client.state(upload_id)
            run.check(state.status in (404, 410), f"after the abort: {state}")
            run.check(at.stored.count() == 0, f"rows left: {at.stored.rows()}")
            run.check(not at.stored.files(), f"files left: {at.stored.files()}")
