"""The main job on a real server: upload, be interrupted, resume, complete, download.

Under the bundled server with one worker and with two, on SQLite and on PostgreSQL, and others.
"""

from __future__ import annotations

import hashlib
import os
import signal

from tests.server.client import (
    FORM_TYPE,
    call,
    complete,
    connect,
    content_range,
    create,
    form,
    head,
    put,
    state,
    stored_files,
)
from tests.support.server import Server

DATA = bytes(range(256)) * 4000


def test_a_file_uploaded_in_chunks_is_the_file_downloaded(any_server: Server) -> None:
    upload_id = create(any_server, DATA[:300_000], len(DATA))
    for start in range(300_000, len(DATA), 300_000):
        chunk = DATA[start : start + 300_000]
        headers = content_range(start, chunk, len(DATA)) | FORM_TYPE
        answer = call(any_server, "POST", "/uploads/", form(chunk, upload_id=upload_id), headers)
        assert (answer.status, answer.json["offset"]) == (200, start + len(chunk))

    answer = complete(any_server, upload_id, DATA)
    assert answer.status == 200
    assert answer.json["md5"] == hashlib.md5(DATA).hexdigest()
    download = call(any_server, "GET", answer.json["url"])
    assert (download.status, download.body) == (200, DATA)
    part = call(any_server, "GET", answer.json["url"], headers={"Range": "bytes=1000-1999"})
    assert (part.status, part.body) == (206, DATA[1000:2000])


def test_kill_9_in_the_middle_of_a_chunk_loses_no_acknowledged_byte(any_server: Server) -> None:
    upload_id = create(any_server, DATA[:400_000], len(DATA))
    with connect(any_server) as connection:
        headers = content_range(400_000, DATA[400_000:], len(DATA))
        connection.sendall(
            head(
                "PUT",
                f"/uploads/{upload_id}",
                Content_Length=len(DATA) - 400_000,
                Content_Range=headers["Content-Range"],
            )
        )
        connection.sendall(DATA[400_000:700_000])
        any_server.kill()
    any_server.start()

    assert state(any_server, upload_id)["offset"] == 400_000
    answer = put(any_server, upload_id, DATA[400_000:], 400_000, len(DATA))
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    answer = complete(any_server, upload_id, DATA)
    assert answer.status == 200
    assert call(any_server, "GET", answer.json["url"]).body == DATA


def test_a_killed_worker_is_replaced_and_the_upload_goes_on(any_server: Server) -> None:
    upload_id = create(any_server, DATA[:400_000], len(DATA))
    for pid in any_server.workers():
        if pid != any_server.pid:
            os.kill(pid, signal.SIGKILL)
    any_server.wait_until_up()
    assert put(any_server, upload_id, DATA[400_000:], 400_000, len(DATA)).status == 200
    assert complete(any_server, upload_id, DATA).status == 200


def test_an_aborted_upload_leaves_no_file(any_server: Server) -> None:
    before = stored_files(any_server)
    upload_id = create(any_server, DATA[:400_000], len(DATA))
    assert call(any_server, "DELETE", f"/uploads/{upload_id}").status == 204
    assert call(any_server, "GET", f"/uploads/{upload_id}").status == 404
    assert stored_files(any_server) == before
