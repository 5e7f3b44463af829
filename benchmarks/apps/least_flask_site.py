"""The least that a Flask view can do for a chunk: take it, write it, hash it, record it.

Nothing is looked up, checked or claimed, so nothing that does could be faster.
"""

import hashlib
import os
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from flask import Flask, abort, request
from least_sqlite import connection

app = Flask(__name__)
files = Path(os.environ["BENCH_FILES"])
verifies = os.environ["BENCH_VERIFIES"] == "1"

#: Of the chunks that came to this worker, by upload.
digests: dict[str, Any] = defaultdict(lambda: hashlib.md5(usedforsecurity=False))
TABLE = "CREATE TABLE IF NOT EXISTS uploads (name PRIMARY KEY, stop INT)"


def database() -> sqlite3.Connection:
    return connection(files.parent / "uploads.db", TABLE)


@app.put("/<name>/<int:start>")
def put(name: str, start: int) -> dict[str, str]:
    left = int(request.environ["CONTENT_LENGTH"])
    body = request.environ["wsgi.input"]
    part = os.open(files / name, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while left:
            data = body.read(min(left, 1024 * 1024))
            if not data:  # the load generator has gone; waiting for it would take a core
                abort(400)
            os.pwrite(part, data, start)
            if verifies:
                digests[name].update(data)
            start, left = start + len(data), left - len(data)
    finally:
        os.close(part)
    if verifies:
        database().execute("INSERT OR REPLACE INTO uploads VALUES (?, ?)", (name, start))
    return {"name": name}
