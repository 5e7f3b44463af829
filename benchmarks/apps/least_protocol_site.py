"""The least that a Flask view can do for a chunk of the protocol and keep the guarantees.

The form is cut by hand, the record looked up, the range claimed under a lock, the bytes written
and hashed, the offset moved by compare-and-swap. Left out is all that makes a product of it:
settings, callers, quotas, hooks, other dialects, streaming (a chunk is read whole), reasons in
errors, an access log, a digest that another process could go on with. SQLite itself instead of
SQLAlchemy, without a pool.
"""

import fcntl
import hashlib
import os
import re
import secrets
import sqlite3
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from flask import Flask, abort, request
from least_sqlite import connection

app = Flask(__name__)
files = Path(os.environ["BENCH_FILES"])

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
UPLOAD_ID = re.compile(rb'name="upload_id"\r\n\r\n([0-9a-f]{32})\r\n')
DAY = 24 * 60 * 60

#: Of the chunks that came to this worker, by upload.
digests: dict[str, Any] = defaultdict(lambda: hashlib.md5(usedforsecurity=False))
TABLE = (
    "CREATE TABLE IF NOT EXISTS uploads"
    " (id PRIMARY KEY, offset INT, length INT, status INT, expires REAL, md5 TEXT)"
)


def database() -> sqlite3.Connection:
    return connection(files.parent / "uploads.db", TABLE)


@app.post("/uploads/")
def chunk() -> dict[str, Any]:
    span = CONTENT_RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if not span:
        abort(400)
    start, last, length = map(int, span.groups())
    size = last + 1 - start
    body = request.environ["wsgi.input"].read(int(request.environ["CONTENT_LENGTH"]))
    boundary = request.mimetype_params["boundary"].encode()
    head = body.rfind(b"\r\n\r\n", 0, len(body) - size)
    end = body.find(b"\r\n--" + boundary, head + 4)
    if head < 0 or end - head - 4 != size:
        abort(400)
    named = UPLOAD_ID.search(body, 0, head)
    upload_id = named[1].decode() if named else secrets.token_hex(16)
    rows = database()
    if named:
        record = rows.execute(
            "SELECT offset, length, status, expires FROM uploads WHERE id = ?", (upload_id,)
        ).fetchone()
        if record is None:
            abort(404)
        if record[:3] != (start, length, 1):
            abort(400)
        if record[3] < time.time():
            abort(410)
    else:
        rows.execute("INSERT INTO uploads VALUES (?, 0, ?, 1, ?, NULL)", (upload_id, length, 0))
    part = os.open(files / upload_id, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(part, fcntl.LOCK_EX)
        os.pwrite(part, memoryview(body)[head + 4 : end], start)
    finally:
        os.close(part)
    digests[upload_id].update(memoryview(body)[head + 4 : end])
    expires = time.time() + DAY
    moved = rows.execute(
        "UPDATE uploads SET offset = ?, expires = ? WHERE id = ? AND offset = ? AND status = 1",
        (start + size, expires, upload_id, start),
    )
    if moved.rowcount != 1:
        abort(400)
    return {"upload_id": upload_id, "offset": start + size, "expires": expires}


@app.post("/uploads/complete")
def complete() -> dict[str, Any]:
    upload_id, md5 = request.form["upload_id"], request.form["md5"]
    if digests.pop(upload_id).hexdigest() != md5:
        abort(400)
    os.link(files / upload_id, files / f"{upload_id}.bin")
    database().execute("UPDATE uploads SET status = 2, md5 = ? WHERE id = ?", (md5, upload_id))
    os.unlink(files / upload_id)
    return {"upload_id": upload_id, "md5": md5}
