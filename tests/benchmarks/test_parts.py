"""benchmarks/parts.py: system calls and samples are put down to the part of a chunk they are of."""

from __future__ import annotations

from benchmarks.parts import calls_by_part, shares_by_part
from tests.support import strace

#: One chunk's calls as strace writes them with ``-f -y``, much shortened.
CHUNK = """\
7 epoll_wait(5<anon_inode:[eventpoll]>, [], 3, 1000) = 1
7 recvfrom(9<socket:[1]>, "POST", 16384, 0, NULL, NULL) = 4
7 fcntl(6</i/uploads.db-shm>, F_SETLK, {}) = 0
7 openat(AT_FDCWD</i>, "/f/1.part", O_RDWR) = 8</f/1.part>
7 flock(10</f/1.turn>, LOCK_EX) = 0
7 pwrite64(8</f/1.part>, "bytes of a .db <x", 17, 0) = 17
7 fdatasync(8</f/1.part>) = 0
7 pwrite64(11</i/uploads.db-wal>, "", 24, 0) = 24
7 pwrite64(11</i/uploads.db-wal>, "", 24, 24) = 24
7 write(1</s/server.log>, "{}", 2) = 2
8 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 0
7 sendto(9<socket:[1]>, "HTTP", 4, 0, NULL, 0) = 4
"""


def test_system_calls_are_counted_by_part() -> None:
    creation = completion = '7 sendto(9<socket:[1]>, "HTTP", 4, 0, NULL, 0) = 4\n'
    calls = calls_by_part(strace.parse(creation + 2 * CHUNK + completion))
    assert {part: count for part, count in calls.items() if count} == {
        "reading the request": 2,
        "look-up": 1,
        "write lease": 1,
        "write": 2,
        "sync": 1,
        "commit": 2,
        "access log": 1,
        "answer": 1,
        "other": 1,
    }


def test_a_sample_is_of_its_innermost_part() -> None:
    view = (
        "run (chunked_upload/server/gunicorn/worker.py:1);post (chunked_upload/http/views/x.py:1)"
    )
    shares = shares_by_part(
        f"{view};find (chunked_upload/records/lookup.py:9);execute (sqlalchemy/x.py:3) 3\n"
        f"{view} 1\n"
        "run (gunicorn/worker.py:1);UploadWorker._rest (worker.py:150) 90\n"
    )
    assert (shares["look-up"], shares["view and form"], shares["reading the request"]) == (
        0.75,
        0.25,
        0,
    )
