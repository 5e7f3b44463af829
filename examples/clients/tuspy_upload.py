#!/usr/bin/env python3
"""Upload a file with tuspy: ``pip install tuspy``, then ``python tuspy_upload.py FILE [URL]``.

A chunk that fails is sent again, from where the server stands. If the program was ended, run it
again: it resumes. Each chunk has a SHA-1 with it, and counts only if the server computes the same.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import IO

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.fingerprint.interface import Fingerprint
from tusclient.storage.filestorage import FileStorage

CHUNK = int(os.environ.get("CHUNK", 8 * 2**20))  # bytes; tuspy holds a chunk in memory
TRIES = 10


class FileName(Fingerprint):
    """What an unfinished upload is found by; tuspy's own looks only at the first 64 KiB."""

    def get_fingerprint(self, fs: IO[bytes]) -> str:
        known = os.fstat(fs.fileno())
        return f"{os.path.abspath(fs.name)} {known.st_size} {known.st_mtime_ns}"


def upload(path: Path, url: str, storage: FileStorage) -> str:
    """Return the URL of the uploaded file."""
    uploader = TusClient(url).uploader(
        str(path),
        chunk_size=CHUNK,
        metadata={"filename": path.name},
        upload_checksum=True,
        retries=TRIES,  # of a chunk
        retry_delay=1,  # seconds
        store_url=True,
        url_storage=storage,
        fingerprinter=FileName(),
    )
    uploader.upload()
    return str(uploader.url)


def main(path: Path, url: str = "http://127.0.0.1:8000/uploads/tus/") -> None:
    """Upload, resuming what an earlier run has begun."""
    storage = FileStorage(".tuspy.json")
    with path.open("rb") as file:
        key = FileName().get_fingerprint(file)
    for attempt in range(TRIES):
        try:
            print(upload(path, url, storage))
        except TusCommunicationError as error:
            if error.status_code in (404, 410):
                storage.remove_item(key)  # it has expired: start again
            elif error.status_code is not None or attempt == TRIES - 1:
                raise
            else:
                time.sleep(1)  # no connection; tuspy itself retries chunks alone
        else:
            storage.remove_item(key)  # else the same file cannot be uploaded a second time
            return
    sys.exit("The server has no such upload")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
