"""SIGKILL of the server under Dropzone's parallel chunks.

Every file's chunks are sent at once, to several worker processes, while the server is killed and
started again; each is sent until it is answered, as ``retryChunks`` does. In the end each file is
there once, whole, and some answer said so.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from urllib.parse import urlencode

from tests.faults.support_audit import audit
from tests.faults.support_client import Answer, Http, Unreachable, promoted_files
from tests.support.scorecard import EVERY, Run, row
from tests.support.server import Server

_CHUNKS = 8
#: Seconds within which a chunk is answered once the server is left alone.
_PATIENCE = 120


@row("kill -9 under Dropzone's parallel chunks", databases=EVERY)
def test_killed_under_parallel_chunks_each_file_is_completed_once(run: Run) -> None:
    environment = {"WORKERS": "2", **run.fresh_environment()}
    files = [run.random.randbytes(20_000 + n) for n in range(run.amount(reduced=4, full=200))]
    enough = Event()
    with Server(run.directory, environment) as server, ThreadPoolExecutor(4) as pool:
        kept = [pool.submit(_send, server, data, n, enough) for n, data in enumerate(files)]
        for _ in range(run.amount(reduced=3, full=60)):
            time.sleep(run.random.uniform(0.05, 0.5))
            server.kill()
            run.tried()
            server.start()
        enough.set()
        for number, future in enumerate(kept):
            answers = future.result()
            run.check(
                {answer.status for answer in answers} == {200}
                and any(answer.json.get("status") == 2 for answer in answers),
                f"file {number}: {[(answer.status, answer.body[:200]) for answer in answers]}",
            )
        stored = sorted(path.read_bytes() for path in promoted_files(server.root))
        run.check(stored == sorted(files), f"{len(stored)} files stored of {len(files)}")
        run.count("files", len(files))
        audit(run, server, environment)


def _send(server: Server, data: bytes, number: int, enough: Event) -> list[Answer]:
    """Send all chunks of a file at once; returns their answers."""
    size = -(-len(data) // _CHUNKS)
    name = str(uuid.UUID(int=number))
    chunks = [
        (
            {
                "filename": "same name.bin",
                "dzuuid": name,
                "dzchunkindex": index,
                "dzchunkbyteoffset": index * size,
                "dzchunksize": size,
                "dztotalchunkcount": _CHUNKS,
                "dztotalfilesize": len(data),
            },
            data[index * size : (index + 1) * size],
        )
        for index in range(_CHUNKS)
    ]
    with ThreadPoolExecutor(_CHUNKS) as own:
        return list(
            own.map(lambda chunk: _until_answered(server, chunk[0], chunk[1], enough), chunks)
        )


def _until_answered(
    server: Server, fields: dict[str, object], data: bytes, enough: Event
) -> Answer:
    http = Http(server.port)
    deadline = None
    try:
        while True:
            try:
                answer = http.request(
                    "POST",
                    f"/uploads/?{urlencode(fields)}",
                    data,
                    {"Content-Type": "application/octet-stream"},
                )
                if answer.status < 500:
                    return answer
            except Unreachable:
                pass
            if enough.is_set():
                deadline = deadline or time.monotonic() + _PATIENCE
                if time.monotonic() > deadline:
                    raise TimeoutError(f"chunk {fields} is not answered")
            time.sleep(0.02)
    finally:
        http.close()
