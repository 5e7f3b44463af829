"""An app that tells what it sees of a request: run by tests under several servers.

Each body is read as it arrives, and an interim response tells how much of it has. The answer is
JSON: whether the first interim response was sent, what the body had, how it ended, its trailers.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import run_simple

from chunked_upload.engine.errors import SizeMismatch
from chunked_upload.http.wire.body import Body
from chunked_upload.http.wire.interim import send_interim
from chunked_upload.http.wire.trailers import keeps_trailers, trailers

REASON = "Upload Resumption Supported"


def app(environ: Any, start_response: Any) -> Iterable[bytes]:
    refused = environ["PATH_INFO"] == "/refused"
    told = {} if refused or environ["REQUEST_METHOD"] == "GET" else _read(environ)
    content = json.dumps(told).encode()
    status = "404 Not Found" if refused else "200 OK"
    start_response(status, [("Content-Length", str(len(content)))])
    return [content]


def _read(environ: Any) -> dict[str, Any]:
    sent = send_interim(environ, 104, REASON, {"Location": "/uploads/1"})
    body, digest, ended = Body(environ).prompt(), hashlib.sha256(), "whole"
    try:
        for data in body:
            digest.update(data)
            send_interim(environ, 104, REASON, {"Upload-Offset": str(body.received)})
    except SizeMismatch:
        ended = "broken"
    said = trailers(environ)
    return {
        "sent": sent,
        "received": body.received,
        "sha256": digest.hexdigest(),
        "ended": ended,
        "keeps_trailers": keeps_trailers(environ),
        "trailers": None if said is None else dict(said),
    }


def main() -> None:
    """Serve with Werkzeug's development server."""
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)


if __name__ == "__main__":
    main()
