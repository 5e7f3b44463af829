"""A writer of ranges: sends random chunks of one upload, at the engine, until no gap is left.

``python -m tests.faults.support_writer UPLOAD SEED INDEX`` is one in a process of its own, on the
instance that the environment names. It says ``ready``, waits for a line, writes, and says what it
was answered.
"""

from __future__ import annotations

import random
import sys

from flask import Flask
from sqlalchemy import select

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import BytesDiffer, OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record
from chunked_upload.server.app import create_app

#: What a writer counts.
COUNTED = ("stored", "preempted", "refused", "wrong")

LENGTH = 400_000


def content_of(seed: int, length: int = LENGTH) -> bytes:
    """Return the file that all writers have a part of."""
    return random.Random(seed).randbytes(length)


def engine_of(app: Flask) -> UploadEngine:
    made: UploadEngine = app.extensions["chunked_upload"]["chunked_upload"].engine
    return made


def fetch(engine: UploadEngine, upload_id: str) -> Record:
    """Read the upload's record."""
    return engine.find(select(engine.records.model).filter_by(upload_id=upload_id))


def new_upload(engine: UploadEngine, length: int = LENGTH) -> str:
    """Create an upload of known length without a byte."""
    record: Record = engine.records.model(filename="file.bin", length=length)
    engine.create(record)
    return record.upload_id


def send(
    engine: UploadEngine, upload_id: str, data: bytes, start: int, *, pieces: int = 1
) -> Record:
    """Send one chunk, in several writes, and return the record that was committed."""
    record = fetch(engine, upload_id)
    stop = start + len(data)
    with engine.begin(
        record, WritePlan(start=start, stop=stop, total=record.length, placement=Placement.ANYWHERE)
    ) as chunk:
        step = max(1, len(data) // pieces)
        for position in range(0, len(data), step):
            chunk.write(data[position : position + step])
        chunk.finish_whole()
        chunk.commit()
    return record


def fill(engine: UploadEngine, upload_id: str, seed: int, chooser: random.Random) -> dict[str, int]:
    """Send random chunks, some of them wrong, until no gap is left; return what was answered.

    :return: counts of :data:`COUNTED`; ``wrong`` is a broken promise.
    """
    content = content_of(seed)
    told = dict.fromkeys(COUNTED, 0)
    while True:
        record = fetch(engine, upload_id)
        missing = engine.gaps(record)
        if not missing:
            return told
        low, high = chooser.choice(missing)
        # Around a gap, so that the chunk often overlaps what is stored on both sides.
        start = max(0, low - chooser.choice([0, 0, 1, 500, 20_000]))
        stop = min(LENGTH, start + chooser.choice([1, 100, 4_000, 30_000, high - start + 700]))
        if start >= stop:
            continue
        data = content[start:stop]
        lies = start < low and chooser.random() < 0.2
        if lies:  # one byte of the part that is stored already
            data = bytes([data[0] ^ 1]) + data[1:]
        try:
            send(engine, upload_id, data, start, pieces=chooser.choice([1, 2, 5]))
        except BytesDiffer:
            told["refused" if lies else "wrong"] += 1
        except OffsetMismatch:
            told["preempted"] += 1
        else:
            told["wrong" if lies else "stored"] += 1


def main() -> None:
    """Be one of the writing processes."""
    upload_id, seed, index = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    app = create_app()
    with app.app_context():
        fetch(engine_of(app), upload_id)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        chooser = random.Random(seed + index + 1)
        told = fill(engine_of(app), upload_id, seed, chooser)
    sys.stdout.write(" ".join(str(told[name]) for name in COUNTED))


if __name__ == "__main__":
    main()
