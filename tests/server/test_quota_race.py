"""The limits of an owner, raced for by many clients at once, over four workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.server.client import Answer, call
from tests.support.concurrency import at_once
from tests.support.server import Server

SIZE = 10_000
CLIENTS = 24


def race(server: Server) -> list[Answer]:
    """Send as many files as there are clients, all at the same moment."""
    answers = at_once(
        CLIENTS, lambda n: call(server, "POST", f"/uploads/?filename={n}", b"x" * SIZE)
    )
    assert {answer.status for answer in answers} == {200, 413}
    return [answer for answer in answers if answer.status == 200]


def test_four_workers_together_keep_to_the_limits(
    make_server: Callable[..., Server], database_uri: str
) -> None:
    server = make_server(
        WORKERS="4",
        SQLALCHEMY_DATABASE_URI=database_uri,
        CHUNKED_UPLOAD_MAX_STORED_BYTES=str(10 * SIZE),
        CHUNKED_UPLOAD_MAX_BYTES_PER_DAY=str(15 * SIZE),
    )
    taken = race(server)
    assert len(taken) == 10
    told = call(server, "GET", "/uploads/quota").json
    assert told["stored_bytes"] == {"used": 10 * SIZE, "left": 0, "max": 10 * SIZE}
    for answer in taken:
        call(server, "DELETE", f"/uploads/{answer.json['upload_id']}")
    assert len(race(server)) == 5  # which is all that the day has left
    told = call(server, "GET", "/uploads/quota").json
    assert (told["bytes_per_day"]["left"], told["stored_bytes"]["left"]) == (0, 5 * SIZE)


def test_four_workers_together_count_requests(make_server: Callable[..., Server]) -> None:
    server = make_server(WORKERS="4", CHUNKED_UPLOAD_MAX_REQUESTS_PER_SECOND="1")
    # The rate is one a second, so that only a slow machine lets a second one in.
    statuses = Counter(at_once(16, lambda _: call(server, "GET", "/uploads/").status))
    assert set(statuses) == {200, 429}
    assert statuses[200] <= 3
